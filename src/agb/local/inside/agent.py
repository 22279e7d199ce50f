"""The agent: takes the server's requests and has them done, each in a thread of its own."""

from __future__ import annotations

import _thread
import os
import sys

from .cancellation import Cancellation, Cancelled
from .code import Code
from .commands import Commands
from .directories import Directories
from .events import Events
from .failures import ToolFailure, describe
from .files import Files
from .frames import Channel, FrameError, Message
from .handing import Handing, receive_descriptor
from .kernel import KernelEnded
from .limits import Limits, hide_this_process
from .metrics import get_metrics
from .orphans import keep_collecting
from .output import Leftovers
from .paths import Home
from .ports import Ports
from .process_table import ProcessTable
from .shell import Shell
from .whole_files import WholeFiles

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    Method = Callable[..., dict[str, object]]


class Agent:
    """Answers requests until the server has gone."""

    def __init__(
        self,
        channel: Channel,
        handing: Handing,
        limits: Limits,
        home: str,
        environment: Mapping[str, str],
        packages: Sequence[str],
        notice: str = "",
    ) -> None:
        self._channel = channel
        self._at_limit = limits.at_limit
        self._max_events_ahead = limits.max_events_ahead
        self._running: dict[object, Cancellation] = {}
        self._events: dict[object, Events] = {}
        place = Home(home)
        files = Files(limits, place)
        directories = Directories(limits, place)
        code = Code(limits, place, environment, packages, notice)
        shell = Shell(limits, place, environment)
        leftovers = Leftovers()
        whole_files = WholeFiles(place, handing)
        processes = ProcessTable(limits, shell, leftovers)
        self._methods: dict[str, Method] = {
            "run_code": code.run_code,
            "warm_up": code.warm_up,
            "shell": Commands(limits, shell, leftovers).shell,
            "read_file": files.read_file,
            "read_multiple_files": files.read_multiple_files,
            "write_file": files.write_file,
            "edit_file": files.edit_file,
            "move_file": files.move_file,
            "delete_file": files.delete_file,
            "get_file_info": files.get_file_info,
            "create_directory": directories.create_directory,
            "list_directory": directories.list_directory,
            "search_files": directories.search_files,
            "get_file_change": directories.get_file_change,
            "get_metrics": get_metrics,
            "connect_port": Ports(handing).connect_port,
            "open_file": whole_files.open_file,
            "create_part": whole_files.create_part,
            "finish_part": whole_files.finish_part,
            "remove_part": whole_files.remove_part,
            "start_process": processes.start_process,
            "list_processes": processes.list_processes,
            "read_process_output": processes.read_process_output,
            "wait_process": processes.wait_process,
            "write_process_stdin": processes.write_process_stdin,
            "close_process_stdin": processes.close_process_stdin,
            "signal_process": processes.signal_process,
        }
        # These tell what happens before they answer.
        self._telling: dict[str, Method] = {"stream_code": code.run_code}

    def serve(self) -> None:
        """Take requests until the server closes the connection."""
        # Needed by the first command, and too slow to wait for when a session is created.
        _thread.start_new_thread(__import__, ("subprocess",))
        while (request := self._channel.receive()) is not None:
            number = request.get("id")
            if request.get("method") == "cancel":
                cancellation = self._running.get(number)
                if cancellation is not None:
                    cancellation.cancel()
                continue
            if request.get("method") == "passed_on":
                events = self._events.get(number)
                if events is not None:
                    events.passed_on()
                continue
            self._running[number] = Cancellation()
            try:
                _thread.start_new_thread(self._handle, (request, number, self._running[number]))
            except RuntimeError:
                del self._running[number]
                self._channel.send({"id": number, **_problem(self._at_limit)})

    def _handle(self, request: Message, number: object, cancellation: Cancellation) -> None:
        """Do one request and answer it."""
        answer = self._answer(request, number, cancellation)
        self._running.pop(number, None)
        self._events.pop(number, None)
        try:
            try:
                self._channel.send({"id": number, **answer})
            except FrameError as error:
                self._channel.send({"id": number, **_problem(f"The result is too large: {error}")})
        except OSError:
            # The server has gone, and this process goes with it.
            pass

    def _answer(self, request: Message, number: object, cancellation: Cancellation) -> Message:
        """Do one request; whatever goes wrong becomes an answer."""
        name = str(request.get("method"))
        method = self._telling.get(name, self._methods.get(name))
        params = request.get("params")
        if name in self._telling and isinstance(params, dict):
            self._events[number] = Events(self._channel.send, number, self._max_events_ahead)
            params = {**params, "events": self._events[number]}
        if method is None or not isinstance(params, dict):
            return _problem(f"The session has no method {request.get('method')!r}")
        try:
            return {"result": method(cancellation, **params)}
        except Cancelled:
            return _problem("Cancelled")
        except ToolFailure as failure:
            return _problem(str(failure))
        except OSError as error:
            return _problem(describe(error))
        except KernelEnded as end:
            return _problem(str(end))
        except Exception as error:
            return _problem(f"The session failed: {type(error).__name__}: {error}")


def _problem(message: str) -> Message:
    """Build the part of an answer that says no."""
    return {"error": {"message": message}}


def main(descriptor: int) -> None:
    """Run the agent.

    Args:
        descriptor: The socket to the server.
    """
    hide_this_process()
    os.umask(0o022)
    keep_collecting()
    handing = Handing(receive_descriptor(descriptor))
    # Until the server has told the real limit, a message is the one with which it does.
    channel = Channel(descriptor, descriptor, 1 << 20)
    start = channel.receive()
    if start is None:
        return
    params = start["params"]
    assert isinstance(params, dict)
    limits = Limits(**params.pop("limits"))
    limits.impose()
    channel = Channel(descriptor, descriptor, limits.max_frame_bytes)
    agent = Agent(channel, handing, limits, **params)
    channel.send({"id": start["id"], "result": {"python": sys.version.split()[0]}})
    try:
        agent.serve()
    finally:
        # Threads may still be at work for a server that is no longer there.
        os._exit(0)
