"""Which call may be sent again, when, and for how long. Plain values: no clock, no waiting.

A call is sent a second time only if that can't do anything twice: it was not delivered, the server
refused it in words and said when to come back, or it only reads.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypedDict

from agb._core.exceptions import AGBError
from agb._core.wire.call import Call

DEFAULT_MAX_RETRIES = 2

# The service works up to the caller's limit and then has to answer: that must find us waiting.
ANSWER_MARGIN_S = 10.0
# All pauses between the attempts of one call take at most this part of the time it has.
_PAUSES_PART = 0.5
_LONGEST_PAUSE_S = 2.0
_JITTER_PART = 0.1

# Named one by one: what is not known to only read is never repeated.
_READING_ENDPOINTS = frozenset(
    {
        "/internet/getLink",
        "/mcp/getMcpResource",
        "/mcp/getSession",
        "/mcp/getSessionInfo",
        "/mcp/listTools",
        "/sdk/DescribeContextFiles",
        "/sdk/GetContextFileDownloadUrl",
        "/sdk/GetContextInfo",
        "/sdk/GetLabel",
        "/sdk/ListContexts",
        "/sdk/ListSession",
    }
)
# Not `get_file_change`: each answer moves the point that the next one compares with.
_READING_TOOLS = frozenset(
    {
        "get_file_info",
        "get_metrics",
        "list_directory",
        "list_processes",
        "read_file",
        "read_multiple_files",
        "read_process_output",
        "search_files",
        "wait_process",
    }
)

_REFUSED = (429, 503)
_PASSING = (429, 502, 503, 504)
# A gateway gave up on a service that may be at work all the same.
_GATEWAY_LOST = (502, 504)


class Facts(TypedDict):
    """What an error says about doing the same call again; see `AGBError`."""

    outcome_unknown: bool
    retryable: bool
    retry_after: float | None


def only_reads(call: Call) -> bool:
    """Tell whether a call changes nothing, so that it may be carried out twice."""
    return call.name in _READING_TOOLS if call.is_tool else call.path in _READING_ENDPOINTS


def judge_lost(call: Call, *, was_sent: bool, may_pass: bool = True) -> Facts:
    """Judge a call to which no whole reply came.

    Args:
        call: What was asked.
        was_sent: Whether any of it may have reached the server.
        may_pass: Whether the reason may be gone at the next attempt.

    Returns:
        What its error has to say.
    """
    harmless = not was_sent or only_reads(call)
    return Facts(outcome_unknown=not harmless, retryable=harmless and may_pass, retry_after=None)


def judge_reply(
    call: Call, status_code: int, retry_after: float | None, *, is_envelope: bool
) -> Facts:
    """Judge a call whose reply does not say success.

    Args:
        call: What was asked.
        status_code: HTTP status of the reply.
        retry_after: How long the server asks to wait, in seconds, None if it does not.
        is_envelope: Whether the service itself wrote the reply, not something before it.

    Returns:
        What its error has to say.
    """
    reads = only_reads(call)
    refused = status_code in _REFUSED and retry_after is not None
    told = is_envelope and status_code not in _GATEWAY_LOST
    # Below 500 and not a success, something on the way turned the call away.
    turned_away = 300 <= status_code < 500
    return Facts(
        outcome_unknown=not (reads or refused or told or turned_away),
        retryable=refused or (reads and status_code in _PASSING),
        retry_after=retry_after,
    )


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Read `Retry-After`, a number of seconds or a date.

    Args:
        headers: Value by name in lower case; a date counts from `Date`, the server's own clock.

    Returns:
        Seconds from the reply on, None if the header can't be read.
    """
    header = headers.get("retry-after", "")
    if not header:
        return None
    if header.strip().isdecimal():
        return float(header)
    from email.utils import parsedate_to_datetime

    try:
        wait = parsedate_to_datetime(header) - parsedate_to_datetime(headers.get("date", ""))
    except (ValueError, TypeError):
        return None
    return max(0.0, wait.total_seconds())


def allowance_s(call: Call, timeout_s: float, spent_s: float) -> float:
    """Return how long the next attempt may take from its first to its last byte.

    One deadline bounds all attempts of a call. But the service's own work has to fit into each:
    where a call brings its own limit, an attempt that begins late still gets that. What a caller
    asks for in so many words stands above both.

    Args:
        call: What is asked.
        timeout_s: The configured time-out.
        spent_s: What earlier attempts and the pauses after them took.
    """
    if call.read_timeout_s:
        return call.read_timeout_s
    work_s = call.time_limit_s + ANSWER_MARGIN_S if call.time_limit_s else 0.0
    return max(timeout_s - spent_s, work_s)


def longest_pause_s(left_s: float, max_retries: int) -> float:
    """Return how long one pause may grow so that time is left for the attempts themselves."""
    return min(_LONGEST_PAUSE_S, left_s * _PAUSES_PART / max_retries)


def pause_before_retry(error: Exception, left_s: float, chance: float) -> bool | float:
    """Decide whether to make a call again.

    Args:
        error: Why it failed.
        left_s: How much of the time-out is left.
        chance: A random number from 0 to 1: clients that were refused together come back apart.

    Returns:
        False for no, the seconds to wait if the server named some, else True: growing pauses.
    """
    if not isinstance(error, AGBError) or not error.retryable or left_s <= 0:
        return False
    if not error.retry_after:
        return True
    wait = error.retry_after * (1 + _JITTER_PART * chance)
    return wait if wait < left_s else False
