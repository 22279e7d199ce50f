"""What code shows: one result by its formats, in each form in which a service sends it."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agb._core.code import operations as code
from agb._core.code.results import ExecutionResult

from ..scripted import play, tool_text

VEGA = {"mark": "bar"}


def shown(*items):
    text = json.dumps({"result": items, "stdout": ["out"], "stderr": []})
    return play(code.run("s-1", "1", "python", 300), tool_text(text)).result


@pytest.mark.parametrize(
    ("key", "field", "value"),
    [
        ("text/plain", "text", "x"),
        ("text", "text", "x"),
        ("text/html", "html", "<b>"),
        ("html", "html", "<b>"),
        ("text/markdown", "markdown", "*"),
        ("markdown", "markdown", "*"),
        ("image/png", "png", "iVBO"),
        ("png", "png", "iVBO"),
        ("image/jpeg", "jpeg", "/9j/"),
        ("jpeg", "jpeg", "/9j/"),
        ("image/svg+xml", "svg", "<svg/>"),
        ("svg", "svg", "<svg/>"),
        ("application/json", "json", {"a": [1]}),
        ("json", "json", [1]),
        ("text/latex", "latex", "$x$"),
        ("latex", "latex", "$x$"),
        ("application/vnd.vegalite.v4+json", "chart", VEGA),
        ("application/vnd.vegalite.v5+json", "chart", VEGA),
        ("chart", "chart", VEGA),
    ],
)
def test_each_format_is_known_by_mime_type_and_by_short_name(key, field, value):
    """Every documented key of an item is read into its field."""
    assert shown({key: value}).results == [ExecutionResult(**{field: value})]


@pytest.mark.parametrize("key", ["isMainResult", "is_main_result"])
@pytest.mark.parametrize(("value", "expected"), [(True, True), (False, False), ("true", False)])
def test_main_result_is_marked_in_either_casing(key, value, expected):
    """An item is the main result if its mark is JSON true."""
    assert shown({"text": "x", key: value}).results[0].is_main_result is expected


@pytest.mark.parametrize("times", [0, 1, 2, 3])
def test_item_may_be_json_in_json(times):
    """An item may come as an object, as its JSON, or as JSON of that."""
    item = {"text/plain": "42", "isMainResult": True}
    for _ in range(times):
        item = json.dumps(item)

    assert shown(item).results == [ExecutionResult(text="42", is_main_result=True)]


@pytest.mark.parametrize(
    "text",
    ["plain", "", "42", "[1]", "null", '"quoted"', "{'a': 1}", '{"a": 1}', '"{\\"a\\": 1}"', "{}"],
)
def test_item_that_is_plain_text_stays_verbatim(text):
    """A text that is no item in JSON is shown as it is, JSON of the program included."""
    assert shown(text).results == [ExecutionResult(text=text)]


@pytest.mark.parametrize(("item", "text"), [(42, "42"), (None, "null"), ([1], "[1]"), ({}, "{}")])
def test_item_of_another_type_is_shown_as_json(item, text):
    """A bare JSON value is shown as its text."""
    assert shown(item).results == [ExecutionResult(text=text)]


@pytest.mark.parametrize(
    ("value", "expected"),
    [(["a\n", "b"], "a\nb"), ([1, "a"], "a"), (5, "5"), ({"a": 1}, '{"a": 1}'), (None, None)],
)
def test_format_that_is_no_text_becomes_one(value, expected):
    """A text format may come as a list of lines; another value becomes JSON text."""
    assert shown({"html": value, "text": "x"}).results[0].html == expected


def test_mime_type_beats_short_name():
    """If both spellings are there, the MIME type counts."""
    assert shown({"text": "short", "text/plain": "mime"}).results[0].text == "mime"


@pytest.mark.parametrize(
    ("items", "result"),
    [
        ([{"text": "first"}, {"text": "main", "isMainResult": True}], "main"),
        ([{"text": "first"}, {"text": "second"}], "first"),
        ([{"html": "<b>"}, {"text": "second"}], "second"),
        ([{"html": "<b>", "isMainResult": True}], "out"),
        ([], "out"),
    ],
)
def test_result_is_text_of_the_main_result_else_of_the_first_else_stdout(items, result):
    """`.result` is computed from what was shown, else from standard output."""
    assert shown(*items).result == result


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=2)
        | st.dictionaries(st.sampled_from(["text", "png", "isMainResult", "a"]), inner, max_size=3)
    ),
    max_leaves=6,
)


@given(st.lists(json_values | json_values.map(json.dumps), max_size=3))
def test_any_items_can_be_read(items):
    """Whatever is in the list of results, reading it gives one result an item, in text fields."""
    result = shown(*items)

    assert result.success
    assert len(result.results) == len(items)
    assert isinstance(result.result, str)
    assert all(item.text is None or isinstance(item.text, str) for item in result.results)
