"""Every error of the package."""

import copy
import pickle

import pytest

from agb._core import exceptions, unraised_exceptions
from agb._core.exceptions import (
    AGBError,
    APIConnectionError,
    APIError,
    APITimeoutError,
    AuthenticationError,
    CommandError,
    CommandTimeoutError,
    FileError,
    InvalidArgumentError,
    LabelValidationError,
    LocalServerError,
    SessionError,
    SessionNotFoundError,
    UnsupportedError,
)
from agb._core.unraised_exceptions import (
    ApplicationError,
    BrowserError,
    ClearanceTimeoutError,
    ScreenError,
)

# Class → documented default message; None where the API documents none.
DEFAULTS = {
    AGBError: "AGBError",
    AuthenticationError: "Authentication failed",
    APIError: "API error",
    FileError: "File operation error",
    CommandError: "Command execution error",
    SessionError: "Session error",
    ApplicationError: "Application operation error",
    BrowserError: "Browser operation error",
    ClearanceTimeoutError: "Clearance task timed out",
    ScreenError: "Screen operation error",
    InvalidArgumentError: None,
    LabelValidationError: None,
    APIConnectionError: None,
    APITimeoutError: None,
    SessionNotFoundError: None,
    LocalServerError: None,
    CommandTimeoutError: None,
    UnsupportedError: None,
}
# Class → its bases below AGBError, as documented; all others are direct subclasses.
PARENTS = {
    InvalidArgumentError: (AGBError, ValueError),
    LabelValidationError: (InvalidArgumentError,),
    APIConnectionError: (APIError,),
    APITimeoutError: (APIError,),
    SessionNotFoundError: (SessionError,),
    CommandTimeoutError: (CommandError,),
}
every_error = pytest.mark.parametrize("class_", DEFAULTS, ids=lambda class_: class_.__name__)


def test_table_names_every_error():
    """No error is left out of these tests, nor of the tree where they are defined."""
    defined = {
        value
        for module in (exceptions, unraised_exceptions)
        for value in vars(module).values()
        if isinstance(value, type) and issubclass(value, Exception)
    }

    assert defined == set(DEFAULTS)
    assert all(f" {class_.__name__}" in f" {exceptions.__doc__}" for class_ in defined - {AGBError})


@every_error
def test_default_message_is_the_documented_one(class_):
    """Without a message, and with None or `""`, an error has a readable text of its own."""
    for error in (class_(), class_(None), class_("")):
        assert str(error) == error.message
        assert error.message == (DEFAULTS[class_] or error.message)
        assert error.message.strip()


@every_error
def test_errors_have_their_documented_bases(class_):
    """The tree of errors is the documented one; wrong arguments are `ValueError`s as well."""
    if class_ is not AGBError:
        assert class_.__bases__ == PARENTS.get(class_, (AGBError,))
    assert issubclass(class_, Exception)
    assert issubclass(class_, ValueError) is issubclass(class_, InvalidArgumentError)


@every_error
def test_message_and_facts_are_kept(class_):
    """Keyword arguments end up in `extra`; status, code and request id are attributes too."""
    error = class_("text", code="c", request_id="r", hint=[1])

    assert str(error) == error.message == "text"
    assert error.args == ("text",)
    assert error.extra == {"code": "c", "request_id": "r", "hint": [1]}
    assert (error.code, error.request_id) == ("c", "r")


@every_error
def test_facts_are_empty_if_none_are_given(class_):
    """Without facts there are none."""
    error = class_("text")

    assert error.extra == {}
    assert (error.status_code, error.code, error.request_id) == (None, "", "")


@every_error
def test_status_code_is_a_keyword_of_every_error(class_):
    """Any error may carry the HTTP status of its reply."""
    assert class_("text", status_code=500).status_code == 500


@pytest.mark.parametrize("class_", [APIError, APIConnectionError, APITimeoutError])
def test_status_code_is_the_second_positional_of_an_api_error(class_):
    """`APIError(message, status_code)` takes both by position."""
    error = class_("text", 503)

    assert (error.message, error.status_code) == ("text", 503)
    assert class_().status_code is None


def test_further_positional_values_are_kept():
    """`AGBError(message, *args)` keeps its further values, and shows the message alone."""
    error = AGBError("text", 1, "two", hint="x")

    assert error.args == ("text", 1, "two")
    assert str(error) == "text"
    assert error.extra == {"hint": "x"}


def test_error_of_a_program_is_called_by_its_class():
    """A subclass without a text of its own is named by its class."""

    class OwnError(AGBError):
        pass

    assert str(OwnError()) == "OwnError"


@every_error
def test_errors_survive_pickling_and_copying(class_):
    """An error that was pickled or copied has its type, text and facts."""
    error = class_("text", status_code=400, code="c", request_id="r", hint=[1])

    for twin in (pickle.loads(pickle.dumps(error)), copy.copy(error), copy.deepcopy(error)):
        assert type(twin) is class_
        assert str(twin) == "text"
        assert twin.args == error.args
        assert twin.__dict__ == error.__dict__


def test_further_positional_values_survive_pickling():
    """An error with further values comes back with them."""
    assert pickle.loads(pickle.dumps(AGBError("text", 1, hint="x"))).args == ("text", 1)


@every_error
def test_public_name_is_that_of_the_package(class_):
    """Errors show `agb` as their module in a traceback."""
    assert class_.__module__ == "agb"
