"""What the embedded server uses of its dependencies although they do not promise to keep it.

A release of theirs may take it away; then the test of that dependency says what is missing, who
uses it for what, and what to do. What the client uses is in `tests/test_private_attributes.py`.
"""

from __future__ import annotations

import asyncio
import contextlib
import inspect
import socket
from importlib import import_module
from importlib.metadata import version

import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request

SERVER = "agb/local/http/server.py"
NOTEBOOK = "agb/local/inside/notebook.py"
KERNEL = "agb/local/inside/python_kernel.py"


def needs(package, owner, name, purpose):
    """Fail with what it means, if what belongs to a dependency has lost an attribute."""
    if not hasattr(owner, name):
        kind = owner if isinstance(owner, type) else type(owner)
        found = f"{package} {version(package)} no longer has `{kind.__name__}.{name}`"
        pytest.fail(f"{found}; {purpose}", pytrace=False)


def private_class(package, module, name, user):
    """Return a class from a module that is not documented, or fail with who needs it."""
    try:
        return getattr(import_module(f"{package}.{module}"), name)
    except (ImportError, AttributeError):
        found = f"{package} {version(package)} no longer has `{module}.{name}`"
        pytest.fail(f"{found}; {user} builds on it. Find what took its place.", pytrace=False)


def test_uvicorn():
    """A server lets itself be told of its start, of signals and of broken HTTP by methods."""
    h11 = private_class("uvicorn", "protocols.http.h11_impl", "H11Protocol", SERVER)
    purposes = {
        "capture_signals": (
            f"`HttpServer` in {SERVER} replaces it to keep uvicorn from taking the signals of the"
            " process. Have it keep them in another way, and try Ctrl-C at `agb serve`."
        ),
        "startup": (
            f"`HttpServer` in {SERVER} adds to it to say when the server answers. Say it after"
            " whatever binds the sockets now."
        ),
        "send_400_response": (
            f"`_Protocol` in {SERVER} replaces it to answer broken HTTP with JSON as well. Replace"
            " what sends that reply now."
        ),
        "servers": (
            f"`stop_listening` in {SERVER} closes them so that nobody connects any more while calls"
            " end. Have it close the listening sockets where they are now."
        ),
    }
    for owner, name in ((uvicorn.Server, "capture_signals"), (uvicorn.Server, "startup")):
        needs("uvicorn", owner, name, purposes[name])
    needs("uvicorn", h11, "send_400_response", purposes["send_400_response"])
    called = []

    class Protocol(h11):
        def send_400_response(self, msg):
            called.append("send_400_response")
            self.transport.close()

    class Server(uvicorn.Server):
        @contextlib.contextmanager
        def capture_signals(self):
            called.append("capture_signals")
            yield

        async def startup(self, sockets=None):
            await super().startup(sockets)
            called.append("startup")
            needs("uvicorn", self, "servers", purposes["servers"])
            called.extend("servers" for server in self.servers if server.is_serving())

    async def program(listener):
        config = uvicorn.Config(Starlette(), http=Protocol, lifespan="off", log_config=None)
        server = Server(config)
        serving = asyncio.create_task(server.serve(sockets=[listener]))
        reader, writer = await asyncio.open_connection(*listener.getsockname())
        writer.write(b"no HTTP\r\n\r\n")
        # Whatever is answered: the connection ends with it, or with the server.
        with contextlib.suppress(TimeoutError, asyncio.TimeoutError):
            await asyncio.wait_for(reader.read(), 10)
        writer.close()
        server.should_exit = True
        await serving

    with socket.create_server(("127.0.0.1", 0)) as listener:
        asyncio.run(program(listener))

    for name, purpose in purposes.items():
        assert name in called, f"uvicorn {version('uvicorn')} no longer uses `{name}`; {purpose}"


def test_starlette():
    """A router can be kept from redirecting, and a request knows from where it receives."""
    slashes = (
        "`create_app` in agb/local/http/app.py sets it to False: a path with a slash at its end is"
        " an unknown endpoint. Give it to the router where it is taken now."
    )
    needs("starlette", Starlette().router, "redirect_slashes", slashes)
    needs(
        "starlette",
        Request,
        "receive",
        "`until_hang_up` in agb/local/http/hang_up.py awaits it to learn that a client has hung up."
        " Have it use `Request.is_disconnected` in a loop, or the channel where it is now.",
    )

    assert Starlette().router.redirect_slashes is True, f"It is False by itself now; {slashes}"


def test_asyncio():
    """Between the steps of an event loop a program is in one of two modules."""
    steps = {
        "base_events": (asyncio.BaseEventLoop, "_run_once"),
        "events": (asyncio.Handle, "_run"),
    }

    for module, (owner, name) in steps.items():
        code = getattr(getattr(owner, name, None), "__code__", None)
        assert getattr(code, "co_filename", None) == getattr(asyncio, module).__file__, (
            f"The steps of a loop are no longer made by `{owner.__name__}.{name}` in asyncio/"
            f"{module}.py; `_LOOP` in {KERNEL} names the files in which an interrupt of a cell has"
            " to come again later, lest the loop forget what it was about to call. Name the files"
            " where loops make their steps now."
        )


IPYTHON = {
    "core.interactiveshell.InteractiveShell": {
        "_showtraceback": "replaces it to keep the text of a traceback, not to print it",
        "showtraceback": "adds to it, to say little of a cell that was interrupted",
        "system": "replaces it, so that what `!command` prints is in order with the rest",
        "system_raw": "runs `!command` by it, without a terminal",
        "enable_gui": "replaces it, as there is no window",
        "init_virtualenv": "replaces it, as the path is right already",
        "loop_runner": "sets it, so that all cells that await share a loop",
        "display_page": "sets it, so that what would go to a pager is shown",
        "cache_size": "sets it, to remember few results",
    },
    "core.displayhook.DisplayHook": {
        "write_output_prompt": "replaces it to print no prompt",
        "write_format_data": "replaces it to keep what a cell gives",
        "cull_cache": "adds to it, to forget old results without a warning",
        "finish_displayhook": "replaces it to print no newline",
    },
    "core.displaypub.DisplayPublisher": {
        "publish": "replaces it to keep what `display` shows",
        "clear_output": "replaces it to forget that again",
    },
}


@pytest.mark.parametrize("path", IPYTHON)
def test_ipython(path):
    """The parts of IPython that a notebook replaces are there to be replaced."""
    module, _, name = path.rpartition(".")
    owner = private_class("IPython", module, name, NOTEBOOK)

    for attribute, use in IPYTHON[path].items():
        advice = f"{NOTEBOOK} {use}. Find what IPython calls in its place and use that there."
        needs("ipython", owner, attribute, advice)


def test_ipython_explains_how_to_leave_it():
    """The warning at `sys.exit` in a cell has the text by which it is silenced."""
    shell = import_module("IPython.core.interactiveshell").InteractiveShell

    assert '"To exit: use' in inspect.getsource(shell), (
        f"IPython {version('ipython')} no longer warns by this text; `silence` in {NOTEBOOK} keeps"
        " it from doing so whenever a cell calls `sys.exit`. Take its new text, or drop `silence`."
    )
