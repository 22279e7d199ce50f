"""A server made of a script: it plays the operations of the core and writes down what they sent."""

import json
from collections.abc import Callable, Iterator
from typing import Any

from attrs import field, frozen

from agb._core.exceptions import AGBError
from agb._core.tools.offers import Offers, Place
from agb._core.wire import replies
from agb._core.wire.call import Call
from agb._core.wire.operation import Batch, Pause, Steps, Work


@frozen
class Answer:
    """What the server answers: a JSON value, or bytes as they are, with a status and a header."""

    body: object
    status: int = 200
    header: str = ""

    @property
    def content(self) -> bytes:
        return self.body if isinstance(self.body, bytes) else json.dumps(self.body).encode()


@frozen
class Played:
    """An operation that came to its end."""

    result: Any
    calls: list[Call] = field(repr=lambda calls: str(len(calls)))
    pauses: list[float]

    @property
    def arguments(self) -> list[dict[str, Any]]:
        """The arguments of each tool call."""
        return [dict(call.arguments or {}) for call in self.calls]


PLACE = Place("s-1", "", Offers("https://api.test"))

Server = Callable[[Call], Answer | AGBError]


def envelope(data: object, **others: object) -> Answer:
    """E(x) of the protocol's appendix: a reply that says success."""
    body = {"requestId": "R", "success": True, "code": "ok", "message": None, "httpStatusCode": 200}
    return Answer({**body, "data": data, **others})


def tool_text(text: str) -> Answer:
    """X(t) of the protocol's appendix: a tool that succeeded."""
    return envelope({"content": [{"type": "text", "text": text}], "isError": False})


def tool_failure(text: str) -> Answer:
    """T of the protocol's appendix: a tool that failed, behind an API that did not."""
    return envelope({"content": [{"type": "text", "text": text}], "isError": True})


# F, A and the reply for a dead session of the protocol's appendix.
FAILURE = Answer(
    {
        "requestId": "R",
        "success": False,
        "code": "InvalidMcpSession.NotFound",
        "message": "session not found",
        "httpStatusCode": 400,
        "data": None,
    },
    400,
)
REFUSED_KEY = Answer(
    {
        "requestId": "R",
        "success": False,
        "code": "InvalidApiKey",
        "message": "bad key",
        "httpStatusCode": 401,
    },
    401,
)
GONE = Answer(
    {
        "requestId": "R",
        "success": False,
        "code": "InvalidMcpSession.NotFound",
        "message": "session not found",
        "httpStatusCode": 400,
        "data": None,
    },
    400,
)
DEAD_SESSION = Answer(
    {
        "requestId": "R",
        "success": False,
        "code": "InvalidSession.NotFound",
        "message": "Session not found",
        "httpStatusCode": 400,
        "data": {},
    },
    400,
)


def play(steps: Steps[Any], *script: Answer | AGBError) -> Played:
    """Play an operation against replies in their order; one more call than replies is a failure."""
    remaining: Iterator[Answer | AGBError] = iter(script)

    def server(call: Call) -> Answer | AGBError:
        answer = next(remaining, None)
        assert answer is not None, f"unexpected call: {call}"
        return answer

    played = play_with(steps, server)
    assert next(remaining, None) is None, f"too few calls: {played.calls}"
    return played


def play_with(steps: Steps[Any], server: Server) -> Played:
    """Play an operation against a server that looks at each call."""
    calls: list[Call] = []
    pauses: list[float] = []

    def answered(call: Call) -> replies.Reply:
        calls.append(call)
        answer = server(call)
        if isinstance(answer, AGBError):
            raise answer
        return replies.read(call, answer.status, answer.header, answer.content)

    try:
        step = next(steps)
        while True:
            try:
                if isinstance(step, Pause):
                    pauses.append(step.seconds)
                    reply = None
                elif isinstance(step, Batch):
                    pairs = zip(step.calls, step.readers, strict=True)
                    reply = [reader(answered(call)) for call, reader in pairs]
                elif isinstance(step, Work):
                    reply = step.action()
                else:
                    reply = answered(step)
            except AGBError as error:
                step = steps.throw(error)
            else:
                step = steps.send(reply)
    except StopIteration as stop:
        return Played(stop.value, calls, pauses)


def assert_refused(played: Played, *phrases: str) -> None:
    """Assert a failed result that no request was made for, with these phrases in its message."""
    assert played.calls == []
    assert played.result.success is False
    assert played.result.request_id == ""
    for phrase in phrases:
        assert phrase in played.result.error_message
