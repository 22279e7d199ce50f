"""Files on their way between this machine and the store behind a pre-signed address."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from .._core.transfers import stores
from .._core.transfers.stores import StoreReply
from .._io.local_files import BLOCK_BYTES, IncomingFile, OutgoingFile
from .._pair.threads import run_in_thread
from .store_exchange import Exchange, Progress, abandon, head, whole

if TYPE_CHECKING:
    import httpx

    from .client import Client
    from .store_body import Body


class Source(Exchange):
    """A file that is sent to a store.

    Args:
        client: The client that sends it.
        progress: Called with the bytes sent so far, None for nobody.
    """

    def __init__(self, client: Client, progress: Progress | None) -> None:
        self._outgoing = OutgoingFile()
        self._began = 0.0
        super().__init__(client, self._outgoing, progress)

    def open(self, path: str) -> int:
        """Open it and return its size."""
        return run_in_thread(self._outgoing.open, path)

    def put(self, url: str, content_type: str | None) -> StoreReply:
        """Send it once, whole, and return what the store says."""
        return self._exchanged("PUT", url, lambda: self._put(url, content_type))

    def _put(self, url: str, content_type: str | None) -> StoreReply:
        headers = {"Content-Length": str(self._outgoing.size)}
        if content_type is not None:
            headers["Content-Type"] = content_type
        return whole(self._request("PUT", url, headers, self._body))

    def _body(self) -> Body:
        """Return the file as a body, from its first byte."""
        from .store_body import new_body

        self._began = 0.0
        return new_body(self._next_block)

    def _next_block(self) -> bytes:
        if not self._began:
            self._began = time.monotonic()
            run_in_thread(self._outgoing.restart)
        self._check_pace(self._began)
        self._notify()
        return run_in_thread(self._outgoing.read)


class Target(Exchange):
    """A file that is received from a store.

    Args:
        client: The client that asks for it.
        progress: Called with the bytes received so far, None for nobody.
        overwrite: Whether it may replace a file that is there.
    """

    def __init__(self, client: Client, progress: Progress | None, *, overwrite: bool) -> None:
        self._incoming = IncomingFile(overwrite=overwrite)
        self._etag = ""
        super().__init__(client, self._incoming, progress)

    @property
    def received(self) -> int:
        """How much has come, in bytes."""
        return self._incoming.passed

    def open(self, path: str) -> None:
        """Make the file beside its place."""
        run_in_thread(self._incoming.open, path)

    def get(self, url: str) -> StoreReply:
        """Receive what is missing, or all of it if the store has something else by now."""
        return self._exchanged("GET", url, lambda: self._get(url))

    def _get(self, url: str) -> StoreReply:
        headers: dict[str, str] = {}
        if self.received and stores.can_resume(self._etag):
            headers = {"Range": f"bytes={self.received}-", "If-Range": self._etag}
        response = self._request("GET", url, headers)
        try:
            return self._receive(url, response)
        finally:
            response.close()

    def commit(self) -> None:
        """Let it take its place."""
        run_in_thread(self._incoming.commit)

    def _receive(self, url: str, response: httpx.Response) -> StoreReply:
        import httpx

        reply = head(response)
        if not response.is_success:
            reply = whole(response)
        if not stores.offset_of_body(url, reply, self.received):
            run_in_thread(self._incoming.restart)
        self._etag = reply.etag
        began = time.monotonic()
        self._notify()
        block = bytearray()
        pieces = response.iter_raw()
        try:
            for piece in pieces:
                block += piece
                self._check_pace(began)
                if len(block) >= BLOCK_BYTES:
                    self._keep(block)
        except httpx.HTTPError:
            # What has come need not come again.
            self._keep(block)
            raise
        except BaseException:
            abandon(response, pieces)
            raise
        self._keep(block)
        return reply

    def _keep(self, block: bytearray) -> None:
        if block:
            run_in_thread(self._incoming.write, bytes(block))
            block.clear()
            self._notify()
