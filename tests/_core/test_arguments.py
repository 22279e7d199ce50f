"""Checks of single values: what passes comes back as it is, the rest is named."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agb._core import arguments
from agb._core.exceptions import InvalidArgumentError

unicode_texts = st.text(st.characters(exclude_categories=["Cs"]))
anything = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.just(10**5000),
    st.floats(),
    st.text(st.characters()),
    st.binary(),
    st.lists(st.text(st.characters())),
    st.dictionaries(st.none() | st.text(st.characters()), st.none() | st.text(st.characters())),
)
CHECKS = {
    "text": arguments.text,
    "filled_text": arguments.filled_text,
    "path": arguments.path,
    "paths": arguments.paths,
    "whole_number": lambda name, value: arguments.whole_number(name, value, at_least=1),
    "seconds": arguments.seconds,
    "environment": arguments.environment,
}


@pytest.mark.parametrize("check", CHECKS.values(), ids=CHECKS)
@given(anything)
def test_any_value_passes_or_is_refused_by_name(check, value):
    """A check returns an equal value, or raises the one error with the argument's name in it."""
    checked, message = value, "the_name"
    try:
        checked = check("the_name", value)
    except InvalidArgumentError as error:
        message = str(error)

    assert checked is value or checked == value
    assert "the_name" in message


@given(unicode_texts)
def test_unicode_is_what_utf8_can_write(value):
    """Text without lone surrogates is Unicode; one lone surrogate spoils it."""
    assert arguments.is_unicode(value)
    assert not arguments.is_unicode(f"{value}\ud800")
    assert arguments.text("x", value) == value


@pytest.mark.parametrize("value", ["", " ", "\n\t", "\u3000", None])
def test_filled_text_refuses_blanks(value):
    """Missing and blank text is required, in these words."""
    with pytest.raises(InvalidArgumentError, match=r"^x is required and cannot be empty$"):
        arguments.filled_text("x", value)


@pytest.mark.parametrize("value", ["a", " a ", "a\0b"])
def test_filled_text_keeps_what_it_is_given(value):
    """Blanks around a text stay."""
    assert arguments.filled_text("x", value) == value


@pytest.mark.parametrize(
    ("value", "phrase"),
    [
        (None, "found None"),
        (5, "found int 5"),
        (True, "found bool True"),
        (b"x", "found bytes b'x'"),
        ("\ud800", "lone surrogate"),
        (["x" * 500], "found list"),
    ],
)
def test_wrong_text_is_described_briefly(value, phrase):
    """The message tells type and value, and does not grow with the value."""
    with pytest.raises(InvalidArgumentError) as caught:
        arguments.text("x", value)

    assert phrase in str(caught.value)
    assert len(str(caught.value)) < 200


def test_wrong_item_of_a_list_is_named_by_its_index():
    """Of several paths the wrong one is named."""
    with pytest.raises(InvalidArgumentError, match=r"^x\[1\] cannot contain a NUL"):
        arguments.paths("x", ["/a", "/\0"])


@pytest.mark.parametrize("value", [1, 2, 2_000_000_000])
def test_whole_number_is_an_int_in_reach(value):
    """Integers from the least to the largest pass."""
    assert arguments.whole_number("x", value, at_least=1) == value


@pytest.mark.parametrize("value", [0, -5, 2_000_000_001, True, 1.0, "1", None, float("nan")])
def test_whole_number_refuses_the_rest(value):
    """What is no integer in reach is refused with both bounds, the unit and the value."""
    with pytest.raises(InvalidArgumentError, match="x must be an integer of ms, at least 1") as e:
        arguments.whole_number("x", value, at_least=1, unit=" of ms")

    assert repr(value) in str(e.value)
    assert "2000000000" in str(e.value)


@pytest.mark.parametrize("value", [1, 0.001, 5e-324, 2_000_000])
def test_seconds_are_positive_numbers_in_reach(value):
    """Positive integers and floats pass."""
    assert arguments.seconds("x", value) == value


@pytest.mark.parametrize("value", [0, 0.0, -1, True, float("inf"), float("nan"), 2e6 + 1, "1"])
def test_seconds_refuse_the_rest(value):
    """What can't be waited for is refused with its value."""
    with pytest.raises(InvalidArgumentError, match="x must be a positive number of seconds"):
        arguments.seconds("x", value)


@pytest.mark.parametrize("value", [10**5000, -(10**5000)], ids=["huge", "minus-huge"])
def test_number_that_python_does_not_print_is_refused_all_the_same(value):
    """An integer too long to be shown is refused, not stumbled over."""
    for check in CHECKS.values():
        with pytest.raises(InvalidArgumentError, match="x must be"):
            check("x", value)


@given(st.dictionaries(st.from_regex("[A-Z_]+", fullmatch=True), st.just("v")))
def test_environment_comes_back_as_a_new_dict(value):
    """An environment is copied."""
    checked = arguments.environment("x", value)

    assert checked == value
    assert checked is not value
