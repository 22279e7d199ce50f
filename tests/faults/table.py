"""The table of `docs/reliability.md`: what can go wrong, and what the caller gets."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from .server import Connection, Fault, envelope, http, reply

PAGE = Path(__file__).parents[2] / "docs" / "reliability.md"

# Operation → whether it only reads.
OPERATIONS = {
    "create": False,
    "delete": False,
    "set_labels": False,
    "run_code": False,
    "execute_command": False,
    "write_file": False,
    "get": True,
    "list": True,
    "info": True,
    "get_labels": True,
    "read_file": True,
    "list_directory": True,
}

FAULTS: dict[str, Fault] = {}

REPLY = http("200 OK", envelope({"sessionId": "s-1"}))
HEAD, _, BODY = REPLY.partition(b"\r\n\r\n")
PAGE_OF_A_GATEWAY = b"<html><h1>Sorry</h1></html>"


def fault(text: str) -> Callable[[Fault], Fault]:
    def add(function: Fault) -> Fault:
        FAULTS[text] = function
        return function

    return add


def answering(text: str, data: bytes) -> None:
    """Add a fault that is a reply, after which the connection stays open."""

    @fault(text)
    def answer(connection: Connection) -> None:
        connection.request()
        connection.send(data)


@fault("speaks no TLS where the endpoint says https")
def _(connection: Connection) -> None:
    connection.receive()
    connection.send(http("400 Bad Request", b""))
    connection.close()


@fault("resets the connection within the request")
def _(connection: Connection) -> None:
    connection.receive()
    connection.reset()


@fault("resets it after the request")
def _(connection: Connection) -> None:
    connection.request()
    connection.reset()


@fault("resets it within the head of the reply")
def _(connection: Connection) -> None:
    connection.request()
    connection.send(HEAD[:10])
    connection.reset()


@fault("resets it within the body")
def _(connection: Connection) -> None:
    connection.request()
    connection.send(REPLY[:-10])
    connection.reset()


@fault("hangs up after the request")
def _(connection: Connection) -> None:
    connection.request()
    connection.close()


@fault("hangs up within the body")
def _(connection: Connection) -> None:
    connection.request()
    connection.send(REPLY[:-10])
    connection.close()


@fault("never answers")
def _(connection: Connection) -> None:
    connection.request()
    connection.server.asked.release()
    connection.until_hang_up()


@fault("drips the head of the reply")
def _(connection: Connection) -> None:
    connection.request()
    connection.send(HEAD + b"\r\nX-Drip: ")
    connection.drip(b"x")


@fault("drips the body")
def _(connection: Connection) -> None:
    connection.request()
    connection.send(http("200 OK", b"", length=1_000_000))
    connection.drip(b" ")


@fault("promises a longer body than it sends")
def _(connection: Connection) -> None:
    connection.request()
    connection.send(http("200 OK", BODY, length=len(BODY) + 1))
    connection.until_hang_up()


@fault("sends headers without end")
def _(connection: Connection) -> None:
    connection.request()
    connection.send(b"HTTP/1.1 200 OK\r\n")
    while True:
        connection.send(b"X-More: more\r\n" * 1000)


@fault("answers on a kept connection only once")
def _(connection: Connection) -> None:
    connection.send_last(reply(*connection.request()))


@fault("hangs up on a kept connection as the next request comes")
def hang_up_later(connection: Connection) -> None:
    connection.request()
    connection.close()


hang_up_later.needs_served = True  # type: ignore[attr-defined]

answering(
    "answers with another reply behind it",
    REPLY + http("200 OK", envelope({"sessionId": "s-of-another"})),
)
answering("answers what is no HTTP", b"220 smtp.test ESMTP\r\n\r\n")
answering("promises a shorter body than it sends", http("200 OK", BODY, length=len(BODY) - 9))
answering("answers 200 with a page", http("200 OK", PAGE_OF_A_GATEWAY))
answering("answers 401", http("401 No", envelope(None, success=False)))
answering("answers 429", http("429 Slow", PAGE_OF_A_GATEWAY))
answering("answers 429 with `Retry-After`", http("429 Slow", PAGE_OF_A_GATEWAY, "Retry-After: 1"))
answering("answers 500 in its own words", http("500 Bad", envelope(None, success=False)))
answering("answers 502 with a page", http("502 Bad", PAGE_OF_A_GATEWAY))
answering("answers 503", http("503 Busy", PAGE_OF_A_GATEWAY))
answering(
    "answers 503 with `Retry-After`",
    http("503 Busy", envelope(None, success=False), "Retry-After: 1"),
)
answering("redirects elsewhere", http("302 Found", b"", "Location: http://127.0.0.1:9/"))


@dataclass(frozen=True)
class Expected:
    """What a cell of the table says."""

    error: str  # the class of the error, "" for a success
    attempts: int
    retryable: bool
    outcome_unknown: bool


@dataclass(frozen=True)
class Case:
    """One cell of the table, for one operation."""

    fault: str
    operation: str
    expected: Expected

    @property
    def timeout_ms(self) -> int:
        """A short time-out where it has to run out, else one that never does."""
        return 100 if self.expected.error == "APITimeoutError" else 30_000


def cases() -> list[Case]:
    """Read the table: one case for each fault and operation."""
    rows = re.findall(r"^\| … (.+?) \| (.+?) \| (.+?) \|$", PAGE.read_text(), re.MULTILINE)
    return [
        Case(fault, operation, _expected(reading if reads else changing))
        for fault, reading, changing in rows
        for operation, reads in OPERATIONS.items()
    ]


def _expected(cell: str) -> Expected:
    match = re.fullmatch(
        r"(?:`(\w+)`|succeeds), sent (\d) .(, \*\*outcome unknown\*\*)?(, retryable)?", cell
    )
    assert match, f"a cell that says nothing: {cell}"
    return Expected(match[1] or "", int(match[2]), bool(match[4]), bool(match[3]))
