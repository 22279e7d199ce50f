"""Operations on the labels of a session."""

from __future__ import annotations

from collections.abc import Mapping
from typing import cast

from agb._core import arguments
from agb._core.exceptions import InvalidArgumentError
from agb._core.results import OperationResult
from agb._core.sessions import session_calls
from agb._core.sessions.labels import validate_labels
from agb._core.wire.operation import Steps, operation, send
from agb._core.wire.replies import Reply, parsed

Labels = dict[str, str]


@operation(OperationResult)
def set_labels(session_id: str, labels: Mapping[str, str]) -> Steps[OperationResult[None]]:
    """Replace the labels of a session."""
    reply = yield from send(session_calls.set_labels(session_id, validate_labels(labels)))
    return OperationResult(request_id=reply.request_id, success=True)


@operation(OperationResult)
def get_labels(session_id: str) -> Steps[OperationResult[Labels]]:
    """Read the labels of a session."""
    reply, labels = yield from _read(session_id)
    return OperationResult(request_id=reply.request_id, success=True, data=labels)


@operation(OperationResult)
def update_labels(session_id: str, labels: Mapping[str, str]) -> Steps[OperationResult[Labels]]:
    """Set some labels of a session and keep the others."""
    changes = validate_labels(labels)
    _, current = yield from _read(session_id)
    return (yield from _replace(session_id, {**current, **changes}))


@operation(OperationResult)
def remove_labels(session_id: str, keys: tuple[str, ...]) -> Steps[OperationResult[Labels]]:
    """Remove some labels of a session and keep the others."""
    if not keys:
        raise InvalidArgumentError("Pass the key of at least one label to remove")
    for key in keys:
        arguments.filled_text("the key of a label", key)
    _, current = yield from _read(session_id)
    left = {key: value for key, value in current.items() if key not in keys}
    return (yield from _replace(session_id, left))


def _read(session_id: str) -> Steps[tuple[Reply, Labels]]:
    reply = yield from send(session_calls.get_labels(session_id))
    # A JSON string by the protocol; a plain object is understood as well (trap T5).
    labels = parsed(reply.mapping().get("labels") or {})
    if not isinstance(labels, dict):
        raise reply.refused("The labels in the reply are not a JSON object")
    return reply, cast("Labels", labels)


def _replace(session_id: str, labels: Labels) -> Steps[OperationResult[Labels]]:
    reply = yield from send(session_calls.set_labels(session_id, labels))
    return OperationResult(request_id=reply.request_id, success=True, data=labels)
