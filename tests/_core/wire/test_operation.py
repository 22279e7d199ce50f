"""Operations: generators of steps whose errors are failed results."""

import pytest

from agb._core.exceptions import AGBError, FileError
from agb._core.results import BoolResult
from agb._core.sessions import session_calls
from agb._core.wire.operation import Pause, operation, send

from ..scripted import FAILURE, envelope, play

CALL = session_calls.get_labels("s-1")


@operation(BoolResult)
def waiting(pauses):
    """Wait, call and succeed."""
    for seconds in pauses:
        yield Pause(seconds)
    reply = yield from send(CALL)
    return BoolResult(reply.request_id, True, True)


@operation(BoolResult)
def raising(error):
    """Call and raise."""
    yield from send(CALL)
    raise error


def test_steps_are_pauses_and_calls():
    """An operation yields what it wants done, and returns its result."""
    played = play(waiting([1, 0.5]), envelope(None))

    assert played.pauses == [1, 0.5]
    assert played.calls == [CALL]
    assert played.result == BoolResult("R", True, True)


def test_nothing_runs_before_the_first_step_is_asked_for():
    """Making an operation does nothing; closing it unused is silent."""
    steps = raising(RuntimeError("never"))

    assert steps.close() is None


def test_error_of_a_call_is_a_failed_result():
    """A call that fails makes the result of the operation."""
    result = play(waiting([]), FAILURE).result

    assert type(result) is BoolResult
    assert (result.success, result.error_message) == (False, "session not found")


def test_error_of_the_package_is_a_failed_result():
    """An error of the package raised inside an operation is its failed result."""
    error = FileError("why", request_id="r")

    result = play(raising(error), envelope(None)).result

    assert result.exception is error
    assert result.request_id == "r"


@pytest.mark.parametrize("error", [RuntimeError("bug"), KeyboardInterrupt(), AssertionError()])
def test_other_errors_are_not_hidden(error):
    """What is no error of the package goes through."""
    with pytest.raises(type(error)) as caught:
        play(raising(error), envelope(None))

    assert caught.value is error


def test_operation_keeps_name_and_docstring():
    """The decorator leaves a generator function that looks like the one written."""
    assert waiting.__name__ == "waiting"
    assert waiting.__doc__ == "Wait, call and succeed."


def test_calls_are_values():
    """Two calls that ask the same are equal, and a call can't be changed."""
    assert session_calls.get_labels("s-1") == CALL
    assert session_calls.get_labels("s-2") != CALL
    with pytest.raises(AttributeError):
        CALL.path = "/"


def test_refusal_of_a_reply_keeps_its_facts():
    """The error of a reply whose payload says otherwise has its status, code and id."""

    @operation(BoolResult)
    def refusing():
        reply = yield from send(CALL)
        raise reply.refused("no")

    error = play(refusing(), envelope(None)).result.exception

    assert isinstance(error, AGBError)
    assert (error.status_code, error.code, error.request_id) == (200, "ok", "R")
