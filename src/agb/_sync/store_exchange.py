"""Requests to the store behind a pre-signed address, one way or the other."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from types import TracebackType
from typing import TYPE_CHECKING

from .._core.exceptions import AGBError, APIError, APITimeoutError
from .._core.transfers import stores
from .._core.transfers.stores import StoreReply
from .._core.version import __version__
from .._io import tracing
from .._io.local_files import IncomingFile, OutgoingFile
from .._io.secret_addresses import secret_address
from .._pair.callbacks import notify
from .._pair.shielding import shielded
from .._pair.threads import run_in_thread

if TYPE_CHECKING:
    import httpx
    from typing_extensions import Self

    from .client import Client
    from .store_body import Body

Progress = Callable[[int], object]

_CLEANING_S = 30.0

_logger = logging.getLogger("agb")


class _CallbackFailed(Exception):
    """Carries an error of the program past all that translates or repeats errors of ours."""


class Exchange:
    """What both ways have in common: requests to a store, and the callback of the program.

    Used in `with`: leaving it closes the file, and raises what the callback raised.
    """

    def __init__(
        self, client: Client, file: OutgoingFile | IncomingFile, progress: Progress | None
    ) -> None:
        self._client = client
        self._file = file
        self._progress = progress
        self._raised: Exception | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        with shielded(_CLEANING_S):
            run_in_thread(self._file.close)
        if self._raised is not None:
            raise self._raised from None

    @property
    def md5(self) -> str:
        """The checksum of what has passed."""
        return self._file.md5

    def now(self) -> float:
        """Return seconds of a clock that only goes forward."""
        return time.monotonic()

    def _notify(self) -> None:
        try:
            notify(self._progress, self._file.passed)
        except Exception as error:
            self._raised = error
            raise _CallbackFailed from error

    def _request(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str],
        body: Callable[[], Body] | None = None,
    ) -> httpx.Response:
        """Send a request, where the store sends us too; the reply is still to be read.

        Built without the client's own defaults: no key, no cookie and no account of this client
        is the store's business.
        """
        import httpx

        client = self._client._for_stores()
        limit = self._client._timeout_s
        for _ in range(stores.MOST_REDIRECTS + 1):
            request = httpx.Request(
                method,
                url,
                headers={
                    "Host": httpx.URL(url).netloc.decode(),
                    "Accept": "*/*",
                    "Accept-Encoding": "identity",
                    "User-Agent": f"agb-python/{__version__}",
                    **headers,
                },
                stream=body() if body else None,
                extensions={"timeout": httpx.Timeout(limit).as_dict()},
            )
            with secret_address():
                response = client.send(request, stream=True, auth=None, follow_redirects=False)
            target = stores.redirect(url, head(response))
            if target is None:
                return response
            response.close()
            url = target
        raise APIError(f"The file store at {stores.host(url)} redirects without end")

    def _check_pace(self, began: float) -> None:
        """Give up a store that sends or takes a byte now and then: no time-out would ever end."""
        spent_s = time.monotonic() - began
        if spent_s > stores.allowance_s(self._client._timeout_s, self._file.passed):
            raise APITimeoutError(
                f"The file store is too slow: {self._file.passed} bytes in {spent_s:.0f} s"
            )

    def _exchanged(self, method: str, url: str, exchange: Callable[[], StoreReply]) -> StoreReply:
        """Exchange a request for its reply, and tell how that ended.

        Of the address only the host is told: whoever has all of it has the file.
        """
        import httpx

        from .._io.httpx_errors import translated_store

        began = time.monotonic()
        where, outcome = stores.host(url), "left"
        with tracing.span(f"file {method}", method, host=where) as span:
            try:
                reply = exchange()
                outcome = f"HTTP {reply.status}"
                tracing.describe(span, status_code=reply.status)
            except (httpx.HTTPError, httpx.InvalidURL, TimeoutError, AGBError) as error:
                outcome = type(error).__name__
                tracing.describe(span, error=error)
                if isinstance(error, AGBError):
                    raise
                raise translated_store(method, url, self._client._timeout_s, error) from error
            finally:
                _logger.debug(
                    "%s of a file at %s: %s, %d bytes, %.0f ms",
                    method,
                    where,
                    outcome,
                    self._file.passed,
                    (time.monotonic() - began) * 1000,
                )
        return reply


def head(response: httpx.Response) -> StoreReply:
    """Return what a reply says before its body."""
    return StoreReply(response.status_code, dict(response.headers))


def whole(response: httpx.Response) -> StoreReply:
    """Read a reply that has no file: as much as says why it is a refusal."""
    excerpt = b""
    pieces = response.iter_raw()
    try:
        for piece in pieces:
            excerpt += piece
            if len(excerpt) > stores.EXCERPT_BYTES:
                abandon(response, pieces)
                break
    finally:
        response.close()
    text = excerpt[: stores.EXCERPT_BYTES].decode(errors="replace")
    return StoreReply(response.status_code, dict(response.headers), text)


def abandon(response: httpx.Response, pieces: Iterator[bytes]) -> None:
    """Close a reply that is not read to its end, and let what reads it come to its own.

    Generators of httpx that are left half way would have to be closed, and nobody does.
    """
    with shielded(_CLEANING_S):
        response.close()
        with suppress(Exception):
            _ = [None for _ in pieces]
