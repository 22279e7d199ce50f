"""The list of sessions, page by page."""

from __future__ import annotations

from collections.abc import Mapping

from attrs import evolve

from agb._core import arguments
from agb._core.exceptions import InvalidArgumentError
from agb._core.sessions import session_calls
from agb._core.sessions.results import SessionListResult, SessionSummary
from agb._core.wire.operation import Steps, operation, send
from agb._core.wire.replies import Reply, objects, text

_DEFAULT_PAGE_SIZE = 10


@operation(SessionListResult)
def list_page(
    labels: Mapping[str, str] | None,
    page: int | None,
    limit: int | None,
    next_token: str | None = None,
) -> Steps[SessionListResult]:
    """List one page of sessions: that of a token, or walking there by those of the pages before."""
    size = arguments.whole_number(
        "limit", _DEFAULT_PAGE_SIZE if limit is None else limit, at_least=1
    )
    try:
        number = arguments.whole_number("page", 1 if page is None else page, at_least=1)
        token = "" if next_token is None else arguments.text("next_token", next_token)
        if token and page is not None:
            raise InvalidArgumentError("page and next_token both name a page; give one of them")
    except InvalidArgumentError as error:
        return evolve(SessionListResult.failed(error), max_results=size)
    wanted = _filter_labels(labels)
    reply = yield from send(session_calls.list_sessions(wanted, size, token))
    for current in range(1, number):
        token = text(reply.body.get("nextToken"))
        if not token:
            past_end = reply.refused(
                f"Cannot reach page {number}: page {current} is the last one", InvalidArgumentError
            )
            failed = SessionListResult.failed(past_end)
            return evolve(failed, max_results=size, total_count=_count(reply))
        reply = yield from send(session_calls.list_sessions(wanted, size, token))
    found = _summaries(reply)
    return SessionListResult(
        request_id=reply.request_id,
        success=True,
        session_ids=[each.session_id for each in found],
        sessions=found,
        next_token=text(reply.body.get("nextToken")),
        max_results=size,
        total_count=_count(reply),
    )


def _summaries(reply: Reply) -> list[SessionSummary]:
    return [
        SessionSummary(text(item.get("sessionId")), text(item.get("sessionStatus")))
        for item in objects(reply.data)
        if item.get("sessionId")
    ]


def _count(reply: Reply) -> int:
    counts = (reply.body.get(key) for key in ("count", "totalCount"))
    return next((count for count in counts if isinstance(count, int)), 0)


def _filter_labels(labels: object) -> dict[str, str]:
    """Take a label filter as it is: the label rules hold for setting labels, not for looking."""
    if labels is None:
        return {}
    if not isinstance(labels, Mapping):
        raise InvalidArgumentError(f"labels must be a dict or None (found {labels!r:.100})")
    wanted = {str(key): str(value) for key, value in labels.items()}
    for key, value in wanted.items():
        arguments.text(f"label {key!r}", key + value)
    return wanted
