"""Ten attacks from inside a sandbox, as the text of a program that runs there.

Each tries one thing and returns what it got hold of; nothing, or an OSError, means that it was
contained. All are harmless should they succeed: they open without writing, pass arguments no
call can use, and stay on loopback.

`FACTS` is put before the program: what is known of the host, to be looked for. So this file has no
`from __future__` and imports nothing but the standard library.
"""

import ctypes
import errno
import json
import os
import platform
import socket
import stat
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

FACTS: dict[str, Any] = globals().get("FACTS") or {}
PROBES: dict[str, Callable[[], object]] = {}


def probe(function: Callable[[], object]) -> Callable[[], object]:
    """Have a function tried; its docstring says what it tries."""
    PROBES[function.__name__] = function
    return function


def absent(paths: Iterable[str]) -> list[str]:
    """Return the paths that should not be there, and are."""
    # What Python's own place needs is shown, and nothing beside it.
    return [path for path in paths if os.path.lexists(path) and not shown_for_python(path)]


def shown_for_python(path: str) -> bool:
    """Say whether a sandbox has to show a path."""
    inner = (sys.prefix, sys.base_prefix, FACTS["home"], *links_to_python())
    return any(place.startswith(path + "/") or place == path for place in inner)


def links_to_python() -> Iterator[str]:
    """Follow the links that lead to the program; what lies beside them is not shown."""
    path = sys.executable
    while os.path.islink(path):
        path = os.path.normpath(os.path.join(os.path.dirname(path), os.readlink(path)))
        yield path


@probe
def files_of_host() -> object:
    """Read a home directory, the password hashes, a planted file."""
    return absent(["/etc/shadow", "/etc/gshadow", FACTS["canary"], *FACTS["private"]])


@probe
def files_of_another_session() -> object:
    """Find the files of another session."""
    found = absent([FACTS["state"], f"{FACTS['state']}/sessions"])
    for top in ("/home", "/tmp", "/dev/shm", "/etc", "/opt/agb", "/var"):  # noqa: S108
        for directory, _, names in os.walk(top):
            found += [os.path.join(directory, name) for name in names if FACTS["secret"] in name]
    return found


def opened_for_writing(*paths: str) -> list[str]:
    """Return the files that can be opened for writing; none is written to."""
    found: list[str] = []
    for path in paths:
        try:
            os.close(os.open(path, os.O_WRONLY))
        except OSError:
            continue
        found.append(path)
    return found


@probe
def writing_to_programs() -> object:
    """Change programs below /usr, or Python."""
    return opened_for_writing("/usr/bin/env", sys.executable, os.__file__, "/bin/sh")


DISKS = ["/dev/sda", "/dev/vda", "/dev/nvme0n1", "/dev/dm-0", "/dev/loop0", "/dev/mapper"]
MEMORY_DEVICES = ["/dev/mem", "/dev/kmem", "/dev/port", "/dev/kmsg", "/dev/kcore"]


@probe
def devices() -> object:
    """Open disks and memory, make a device."""
    found = absent([*DISKS, *MEMORY_DEVICES])
    made = f"{FACTS['scratch']}/disk"
    try:
        os.mknod(made, stat.S_IFBLK | 0o600, os.makedev(8, 0))
    except OSError:
        return found
    os.unlink(made)
    return [*found, made]


@probe
def processes_of_host() -> object:
    """See the processes of the machine."""
    found: list[str] = []
    for pid, command_line in FACTS["processes"].items():
        try:
            with open(f"/proc/{pid}/cmdline", "rb") as file:
                found += [pid] if file.read().decode("latin-1") == command_line else []
        except OSError:
            continue
    return found


@probe
def port_of_host() -> object:
    """Connect to a port on the machine's loopback."""
    socket.create_connection(("127.0.0.1", FACTS["port"]), 2)
    return "connected"


@probe
def abstract_socket() -> object:
    """Connect to an abstract socket of the machine."""
    with socket.socket(socket.AF_UNIX) as client:
        client.connect("\0" + FACTS["abstract"])
        return "connected"


@probe
def interfaces() -> object:
    """Find a network to reach."""
    return [name for _, name in socket.if_nameindex() if name != "lo"]


libc: ctypes.CDLL = ctypes.CDLL(None, use_errno=True)
ARM: bool = platform.machine() == "aarch64"
NOTHING = (0, 0, 0, 0, 0)
# Each with its number on x86_64 and on aarch64.
MOUNTING: dict[str, tuple[int, int, Sequence[int]]] = {
    "mount": (165, 40, NOTHING),
    "umount": (166, 39, NOTHING),
    "pivot_root": (155, 41, NOTHING),
    "open_tree": (428, 428, NOTHING),
    "move_mount": (429, 429, NOTHING),
    "fsopen": (430, 430, NOTHING),
    "unshare_user": (272, 97, (0x10000000,)),
    "unshare_net": (272, 97, (0x40000000,)),
    "unshare_mounts": (272, 97, (0x00020000,)),
    "setns": (308, 268, (-1, 0)),
    "clone_new_user": (56, 220, (0x10000000 | 17, 0, 0, 0, 0)),
    "clone_new_mounts": (56, 220, (0x00020000 | 17, 0, 0, 0, 0)),
}
SPYING: dict[str, tuple[int, int, Sequence[int]]] = {
    "ptrace": (101, 117, (-1, 0, 0, 0)),
    "process_vm_readv": (310, 270, (1, 0, 0, 0, 0, 0)),
    "bpf": (321, 280, NOTHING),
    "perf_event_open": (298, 241, NOTHING),
    "io_uring_setup": (425, 425, (0, 0)),
    "userfaultfd": (323, 282, (-1,)),
    "add_key": (248, 217, NOTHING),
    "request_key": (249, 218, NOTHING),
    "keyctl": (250, 219, (-1, 0, 0, 0, 0)),
}


def refused_by_filter(
    x86: int, arm: int, arguments: Sequence[int], expected: int = errno.EPERM
) -> str:
    """Make a call with arguments it can't use: only the filter answers with a want of rights."""
    ctypes.set_errno(0)
    parent = os.getpid()
    result = libc.syscall(ctypes.c_long(arm if ARM else x86), *arguments)
    if os.getpid() != parent:
        # A clone that went through.
        os._exit(0)
    if result >= 0 or ctypes.get_errno() != expected:
        return f"{result} {errno.errorcode.get(ctypes.get_errno())}"
    return ""


@probe
def mounts_and_namespaces() -> object:
    """Mount file systems, make and enter namespaces."""
    return [name for name, call in MOUNTING.items() if refused_by_filter(*call)]


@probe
def spying_calls() -> object:
    """Trace programs, load eBPF, use io_uring and key rings."""
    return [name for name, call in SPYING.items() if refused_by_filter(*call)]


def run() -> dict[str, str]:
    """Try everything and say of each probe what it got hold of."""
    outcome: dict[str, str] = {}
    for name, attack in PROBES.items():
        if name in FACTS.get("skip", ()):
            continue
        try:
            got = attack()
        except OSError:
            got = None
        except Exception as error:
            got = f"broken: {type(error).__name__}: {error}"
        outcome[name] = str(got)[:300] if got else ""
    return outcome


def report() -> str:
    """Try everything; return JSON with what each probe tries and what it got hold of."""
    return json.dumps(
        [
            {"name": name, "tries": (PROBES[name].__doc__ or "").rstrip("."), "got": got}
            for name, got in run().items()
        ]
    )
