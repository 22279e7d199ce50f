"""Where the service is, how long to wait, and the key to it: the one reader of the environment."""

from __future__ import annotations

import os
from types import NoneType
from urllib.parse import urlsplit

from attrs import define, field

from agb._core.arguments import LARGEST_NUMBER, whole_number
from agb._core.exceptions import InvalidArgumentError

DEFAULT_ENDPOINT = "sdk-api.agb.cloud"
DEFAULT_TIMEOUT_MS = 60_000
LOCAL = "local"
BROWSER_DATA_PATH = "/tmp/agb_browser_data"  # noqa: S108  (a documented constant, not a file of ours)


def environment_setting(name: str) -> str | None:
    """Read one setting: the process environment first, then `.env` in the working directory.

    `.env` is read without touching `os.environ`, so that it leaks into no child process.
    """
    value = os.environ.get(name)
    if value is None and os.path.isfile(".env"):
        from dotenv import dotenv_values

        value = dotenv_values(".env", interpolate=False).get(name)
    return value or None


def _default_endpoint() -> str:
    return environment_setting("AGB_ENDPOINT") or DEFAULT_ENDPOINT


def _check_endpoint(instance: object, attribute: object, endpoint: object) -> None:
    if not isinstance(endpoint, str) or not endpoint.strip():
        raise InvalidArgumentError(
            f"endpoint must be a host name, a URL or 'local' (found {endpoint!r})"
        )
    if endpoint != LOCAL:
        base_url(endpoint)


def _check_timeout_ms(instance: object, attribute: object, timeout_ms: object) -> None:
    whole_number("timeout_ms", timeout_ms, at_least=1, unit=" of milliseconds")


@define
class Config:
    """Say where the service is and how long to wait for it.

    Args:
        endpoint: Host name or URL of the service; `https://` is put in front where there is no
            scheme. The word `local` means the embedded server. Left out: `AGB_ENDPOINT` from
            the environment or from `.env` in the working directory, else `sdk-api.agb.cloud`.
        timeout_ms: How long one request may take, in milliseconds; an operation with a longer
            limit of its own gets that. Left out: 60000.

    Raises:
        InvalidArgumentError: If a value can't be used.

    Example:
        >>> from agb import Config
        >>> Config(endpoint="local", timeout_ms=30_000)
        Config(endpoint='local', timeout_ms=30000)
    """

    __module__ = "agb"

    endpoint: str = field(factory=_default_endpoint, validator=_check_endpoint)
    timeout_ms: int = field(default=DEFAULT_TIMEOUT_MS, validator=_check_timeout_ms)


def default_config() -> Config:
    """Return the built-in settings, whatever the environment says.

    Returns:
        A new `Config`.
    """
    return Config(endpoint=DEFAULT_ENDPOINT, timeout_ms=DEFAULT_TIMEOUT_MS)


def load_config(cfg: Config | None = None) -> Config:
    """Return the settings to use.

    Args:
        cfg: Returned as it is if given; the environment is then not read.

    Returns:
        `cfg`, or the built-in settings with `AGB_ENDPOINT` and `AGB_TIMEOUT_MS` applied. A `.env`
        file in the working directory counts where the variable itself is not set.

    Raises:
        InvalidArgumentError: If `AGB_TIMEOUT_MS` is no positive integer.
    """
    if cfg is not None:
        return cfg
    timeout_ms = environment_setting("AGB_TIMEOUT_MS")
    if timeout_ms is None:
        return Config()
    if not timeout_ms.isdecimal() or len(timeout_ms) > len(str(LARGEST_NUMBER)):
        raise InvalidArgumentError(
            "AGB_TIMEOUT_MS must be a positive integer of milliseconds"
            f" (found {timeout_ms[:100]!r})"
        )
    return Config(timeout_ms=int(timeout_ms))


def load_api_key(api_key: str, endpoint: str) -> str:
    """Return the API key to use: the argument, else `AGB_API_KEY`.

    Args:
        api_key: What the caller passed; blanks around it are dropped.
        endpoint: The endpoint in use; `local` needs no key and reads none.

    Returns:
        The key, `""` where the embedded server is used without one.

    Raises:
        InvalidArgumentError: If there is no key, or if it can't be sent in a header. The message
            never shows the key.
    """
    if not isinstance(api_key, (str, NoneType)):  # pyright: ignore[reportUnnecessaryIsInstance]
        raise InvalidArgumentError(f"api_key must be a str (found {type(api_key).__name__})")
    # Programs pass `os.getenv(...)`, so None is a key left out.
    key = (api_key or "").strip()
    if endpoint == LOCAL:
        return key
    key = key or (environment_setting("AGB_API_KEY") or "").strip()
    if not key:
        raise InvalidArgumentError(
            "API key is required: pass api_key=..., set AGB_API_KEY, or use AGB_ENDPOINT=local"
            " for the embedded sandbox, which needs none"
        )
    if not (key.isascii() and key.isprintable()):
        raise InvalidArgumentError("The API key has characters that an HTTP header can't carry")
    return key


def base_url(endpoint: str) -> str:
    """Return the URL in front of every path of the service.

    Args:
        endpoint: Host name or URL.

    Returns:
        The URL without a slash at its end; `https://` where no scheme was given.

    Raises:
        InvalidArgumentError: If the endpoint is no host name and no HTTP URL.
    """
    text = endpoint.strip()
    url = (text if text.startswith(("http://", "https://")) else f"https://{text}").rstrip("/")
    try:
        parts = urlsplit(url)
        usable = bool(parts.hostname) and (parts.port is None or parts.port > 0)
        # A path goes behind it, and what stands in it is shown: no query, and no password.
        usable = usable and not set("?#@") & set(url)
    except ValueError:
        usable = False
    if not usable or "://" in url.partition("://")[2] or " " in url or not url.isprintable():
        raise InvalidArgumentError(
            "endpoint must be a host name or an http(s) URL without user, query or fragment, or"
            f" 'local' (found {endpoint.rpartition('@')[2]!r})"
        )
    return url
