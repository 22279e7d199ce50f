"""Run a program as an ordinary user: `python ordinary_user.py UID PROGRAM ARGUMENT…`, as root.

A Python below `/root` can't be entered by anybody else. In a mount namespace of its own, which ends
with the program, each closed directory on the way there is covered by an empty open one that holds
nothing but what is needed. Nothing of the machine is changed.
"""

import ctypes
import os
import sys

NEW_MOUNTS = 0x00020000
BIND, RECURSIVE, PRIVATE = 4096, 16384, 1 << 18


def closed_above(path):
    """The outermost directory on the way to a path that others can't pass, if there is one."""
    parts = os.path.realpath(path).split("/")
    for count in range(2, len(parts) + 1):
        directory = "/".join(parts[:count])
        if not os.stat(directory).st_mode & 0o001:
            return directory
    return None


def needed():
    """The directories without which this Python does not run."""
    paths = {sys.prefix, sys.base_prefix, os.path.dirname(os.path.realpath(sys.executable))}
    paths |= {path for path in sys.path if os.path.isdir(path)}
    return sorted(os.path.realpath(path) for path in paths)


def open_the_way():
    libc = ctypes.CDLL(None, use_errno=True)

    def mount(source, target, kind, flags, data=None):
        if libc.mount(source.encode(), target.encode(), kind, flags, data) != 0:
            raise OSError(ctypes.get_errno(), "mount", target)

    if libc.unshare(NEW_MOUNTS) != 0:
        raise OSError(ctypes.get_errno(), "unshare")
    mount("none", "/", None, RECURSIVE | PRIVATE)
    closed = [(closed_above(path), path) for path in needed()]
    held = {path: os.open(path, os.O_PATH) for above, path in closed if above}
    for directory in {above for above, _ in closed if above}:
        mount("none", directory, b"tmpfs", 0, b"mode=755")
    for path, descriptor in held.items():
        if not os.path.exists(path):
            os.makedirs(path, mode=0o755)
            mount(f"/proc/self/fd/{descriptor}", path, None, BIND | RECURSIVE)
        os.close(descriptor)


if __name__ == "__main__":
    user = int(sys.argv[1])
    os.umask(0o022)
    open_the_way()
    os.setgroups([])
    os.setgid(user)
    os.setuid(user)
    os.environ["HOME"] = "/nonexistent"
    os.execv(sys.argv[2], sys.argv[2:])
