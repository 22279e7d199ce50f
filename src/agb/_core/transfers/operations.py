"""Moving whole files between this machine and a session, by way of a store.

Up: a file goes to an address of the session's transfer context, and a sync brings it into the
session. Down: a sync brings it out, and it is read from an address. Steps that touch the file or
the store are done by a `Source` or a `Target` of the colour that runs the operation.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

from attrs import evolve

from agb._core import arguments
from agb._core.contexts import context_calls
from agb._core.exceptions import AGBError, APIError, InvalidArgumentError
from agb._core.transfers import stores
from agb._core.transfers.ends import Source, Target
from agb._core.transfers.results import DownloadResult, UploadResult
from agb._core.transfers.stores import StoreReply
from agb._core.transfers.sync import TransferSync, Waiting
from agb._core.wire.call import Call
from agb._core.wire.operation import Pause, Steps, perform, send
from agb._core.wire.replies import objects, text

if TYPE_CHECKING:
    from typing import TypeGuard

T = TypeVar("T")

CONTEXT_TYPE = "file_transfer"

_FIRST_PAUSE_S, _LONGEST_PAUSE_S, _LONGEST_WISH_S = 0.1, 2.0, 30.0
# After so much more of a file, a broken line has earned its tries anew.
_PROGRESS_BYTES = 1 << 20


def transfer_path(session_id: str) -> Steps[str | None]:
    """Ask which directory of a session is meant for transfers; None if it does not say."""
    try:
        context = yield from _context(session_id)
    except AGBError:
        return None
    return text(context.get("contextPath")) or None


def upload(
    session_id: str,
    source: Source,
    local_path: object,
    remote_path: str,
    content_type: str | None,
    waiting: Waiting,
    tries: int,
) -> Steps[UploadResult]:
    """Bring a file into a session."""
    result = UploadResult(path=_shown(remote_path))
    try:
        path = _remote_path(remote_path)
        if content_type is not None:
            _header("content_type", content_type)
        waiting.check()
        size: int = yield from perform(partial(source.open, _local_path(local_path)))
        context_id = yield from _context_id(session_id)
        url, request_id = yield from _address(context_calls.file_upload_url(context_id, path))
        result = evolve(result, request_id_upload_url=request_id)
        try:
            reply = yield from _repeated(partial(_put, source, url, content_type), tries)
        except AGBError as error:
            result = evolve(result, http_status=error.status_code)
            raise
        result = evolve(result, http_status=reply.status, etag=reply.etag or None)
        stores.check_same(url, reply, source.md5)
        result = evolve(result, bytes_sent=size)
        sync = TransferSync(session_id, context_id, path, "download", waiting, source)
        result = evolve(result, request_id_sync=(yield from sync.begin()))
        yield from sync.wait()
    except AGBError as error:
        return evolve(result, error_message=str(error), exception=error)
    return evolve(result, success=True)


def download(
    session_id: str,
    target: Target,
    remote_path: str,
    local_path: object,
    waiting: Waiting,
    tries: int,
) -> Steps[DownloadResult]:
    """Bring a file out of a session."""
    result = DownloadResult(path=_shown(remote_path), local_path=_shown(local_path))
    try:
        path = _remote_path(remote_path)
        waiting.check()
        yield from perform(partial(target.open, _local_path(local_path)))
        context_id = yield from _context_id(session_id)
        sync = TransferSync(session_id, context_id, path, "upload", waiting, target)
        result = evolve(result, request_id_sync=(yield from sync.begin()))
        yield from sync.wait()
        url, request_id = yield from _address(context_calls.file_download_url(context_id, path))
        result = evolve(result, request_id_download_url=request_id)
        try:
            reply = yield from _repeated(
                partial(_get, target, url), tries, lambda: target.received // _PROGRESS_BYTES
            )
        except AGBError as error:
            result = evolve(result, http_status=error.status_code)
            raise
        finally:
            result = evolve(result, bytes_received=target.received)
        result = evolve(result, http_status=reply.status)
        stores.check_received(url, reply, target.received, target.md5)
        yield from perform(target.commit)
    except AGBError as error:
        return evolve(result, error_message=str(error), exception=error)
    return evolve(result, success=True)


def _put(source: Source, url: str, content_type: str | None) -> Steps[StoreReply]:
    reply: StoreReply = yield from perform(partial(source.put, url, content_type))
    stores.check_taken(url, reply)
    return reply


def _get(target: Target, url: str) -> Steps[StoreReply]:
    reply: StoreReply = yield from perform(partial(target.get, url))
    return reply


def _repeated(
    attempt: Callable[[], Steps[T]], tries: int, progress: Callable[[], int] = lambda: 0
) -> Steps[T]:
    """Make attempts until one succeeds; an attempt that brought something has new tries.

    The same content under the same address does no harm twice, and reading none at all.
    """
    left, pause, reached = tries, _FIRST_PAUSE_S, progress()
    while True:
        try:
            return (yield from attempt())
        except APIError as error:
            if progress() > reached:
                left, pause, reached = tries, _FIRST_PAUSE_S, progress()
            wish = error.retry_after or 0.0
            if not error.retryable or not left or wish > _LONGEST_WISH_S:
                raise
            left -= 1
            yield Pause(max(pause, wish))
            pause = min(2 * pause, _LONGEST_PAUSE_S)


def _context(session_id: str) -> Steps[Mapping[str, Any]]:
    reply = yield from send(context_calls.load_internal(session_id, [CONTEXT_TYPE]))
    for context in objects(reply.data):
        if text(context.get("contextType")) == CONTEXT_TYPE and text(context.get("contextId")):
            return context
    raise reply.refused("The service has no context for file transfer of this session")


def _context_id(session_id: str) -> Steps[str]:
    return text((yield from _context(session_id))["contextId"])


def _address(call: Call) -> Steps[tuple[str, str]]:
    reply = yield from send(call)
    url = text(reply.mapping().get("url"))
    if not url:
        raise reply.refused("The reply has no address of the file")
    return url, reply.request_id


def _remote_path(value: object) -> str:
    path = arguments.path("remote_path", value)
    if not path.startswith("/") or path.endswith("/"):
        raise InvalidArgumentError(
            f"remote_path must be the absolute path of a file (found {arguments.shown(path)})"
        )
    return path


def _local_path(value: object) -> str:
    path = os.fspath(value) if _is_path(value) else value
    # Any text will do: a name that is not UTF-8 comes with surrogates from the system itself.
    if not isinstance(path, str) or not path or "\0" in path:
        raise InvalidArgumentError(
            f"local_path must be a str or os.PathLike that names a file"
            f" (found {arguments.shown(value)})"
        )
    return path


def _is_path(value: object) -> TypeGuard[os.PathLike[str]]:
    return isinstance(value, os.PathLike)


def _header(name: str, value: object) -> str:
    """Check that a value can be that of a header."""
    checked = arguments.filled_text(name, value)
    if not (checked.isascii() and checked.isprintable()):
        raise InvalidArgumentError(f"{name} must be printable ASCII (found {checked!r:.100})")
    return checked


def _shown(value: object) -> str:
    return value if isinstance(value, str) else os.fspath(value) if _is_path(value) else ""
