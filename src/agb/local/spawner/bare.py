"""Takes bubblewrap's place where AGB_LOCAL_ISOLATION=none asks for no isolation at all.

It understands the command line the spawner gives to bubblewrap, and runs the program in the
directory of the session. Nothing keeps that program from this machine. It only sees to it that all
processes end together.
"""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import signal
import sys

_PR_SET_PDEATHSIG, _PR_SET_CHILD_SUBREAPER = 1, 36


def main() -> None:
    """Run a program and end what it leaves: `--args FD -- PROGRAM ARGUMENT…`."""
    libc = ctypes.CDLL(None)
    libc.prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    signal.signal(signal.SIGTERM, lambda _number, _frame: _end(1))
    libc.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)
    separator = sys.argv.index("--")
    with open(int(sys.argv[separator - 1]), encoding="utf-8") as file:
        options = file.read().split("\0")
    os.chdir(_value(options, "--chdir"))
    told = int(_value(options, "--info-fd"))
    os.close(int(_value(options, "--seccomp")))
    program = os.fork()
    if program == 0:
        agent = int(sys.argv[-1])
        os.closerange(3, agent)
        os.closerange(agent + 1, 1 << 16)
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        command = sys.argv[separator + 1 :]
        os.execve(command[0], command, {})  # noqa: S606
    with open(told, "w", encoding="ascii") as file:
        json.dump({"child-pid": program}, file)
    while True:
        ended, status = os.wait()
        if ended == program:
            _end(os.waitstatus_to_exitcode(status))


def _value(options: list[str], name: str) -> str:
    return options[options.index(name) + 1]


def _end(code: int) -> None:
    """Kill all that is left; whose parent is killed becomes a child of this process."""
    path = f"/proc/self/task/{os.getpid()}/children"
    while True:
        with open(path, encoding="ascii") as file:
            children = file.read().split()
        if not children:
            os._exit(code if code >= 0 else 128 - code)
        for child in map(int, children):
            with contextlib.suppress(ProcessLookupError):
                os.kill(child, signal.SIGKILL)
        with contextlib.suppress(ChildProcessError):
            os.wait()


if __name__ == "__main__":
    main()
