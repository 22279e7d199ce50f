"""How thinking is written without colour: as a generator of steps.

An operation yields what it wants done and is sent the reply; what it returns is the result of the
call. A client of either colour runs it (`AsyncClient.run`), so reading a file in pieces
or walking pages is written, and tested, once.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from functools import wraps
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar

from attrs import frozen

from agb._core.exceptions import AGBError
from agb._core.wire.call import Call
from agb._core.wire.replies import Reply

if TYPE_CHECKING:
    from agb._core.results import Result

P = ParamSpec("P")
R = TypeVar("R", bound="Result")
T = TypeVar("T")


@frozen
class Pause:
    """A step that only waits.

    Args:
        seconds: How long.
    """

    seconds: float


@frozen
class Batch:
    """A step of several calls that do not depend on each other.

    Args:
        calls: What to ask.
        readers: For each call what to do with its reply as soon as it comes, so that only the
            outcome is kept.
        at_once: How many calls may be in flight.
    """

    calls: Sequence[Call]
    readers: Sequence[Callable[[Reply], Any]]
    at_once: int


@frozen
class Work:
    """A step that whoever runs the operation can do and this package's core can't, such as I/O.

    Args:
        action: What to do; what it returns may have to be waited for.
    """

    action: Callable[[], Any]


Step = Call | Pause | Batch | Work
# A pause is answered with None, a call with its reply, a batch with the outcomes in the order of
# its calls, work with what came of it. What fails is thrown in as AGBError; of a batch the first
# in its order.
Steps = Generator[Step, Any, T]


def send(call: Call) -> Steps[Reply]:
    """Make one call and return its reply."""
    reply = yield call
    assert isinstance(reply, Reply)  # a call is answered with a reply
    return reply


def send_together(
    calls: Sequence[Call], readers: Sequence[Callable[[Reply], T]], at_once: int
) -> Steps[list[T]]:
    """Make calls that do not depend on each other and return what their readers made of them."""
    outcomes = yield Batch(calls, readers, at_once)
    assert isinstance(outcomes, list)  # a batch is answered with a list
    return outcomes


def perform(action: Callable[[], Any]) -> Steps[Any]:
    """Have something done and return what came of it."""
    outcome = yield Work(action)
    return outcome


def operation(
    result: type[R],
) -> Callable[[Callable[P, Steps[R]]], Callable[P, Steps[R]]]:
    """Make every error of an operation its failed result: documented calls never raise.

    Args:
        result: The class of its results.

    Returns:
        A decorator of generator functions.
    """

    def decorate(function: Callable[P, Steps[R]]) -> Callable[P, Steps[R]]:
        @wraps(function)
        def steps(*args: P.args, **kwargs: P.kwargs) -> Steps[R]:
            try:
                return (yield from function(*args, **kwargs))
            except AGBError as error:
                return result.failed(error)

        return steps

    return decorate
