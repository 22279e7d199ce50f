"""The users that sandboxes run as when the server is root."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from .machine import MachineUnfit

if TYPE_CHECKING:
    from collections.abc import Iterable

# Of the 32-bit user numbers, a part that no distribution and no service manager gives out
# (systemd's table calls 1879048192 to 2147483647 unused).
_FREE = range(0x7000_0000, 0x7FFF_0000)


def session_users(uid_map: str, gid_map: str) -> tuple[int, int]:
    """Choose the numbers for the users and groups of sessions.

    Args:
        uid_map: `/proc/self/uid_map`: in a container only some numbers exist.
        gid_map: `/proc/self/gid_map`.

    Returns:
        The first number and how many there are.

    Raises:
        MachineUnfit: This container has no numbers to spare.
    """
    users, groups = list(_mapped(uid_map)), list(_mapped(gid_map))
    # Where only 65536 are mapped, the upper half; neither `nobody` nor the numbers of people.
    for wanted in (_FREE, range(32768, 65534), range(2000, 65534)):
        if _covers(users, wanted) and _covers(groups, wanted):
            return wanted.start, len(wanted)
    raise MachineUnfit(
        "The local server runs as root in a container that has too few user numbers "
        "(/proc/self/uid_map) to give sessions some of their own. Run it as an ordinary user, or "
        "give the container at least 65536 numbers (/etc/subuid and /etc/subgid)."
    )


def threads_of(user: int) -> int:
    """Count the processes and threads that a user runs."""
    count = 0
    for name in filter(str.isdigit, os.listdir("/proc")):
        try:
            if os.stat(f"/proc/{name}").st_uid == user:
                count += len(os.listdir(f"/proc/{name}/task"))
        except OSError:
            # It has just ended.
            continue
    return count


def can_enter(path: str) -> bool:
    """Say whether every user can get to a path and read it."""
    return all(_open_to_all(way) for way in {os.path.abspath(path), os.path.realpath(path)})


def can_pass(path: str) -> bool:
    """Say whether every user can get to what lies in a directory that is opened to them."""
    path = os.path.dirname(os.path.realpath(path))
    while os.stat(path).st_mode & 0o001:
        if path == "/":
            return True
        path = os.path.dirname(path)
    return False


def _open_to_all(path: str) -> bool:
    """Check one path without asking where links lead."""
    if not os.stat(path).st_mode & 0o004:
        return False
    while path != "/":
        if os.path.isdir(path) and not os.stat(path).st_mode & 0o001:
            return False
        path = os.path.dirname(path)
    return True


def _mapped(table: str) -> Iterable[range]:
    """Read the ranges of numbers that exist here."""
    for line in table.splitlines():
        inside, _outside, count = map(int, line.split())
        yield range(inside, inside + count)


def _covers(ranges: Iterable[range], wanted: range) -> bool:
    """Say whether one range holds another."""
    return any(wanted.start in mapped and wanted[-1] in mapped for mapped in ranges)
