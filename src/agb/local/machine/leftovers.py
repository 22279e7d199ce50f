"""Clears away what a server has left that was killed together with its spawner; the next one does.

The directory of each server holds a file that is locked as long as the server or its spawner lives,
and that names its control groups. Whoever gets the lock of another one knows that it is gone.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import re
import stat
import tempfile
from typing import IO, TYPE_CHECKING

from ..spawner.groups import remove_all
from ..spawner.state import LOCK, remove_state
from ..spawner.strays import clear_up

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

_PREFIX = "agb-"
_NAME = re.compile(_PREFIX + "[a-z0-9_]{8}")


def make_directory(base: str, groups_of: Callable[[str], Sequence[str]]) -> tuple[str, IO[str]]:
    """Make the directory of a server, and lock it.

    Args:
        base: Where to make it.
        groups_of: Tells the directories of the control groups of a server with this name.

    Returns:
        Its path, and the file that holds the lock until all copies of its descriptor are closed.

    Raises:
        OSError: It can't be made.
    """
    while True:
        path = tempfile.mkdtemp(prefix=_PREFIX, dir=base)
        lock = open(os.path.join(path, LOCK), "x", encoding="utf-8")  # noqa: SIM115
        fcntl.flock(lock, fcntl.LOCK_EX)
        if _is_at(lock, lock.name):
            lock.write("\n".join(groups_of(os.path.basename(path))))
            lock.flush()
            return path, lock
        # Another server came between and took it for left.
        lock.close()


def clear_away(base: str) -> None:
    """Remove what is left of servers of this user in a directory; those that live are not touched.

    Args:
        base: Where their directories are.
    """
    for name in os.listdir(base):
        path = os.path.join(base, name)
        if _NAME.fullmatch(name) and _is_ours(path):
            # What vanishes meanwhile is cleared away by somebody else.
            with contextlib.suppress(OSError):
                _clear_one(path)


def _clear_one(path: str) -> None:
    descriptor = os.open(os.path.join(path, LOCK), os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC)
    with open(descriptor, encoding="utf-8") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        groups = lock.read().splitlines()
        clear_up(path, groups)
        remove_all(groups)
        remove_state(path)


def _is_ours(path: str) -> bool:
    with contextlib.suppress(OSError):
        facts = os.lstat(path)
        return stat.S_ISDIR(facts.st_mode) and facts.st_uid == os.geteuid()
    return False


def _is_at(file: IO[str], path: str) -> bool:
    with contextlib.suppress(OSError):
        return os.path.samestat(os.fstat(file.fileno()), os.lstat(path))
    return False
