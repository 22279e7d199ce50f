"""Where the endpoint and the time-out come from."""

import os

import pytest

from agb._core.config import Config, base_url, default_config, load_config
from agb._core.exceptions import InvalidArgumentError

DEFAULT = Config("sdk-api.agb.cloud", 60_000)


@pytest.mark.usefixtures("bare_environment")
def test_config_defaults_are_the_documented_ones():
    """A `Config` made of nothing names the public service and a minute."""
    config = Config()

    assert (config.endpoint, config.timeout_ms) == ("sdk-api.agb.cloud", 60_000)


@pytest.mark.parametrize(
    ("config", "expected"),
    [
        (Config("host", 5), ("host", 5)),
        (Config(endpoint="host"), ("host", 60_000)),
        (Config("host", timeout_ms=60_001), ("host", 60_001)),
        (Config("local"), ("local", 60_000)),
    ],
)
def test_config_takes_either_argument_in_the_documented_order(config, expected):
    """`Config(endpoint, timeout_ms)`: both may be left out, and 60000 is no maximum."""
    assert (config.endpoint, config.timeout_ms) == expected


def test_config_endpoint_left_out_comes_from_the_environment(bare_environment):
    """An endpoint left out is `AGB_ENDPOINT`; the time-out is not taken from the environment."""
    bare_environment.setenv("AGB_ENDPOINT", "elsewhere")
    bare_environment.setenv("AGB_TIMEOUT_MS", "5")

    config = Config()

    assert config == Config("elsewhere", 60_000)


@pytest.mark.parametrize(
    "timeout_ms",
    [0, -1, True, 1.5, "60000", None, 10**12, pytest.param(-(10**5000), id="unprintable")],
)
def test_config_refuses_a_timeout_that_is_none(timeout_ms):
    """A time-out is a positive `int` of milliseconds that can be waited for."""
    with pytest.raises(InvalidArgumentError, match="timeout_ms must be an integer of milliseconds"):
        Config("host", timeout_ms)


@pytest.mark.parametrize(
    "endpoint",
    [
        None,
        5,
        "",
        "  ",
        "ftp://host",
        "https://",
        "https://host:x",
        "https://host:0",
        "two words",
        "https://ho\nst",
        "ho\0st",
        "ho\ud800st",
        "https://[::1",
        "https://https://a",
        "https://host?query",
        "host#fragment",
        "https://user:secret@host",
    ],
)
def test_config_refuses_an_endpoint_that_is_none(endpoint):
    """An endpoint is a host name or an HTTP URL."""
    with pytest.raises(InvalidArgumentError, match="endpoint must be a host name") as caught:
        Config(endpoint)

    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    ("endpoint", "url"),
    [
        ("sdk-api.agb.cloud", "https://sdk-api.agb.cloud"),
        ("host:8000", "https://host:8000"),
        ("http://127.0.0.1:8000", "http://127.0.0.1:8000"),
        ("https://host/base", "https://host/base"),
        ("https://host/", "https://host"),
        ("host/base//", "https://host/base"),
        ("  host ", "https://host"),
        ("http://[::1]:80", "http://[::1]:80"),
    ],
)
def test_base_url_has_a_scheme_and_no_slash_at_its_end(endpoint, url):
    """`https://` is put in front where there is no scheme; slashes at the end are dropped."""
    assert base_url(endpoint) == url


def test_default_config_ignores_the_environment(bare_environment):
    """`default_config` is the built-in settings, whatever the environment says."""
    bare_environment.setenv("AGB_ENDPOINT", "elsewhere")

    assert default_config() == DEFAULT


def test_load_config_returns_a_given_config_as_it_is(bare_environment):
    """A config that is given comes back as the same object, with no environment applied."""
    bare_environment.setenv("AGB_ENDPOINT", "elsewhere")
    bare_environment.setenv("AGB_TIMEOUT_MS", "no number")
    given = Config("host", 5)

    assert load_config(given) is given
    assert given == Config("host", 5)


@pytest.mark.parametrize(
    ("environment", "dotenv", "expected"),
    [
        ({}, "", DEFAULT),
        ({"AGB_ENDPOINT": "e", "AGB_TIMEOUT_MS": "5"}, "", Config("e", 5)),
        ({"AGB_TIMEOUT_MS": "5"}, "", Config("sdk-api.agb.cloud", 5)),
        ({"AGB_API_ENDPOINT": "e"}, "", DEFAULT),
        ({}, "AGB_ENDPOINT=f\nAGB_TIMEOUT_MS=7\n", Config("f", 7)),
        ({"AGB_ENDPOINT": "e"}, "AGB_ENDPOINT=f\nAGB_TIMEOUT_MS=7\n", Config("e", 7)),
        ({"AGB_ENDPOINT": ""}, "AGB_ENDPOINT=f\n", DEFAULT),
        ({"AGB_TIMEOUT_MS": ""}, "AGB_TIMEOUT_MS=7\n", DEFAULT),
        ({}, "AGB_ENDPOINT=\n", DEFAULT),
    ],
)
def test_load_config_applies_environment_over_dotenv_over_defaults(
    bare_environment, tmp_path, environment, dotenv, expected
):
    """A variable that is set, even to nothing, beats `.env`, which beats the defaults."""
    (tmp_path / ".env").write_text(dotenv)
    for name, value in environment.items():
        bare_environment.setenv(name, value)

    assert load_config() == expected


def test_dotenv_leaks_nothing_into_the_environment(bare_environment, tmp_path):
    """Reading `.env` leaves `os.environ` as it was."""
    (tmp_path / ".env").write_text("AGB_ENDPOINT=f\nAGB_API_KEY=k\nOTHER_VARIABLE=x\n")
    before = dict(os.environ)

    load_config()

    assert dict(os.environ) == before


@pytest.mark.parametrize("value", ["0", "-5", "5.5", "x", " ", "1e3", "9" * 10, "9" * 11])
def test_load_config_refuses_a_timeout_that_is_no_number(bare_environment, value):
    """`AGB_TIMEOUT_MS` that is no positive integer in reach is refused by name."""
    bare_environment.setenv("AGB_TIMEOUT_MS", value)

    with pytest.raises(InvalidArgumentError, match=r"(?i)timeout_ms must be"):
        load_config()


def test_load_config_shows_only_the_beginning_of_what_is_no_number(bare_environment):
    """A value longer than any number does not flood the message."""
    bare_environment.setenv("AGB_TIMEOUT_MS", "9" * 5000)

    with pytest.raises(InvalidArgumentError) as caught:
        load_config()

    assert len(str(caught.value)) < 200


@pytest.mark.parametrize("cfg", ["http://127.0.0.1:8000", {"endpoint": "host"}, 5])
def test_load_config_takes_a_config_only(cfg):
    """A URL or a dict in place of a Config is refused with what to pass instead."""
    with pytest.raises(InvalidArgumentError, match=r"Config\(endpoint=\.\.\.\)"):
        load_config(cfg)
