"""What one server has on disk, in its state directory.

It holds a lock, etc, inside, binds, sessions, overruns and contexts.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import subprocess

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

LOCK = "server.lock"
"""A file that is locked as long as the server or its spawner lives."""

# From linux/sched.h and linux/mount.h.
_CLONE_NEWNS = 0x00020000
_MS_RDONLY, _MS_REMOUNT, _MS_BIND = 1, 32, 4096
_MS_REC, _MS_PRIVATE = 16384, 1 << 18
_MNT_DETACH = 2
# A session may take away its own right to look into or to empty its directories.
_REMOVE = 'rm -rf -- "$@" 2>/dev/null || { chmod -R u+rwX -- "$@"; rm -rf -- "$@"; }'


def sessions_of(state: str) -> str:
    """Return the directory of the workspaces."""
    return os.path.join(state, "sessions")


def overruns_of(state: str) -> str:
    """Return the directory of what the warden has found out, a file for each session."""
    return os.path.join(state, "overruns")


def remove_state(state: str) -> None:
    """Remove all that one server has on disk.

    Below `binds` lie directories of the user, mounted: that one is never removed recursively.
    """
    binds = os.path.join(state, "binds")
    if os.path.isdir(binds):
        for name in os.listdir(binds):
            target = os.path.join(binds, name)
            with contextlib.suppress(OSError):
                _check(_libc().umount2(os.fsencode(target), _MNT_DETACH), "umount2")
            with contextlib.suppress(OSError):
                (os.rmdir if os.path.isdir(target) else os.unlink)(target)
    for name in ("etc", "inside", "sessions", "overruns", "contexts"):
        remove_tree(os.path.join(state, name))
    with contextlib.suppress(OSError):
        os.unlink(os.path.join(state, LOCK))
    for directory in (binds, state):
        with contextlib.suppress(OSError):
            os.rmdir(directory)


def remove_tree(path: str) -> None:
    """Remove a directory with everything in it, and wait for that."""
    start_removing(path).wait()


def remove_empty(paths: Sequence[str]) -> list[str]:
    """Remove the directories that are empty, and return the others; it takes no time."""
    others: list[str] = []
    for path in paths:
        try:
            os.rmdir(path)
        except FileNotFoundError:
            continue
        except OSError:
            others.append(path)
    return others


def start_removing(*paths: str) -> subprocess.Popen[bytes]:
    """Start to remove directories; `rm` copes with trees that are deeper than Python's stack."""
    return subprocess.Popen(
        ["/bin/sh", "-c", _REMOVE, "sh", *paths],
        env={"PATH": "/usr/bin:/bin"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


def make_reachable(binds: list[tuple[str, str]]) -> None:
    """Give private directories a second path that every user can enter, seen by nobody else.

    A Python below `/root` cannot be entered any more by a bubblewrap that is not root. The mounts
    are in a namespace of this process and its children, and end with them.

    Args:
        binds: Source and target of each.
    """
    libc = _libc()
    _check(libc.unshare(_CLONE_NEWNS), "unshare")
    _check(libc.mount(b"none", b"/", None, _MS_REC | _MS_PRIVATE, None), "mount --make-private")
    for source, target in binds:
        os.makedirs(os.path.dirname(target), mode=0o755, exist_ok=True)
        if os.path.isdir(source):
            os.makedirs(target, exist_ok=True)
        else:
            with open(target, "wb"):
                pass
        path = os.fsencode(target)
        _check(libc.mount(os.fsencode(source), path, None, _MS_BIND | _MS_REC, None), source)
        # bubblewrap shows them read-only in any case. This keeps our own mistakes from them.
        with contextlib.suppress(OSError):
            flags = _MS_REMOUNT | _MS_BIND | _MS_RDONLY
            _check(libc.mount(None, path, None, flags, None), source)


def _libc() -> ctypes.CDLL:
    """Return the C library."""
    return ctypes.CDLL(None, use_errno=True)


def _check(result: int, what: str) -> None:
    """Turn a failed call of the C library into an exception."""
    if result != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number), what)
