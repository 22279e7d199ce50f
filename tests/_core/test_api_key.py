"""Where the API key comes from, and that it goes nowhere else."""

import os

import pytest

from agb._core.config import load_api_key
from agb._core.exceptions import InvalidArgumentError

HOST = "sdk-api.agb.cloud"
SECRET = "ako-do-not-show"


@pytest.mark.parametrize(
    ("argument", "variable", "dotenv", "expected"),
    [
        ("a", "b", "c", "a"),
        ("", "b", "c", "b"),
        ("  ", "b", "c", "b"),
        (None, "b", "c", "b"),
        ("", None, "c", "c"),
        ("", None, "c${PATH}", "c${PATH}"),
        (" a\n", None, None, "a"),
        ("", " b\n", None, "b"),
    ],
)
def test_key_is_the_argument_else_the_variable_else_dotenv(
    bare_environment, tmp_path, argument, variable, dotenv, expected
):
    """The argument wins over `AGB_API_KEY`, which wins over `.env`, at the very first use."""
    if variable is not None:
        bare_environment.setenv("AGB_API_KEY", variable)
    if dotenv is not None:
        (tmp_path / ".env").write_text(f"AGB_API_KEY={dotenv}\n")
    before = dict(os.environ)

    key = load_api_key(argument, HOST)

    assert key == expected
    assert dict(os.environ) == before


@pytest.mark.parametrize("argument", ["", "  ", None])
@pytest.mark.parametrize("variable", [None, "", "  "])
def test_no_key_is_a_value_error(bare_environment, argument, variable):
    """Without a key there is a `ValueError` that says one is required and names the variable."""
    if variable is not None:
        bare_environment.setenv("AGB_API_KEY", variable)

    with pytest.raises(ValueError, match="API key is required") as caught:
        load_api_key(argument, HOST)

    assert isinstance(caught.value, InvalidArgumentError)
    assert "AGB_API_KEY" in str(caught.value)


def test_a_variable_set_to_nothing_is_not_overridden_by_dotenv(bare_environment, tmp_path):
    """A variable that is set to nothing is set: `.env` does not count."""
    bare_environment.setenv("AGB_API_KEY", "")
    (tmp_path / ".env").write_text(f"AGB_API_KEY={SECRET}\n")

    with pytest.raises(ValueError, match="API key is required"):
        load_api_key("", HOST)


@pytest.mark.parametrize(("argument", "expected"), [("", ""), (None, ""), ("mine", "mine")])
def test_the_embedded_server_needs_no_key(bare_environment, argument, expected):
    """With endpoint `local` the key is what the caller passed, and none is looked up."""
    bare_environment.setenv("AGB_API_KEY", "not mine")

    assert load_api_key(argument, "local") == expected


@pytest.mark.parametrize(
    "key",
    [
        f"{SECRET}\n{SECRET}",
        f"{SECRET}\0",
        f"{SECRET}é",
        f"{SECRET}\ud800",
        SECRET.encode(),
        [SECRET],
        {SECRET: SECRET},
    ],
)
@pytest.mark.usefixtures("bare_environment")
def test_no_message_shows_the_key(key):
    """A key that can't be used is refused without being shown."""
    with pytest.raises(InvalidArgumentError) as caught:
        load_api_key(key, HOST)

    assert SECRET not in str(caught.value)
    assert SECRET not in repr(caught.value)
