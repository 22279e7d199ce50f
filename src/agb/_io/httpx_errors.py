"""Foreign errors, translated once: what an error of httpx means for a call."""

from __future__ import annotations

import ssl

import httpx

from agb._core.exceptions import AGBError, APIConnectionError, APIError, APITimeoutError
from agb._core.transfers import stores
from agb._core.wire import retry
from agb._core.wire.call import Call

# No byte of the request left: it waited for a connection, or there was none.
_NOT_DELIVERED = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout)
# Nothing left either, and nothing will: the request or a setting has to change.
_NOT_DELIVERABLE = (httpx.ProxyError, httpx.LocalProtocolError, httpx.UnsupportedProtocol)


def translated(
    call: Call, url: str, seconds: float, error: httpx.HTTPError | TimeoutError
) -> AGBError:
    """Make the one error of this package that says what went wrong with a request.

    Args:
        call: What was asked.
        url: Where.
        seconds: How long the attempt was allowed to take.
        error: What httpx raised, or that the time was over.

    Returns:
        The error to raise.
    """
    what = f"{call.method} {call.path} at {url}"
    cause = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
    was_sent = not isinstance(error, _NOT_DELIVERED + _NOT_DELIVERABLE)
    is_of_network = isinstance(error, (httpx.TransportError, TimeoutError))
    is_final = isinstance(error, _NOT_DELIVERABLE) or _is_about_tls(error)
    facts = retry.judge_lost(call, was_sent=was_sent, may_pass=is_of_network and not is_final)
    if isinstance(error, (httpx.TimeoutException, TimeoutError)):
        return APITimeoutError(f"{what} got no reply in time: {seconds:g} s ({cause})", **facts)
    if is_of_network:
        return APIConnectionError(
            f"{what} failed ({cause}); check that the endpoint is up", **facts
        )
    return APIError(f"{what} failed ({cause})", **facts)


def translated_store(method: str, url: str, seconds: float, error: Exception) -> APIError:
    """Make the one error of this package that says what went wrong with a file and its store.

    Args:
        method: What was done.
        url: The address; only its host is shown, for the rest is a key.
        seconds: How long each wait for the network was allowed to take.
        error: What httpx raised, or that the time was over.

    Returns:
        The error to raise. It may pass, unless the address or a setting has to change.
    """
    what = f"{method} at the file store {stores.host(url)}"
    if isinstance(error, httpx.HTTPError):
        without_request(error)
    if isinstance(error, (httpx.TimeoutException, TimeoutError)):
        return APITimeoutError(f"{what}: nothing for {seconds:g} s", retryable=True)
    if isinstance(error, httpx.TransportError):
        is_final = isinstance(error, _NOT_DELIVERABLE) or _is_about_tls(error)
        cause = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
        return APIConnectionError(f"{what} failed ({cause})", retryable=not is_final)
    return APIError(f"{what} failed ({type(error).__name__})")


def without_request(error: httpx.HTTPError | TimeoutError) -> Exception:
    """Take the request, whose headers carry the API key, out of an error that will be kept."""
    if isinstance(error, httpx.HTTPError):
        error._request = None  # httpx has no public way
    return error


def _is_about_tls(error: BaseException | None) -> bool:
    """Tell whether an error comes from a certificate or a TLS version that does not fit."""
    while error is not None and not isinstance(error, ssl.SSLError):
        error = error.__cause__ or error.__context__
    return error is not None
