"""The result classes: one table, and what holds for every class in it."""

import copy
import pickle
from inspect import Parameter, signature

import pytest
from attrs import evolve
from attrs.exceptions import FrozenInstanceError

from agb._core.exceptions import AGBError, APIError, CommandError
from agb._core.files.results import BoolResult, FileSystemBoolResult
from agb._core.results import ApiResponse, DeleteResult, Result
from agb._core.sessions.results import GetSessionResult

from .result_classes import ALL, EMPTY_PAYLOADS, PAYLOADS, RESULTS, WITHOUT_MESSAGE

every_class = pytest.mark.parametrize("class_", ALL, ids=lambda class_: class_.__name__)
every_result = pytest.mark.parametrize("class_", RESULTS, ids=lambda class_: class_.__name__)


@every_class
def test_positional_order_is_part_of_the_api(class_):
    """Each class takes its documented parameters by position, in order, each of them optional."""
    example = ALL[class_]
    parameters = [p for p in signature(class_).parameters.values() if p.kind != p.KEYWORD_ONLY]

    value = class_(*example.values())

    assert [parameter.name for parameter in parameters] == list(example)
    assert all(parameter.default is not Parameter.empty for parameter in parameters)
    assert {name: getattr(value, name) for name in example} == example
    assert value == class_(**example)


@every_class
def test_equality_is_by_value(class_):
    """Two instances are equal if all their values are, and not to those of another class."""
    example = ALL[class_]
    value = class_(**example)

    assert value == class_(**copy.deepcopy(example))
    for name in example:
        without = {key: item for key, item in example.items() if key != name}
        assert value != class_(**without)
    assert value != tuple(example.values())


@every_class
def test_instances_are_not_hashable(class_):
    """A value with lists and dicts in it is no dict key."""
    with pytest.raises(TypeError, match="unhashable"):
        hash(class_())


@every_class
def test_instances_are_frozen(class_):
    """No attribute can be set, changed or deleted."""
    value = class_()

    for name in ALL[class_]:
        with pytest.raises(FrozenInstanceError):
            setattr(value, name, "x")
        with pytest.raises(FrozenInstanceError):
            delattr(value, name)
    with pytest.raises((FrozenInstanceError, AttributeError)):
        value.unknown = 1


@every_class
def test_instances_are_always_truthy(class_):
    """A failed or empty result is true all the same; `success` is what to ask."""
    assert bool(class_()) is True
    assert not hasattr(class_, "__len__")


@every_class
def test_repr_shows_everything_but_the_token(class_):
    """A repr names the class and its values, secrets left out."""
    shown = repr(class_(**ALL[class_]))

    assert shown.startswith(f"{class_.__name__}(")
    assert "exception" not in shown
    assert "tk-secret" not in shown
    for name, value in ALL[class_].items():
        assert (f"{name}={value!r}" in shown) is (name not in ("token", "url"))


@every_class
@pytest.mark.parametrize("protocol", range(2, pickle.HIGHEST_PROTOCOL + 1))
def test_instances_survive_pickling_and_copying(class_, protocol):
    """A value that was pickled or copied is equal to the one it was made from."""
    value = class_(**ALL[class_])

    assert pickle.loads(pickle.dumps(value, protocol)) == value
    assert copy.copy(value) == copy.deepcopy(value) == value
    assert evolve(value) == value


@every_class
def test_public_name_is_that_of_the_package(class_):
    """Public classes show `agb` as their module."""
    assert class_.__module__ == "agb"


@every_result
def test_every_result_is_an_api_response(class_):
    """Every result has the request id, by attribute and by method."""
    result = class_("r-1")

    assert issubclass(class_, Result)
    assert issubclass(class_, ApiResponse)
    assert result.request_id == result.get_request_id() == "r-1"


@every_result
def test_defaults_are_a_failure_without_a_reason(class_):
    """Texts default to `""`, `success` to False (to True for the rich code result).

    The message of the results of `agb.context` defaults to None, as documented.
    """
    result = class_()

    no_message = None if class_ in WITHOUT_MESSAGE else ""
    assert (result.request_id, result.error_message, result.exception) == ("", no_message, None)
    assert result.success is (class_.__name__ == "EnhancedCodeExecutionResult")


@every_result
def test_exception_is_keyword_only_and_neither_compared_nor_shown(class_):
    """The typed error is a keyword, and does not count for equality or the repr."""
    parameter = signature(class_).parameters["exception"]
    one, other = class_(exception=AGBError("one")), class_(exception=AGBError("other"))

    assert parameter.kind is Parameter.KEYWORD_ONLY
    assert one == other == class_()
    assert repr(one) == repr(class_())


@every_result
def test_failed_result_is_made_from_its_error(class_):
    """`failed` takes message, request id and the error itself; the payload is empty."""
    error = APIError("why", 500, request_id="r", code="c")

    result = class_.failed(error)

    assert (result.success, result.error_message, result.request_id) == (False, "why", "r")
    assert result.exception is error
    assert not getattr(result, PAYLOADS.get(class_, ""), None)


@every_result
def test_raise_for_error_returns_a_success_and_raises_a_failure(class_):
    """`raise_for_error` gives the result itself, or raises its typed error."""
    error = CommandError("why")
    success = class_(success=True)

    assert success.raise_for_error() is success
    with pytest.raises(CommandError) as caught:
        class_.failed(error).raise_for_error()
    assert caught.value is error


@every_result
def test_failure_without_a_typed_error_raises_the_base_error(class_):
    """A failed result that was made by hand raises its message as an `AGBError`."""
    result = class_(request_id="r", success=False, error_message="why")

    with pytest.raises(AGBError, match=r"^why$") as caught:
        result.raise_for_error()

    assert type(caught.value) is AGBError
    assert caught.value.request_id == "r"


@pytest.mark.parametrize(("class_", "payload"), PAYLOADS.items())
def test_unwrap_gives_the_payload_or_raises(class_, payload):
    """`unwrap` gives the payload of a success, and raises the error of a failure."""
    result = class_(**RESULTS[class_])

    assert result.unwrap() == RESULTS[class_][payload]
    with pytest.raises(AGBError, match=r"^why$"):
        class_.failed(AGBError("why")).unwrap()


def test_unwrap_of_a_deletion_gives_nothing():
    """A deletion has no payload: its `unwrap` is None, or raises."""
    assert DeleteResult(success=True).unwrap() is None
    with pytest.raises(AGBError, match=r"^why$"):
        DeleteResult.failed(AGBError("why")).unwrap()


@pytest.mark.parametrize(("class_", "empty"), EMPTY_PAYLOADS.items())
def test_payload_none_is_the_empty_one(class_, empty):
    """A payload given as None, or left out, is an empty one of its type."""
    payload = PAYLOADS[class_]

    for result in (class_("r", True, None), class_(**{payload: None}), class_()):
        assert getattr(result, payload) == empty
        assert type(getattr(result, payload)) is type(empty)


@every_result
def test_default_payloads_are_not_shared(class_):
    """Each instance has lists and dicts of its own."""
    one, other = class_(), class_()

    for name in RESULTS[class_]:
        if isinstance(getattr(one, name), (list, dict)):
            assert getattr(one, name) is not getattr(other, name)


@every_result
def test_failed_result_survives_pickling_with_its_error(class_):
    """A failed result that was pickled still raises its typed error."""
    error = APIError("why", 500, request_id="r", code="c")

    result = pickle.loads(pickle.dumps(class_.failed(error)))

    assert result == class_.failed(error)
    assert type(result.exception) is APIError
    assert result.exception.__dict__ == error.__dict__


def test_failed_raw_session_keeps_status_and_code():
    """The raw form of a failed `get` has the status and the code of the reply."""
    failed = GetSessionResult.failed(APIError("why", 400, code="c"))
    unsent = GetSessionResult.failed(AGBError("why"))

    assert (failed.http_status_code, failed.code) == (400, "c")
    assert (unsent.http_status_code, unsent.code) == (0, "")


def test_results_may_be_parametrised():
    """`SessionResult[X]` and `OperationResult[X]` are the same run-time classes."""
    for class_ in (class_ for class_ in RESULTS if hasattr(class_, "__class_getitem__")):
        assert class_[int](request_id="r") == class_(request_id="r")


def test_second_name_of_the_bool_result():
    """`FileSystemBoolResult` is an alias of `BoolResult`."""
    assert FileSystemBoolResult is BoolResult
