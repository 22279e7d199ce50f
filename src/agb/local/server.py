"""The server process: opens the sandboxes, listens, and ends with everything it started."""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import logging
import os
import secrets
import socket
import sqlite3
from collections.abc import Callable

import attrs

from .contexts.service import Contexts
from .http.app import create_app
from .http.server import HttpServer
from .life import stop_event
from .sandboxes.sandboxes import Sandboxes
from .sessions.manager import SessionManager
from .sessions.store import Store
from .settings import Settings
from .state.folder import StateFolder

logger: logging.Logger = logging.getLogger(__name__)


class StartError(Exception):
    """Raised when the server can't start; the text is one line that says why."""


@attrs.frozen
class Options:
    """How to run the server.

    Attributes:
        host: Address to listen on.
        port: Port to listen on; 0 takes a free one.
        api_key: The key to ask for; None makes a random one.
        state: Path of the state folder; None keeps nothing.
        owner_fd: A pidfd of the process whose end is the server's end.
        owner_stdin: True if the end of standard input is the server's end.
    """

    host: str = "127.0.0.1"
    port: int = 0
    api_key: str | None = attrs.field(default=None, repr=False)
    state: str | None = None
    owner_fd: int | None = None
    owner_stdin: bool = False

    @property
    def owned(self) -> bool:
        """Whether the server belongs to a process and ends with it."""
        return self.owner_fd is not None or self.owner_stdin


@attrs.frozen
class Ready:
    """What a client needs to know of a server that answers.

    Attributes:
        endpoint: Its base address.
        api_key: The key it asks for.
        pid: Its process.
    """

    endpoint: str
    api_key: str = attrs.field(repr=False)
    pid: int


async def serve(options: Options, settings: Settings, announce: Callable[[Ready], None]) -> None:
    """Serve until a signal comes or the owner ends.

    To be called from the main thread, before there are others: sandboxes end with the thread
    that they come from.

    Args:
        options: How to run.
        settings: The limits.
        announce: Called once, when the server answers.

    Raises:
        StartError: The address can't be listened on, or sessions or contexts can't be kept.
        StateError: The state folder can't be used.
        MachineUnfit: This machine can't run sandboxes.
    """
    with contextlib.ExitStack() as stack:
        listener = stack.enter_context(contextlib.closing(_listen(options.host, options.port)))
        folder = None
        if options.state is not None:
            folder = stack.enter_context(contextlib.closing(StateFolder.open(options.state)))
        store = stack.enter_context(contextlib.closing(_open_store(folder)))
        kept_key = folder.api_key() if folder else secrets.token_urlsafe(32)
        sandboxes = await Sandboxes.start(settings, folder)
        try:
            place = folder.contexts if folder else os.path.join(sandboxes.directory, "contexts")
            contexts = _open_contexts(settings, place)
            sessions = SessionManager(store, sandboxes, contexts, settings)
            await sessions.restore()
            ready = Ready(_endpoint(listener), options.api_key or kept_key, os.getpid())
            app = create_app(sessions, ready.api_key, settings)
            drain_s = 0.0 if options.owned else settings.drain_s

            def on_ready() -> None:
                logger.info("isolation: %s", sandboxes.isolation)
                announce(ready)

            http = HttpServer(app, settings, on_ready=on_ready)
            with stop_event(owner_fd=options.owner_fd, owner_stdin=options.owner_stdin) as stop:
                await _serve_until(stop, http, listener, sessions, drain_s)
        finally:
            await sandboxes.aclose()


async def _serve_until(
    stop: asyncio.Event,
    http: HttpServer,
    listener: socket.socket,
    sessions: SessionManager,
    drain_s: float,
) -> None:
    serving = asyncio.create_task(http.serve(sockets=[listener]))
    stopping = asyncio.create_task(stop.wait())
    await asyncio.wait({serving, stopping}, return_when=asyncio.FIRST_COMPLETED)
    stopping.cancel()
    # Whoever comes now finds nobody here; those who wait for something get it first.
    http.stop_listening()
    if drain_s:
        await sessions.drain(drain_s)
    http.should_exit = True
    # The end of a sandbox ends its calls, each with a reply: nothing has to be cut off.
    await sessions.aclose()
    await serving


def _open_store(folder: StateFolder | None) -> Store:
    if folder is None:
        return Store()
    path = folder.registry()
    try:
        return Store(path)
    except sqlite3.Error as error:
        raise StartError(
            f"The registry of sessions {path} can't be used: {error}. Nothing was changed. "
            "If the disk is full, make room; if the file is damaged, restore it from a copy, "
            f"or move {folder.path} away to begin with an empty one."
        ) from error


def _open_contexts(settings: Settings, directory: str) -> Contexts:
    try:
        return Contexts(settings, directory)
    except (OSError, sqlite3.Error) as error:
        raise StartError(
            f"Contexts can't be kept in {settings.contexts_directory or directory!r}: {error}. "
            "Nothing was changed. If the disk is full, make room; if contexts.sqlite there is "
            "damaged, restore it from a copy or move it away, or name another directory with "
            "AGB_LOCAL_CONTEXTS."
        ) from error


def _listen(host: str, port: int) -> socket.socket:
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        listener = socket.socket(family, kind, protocol)
        try:
            # A server that is started again finds its port free at once.
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind(address)
        except BaseException:
            listener.close()
            raise
    except (OSError, OverflowError) as error:
        raise StartError(f"Cannot listen on {host} port {port}: {error}") from error
    if not ipaddress.ip_address(listener.getsockname()[0]).is_loopback:
        logger.warning(
            "Listening on %s: other machines can reach this server by this machine's name, and "
            "nothing encrypts the API key on its way. Put a TLS proxy in front, or listen on "
            "127.0.0.1.",
            host,
        )
    return listener


def _endpoint(listener: socket.socket) -> str:
    host, port = listener.getsockname()[:2]
    if ipaddress.ip_address(host).is_unspecified:
        # Every address of this machine is none to connect to; this one is good here, and elsewhere
        # the machine's own name takes its place.
        host = "::1" if ":" in host else "127.0.0.1"
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
