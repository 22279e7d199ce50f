"""The users that sandboxes run as when the server is root."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from ..failures import MachineUnfit

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


def _mapped(table: str) -> Iterable[range]:
    """Read the ranges of numbers that exist here."""
    for line in table.splitlines():
        inside, _outside, count = map(int, line.split())
        yield range(inside, inside + count)


def _covers(ranges: Iterable[range], wanted: range) -> bool:
    """Say whether one range holds another."""
    return any(wanted.start in mapped and wanted[-1] in mapped for mapped in ranges)
