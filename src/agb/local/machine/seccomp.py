"""The system calls a session may not make, as a program for the kernel's filter (classic BPF).

The list denies what reaches into the kernel or out of the sandbox and what no ordinary program
needs. A denied call fails with EPERM, as it would for lack of a privilege.
"""

from __future__ import annotations

import struct
from errno import EAFNOSUPPORT, ENOSPC, ENOSYS, EPERM
from typing import TYPE_CHECKING

from attrs import frozen

if TYPE_CHECKING:
    from collections.abc import Iterable

# From linux/filter.h, linux/seccomp.h and linux/audit.h.
_LOAD_WORD = 0x20
_JUMP_IF_EQUAL = 0x15
_JUMP_IF_AT_LEAST = 0x35
_JUMP_IF_ANY_BIT = 0x45
_RETURN = 0x06
_ALLOW = 0x7FFF0000
_FAIL_WITH = 0x00050000

# Offsets in struct seccomp_data; the lower half of a 64-bit argument comes first.
_NUMBER = 0
_ARCHITECTURE = 4
_ARGUMENTS = 16

_NEW_NAMESPACES = 0x7E020000
"""CLONE_NEWNS, NEWCGROUP, NEWUTS, NEWIPC, NEWUSER, NEWPID and NEWNET."""

_TIOCSTI, _TIOCLINUX = 0x5412, 0x541C
_X32 = 0x40000000

_FAMILIES = (1, 2, 10, 16)
"""AF_UNIX, AF_INET, AF_INET6 and AF_NETLINK: what programs use within one machine. AF_VSOCK, above
all, would lead past the network namespace to the hypervisor."""


@frozen
class Architecture:
    """What differs between processors.

    Attributes:
        audit: The kernel's number for the architecture.
        column: Which of the two numbers in the table of calls is its own.
        has_x32: Whether calls of another table can be made by setting a bit in the number.
    """

    audit: int
    column: int
    has_x32: bool


ARCHITECTURES = {
    "x86_64": Architecture(audit=0xC000003E, column=0, has_x32=True),
    "aarch64": Architecture(audit=0xC00000B7, column=1, has_x32=False),
}

# name: (number on x86_64, number on aarch64); None where the architecture does not have it.
_DENIED: dict[str, tuple[int | None, int | None]] = {
    # mounts and roots
    "mount": (165, 40),
    "umount2": (166, 39),
    "pivot_root": (155, 41),
    "chroot": (161, 51),
    "open_tree": (428, 428),
    "move_mount": (429, 429),
    "fsopen": (430, 430),
    "fsconfig": (431, 431),
    "fsmount": (432, 432),
    "fspick": (433, 433),
    "mount_setattr": (442, 442),
    "statmount": (457, 457),
    "listmount": (458, 458),
    "open_tree_attr": (467, 467),
    "quotactl": (179, 60),
    "quotactl_fd": (443, 443),
    "swapon": (167, 224),
    "swapoff": (168, 225),
    # namespaces
    "unshare": (272, 97),
    "setns": (308, 268),
    # other processes' insides
    "ptrace": (101, 117),
    "process_vm_readv": (310, 270),
    "process_vm_writev": (311, 271),
    "kcmp": (312, 272),
    "pidfd_getfd": (438, 438),
    "process_madvise": (440, 440),
    "move_pages": (279, 239),
    "migrate_pages": (256, 238),
    # large pieces of kernel code, often the way in
    "bpf": (321, 280),
    "perf_event_open": (298, 241),
    "io_uring_setup": (425, 425),
    "io_uring_enter": (426, 426),
    "io_uring_register": (427, 427),
    "userfaultfd": (323, 282),
    "fanotify_init": (300, 262),
    # keys are not part of any namespace
    "add_key": (248, 217),
    "request_key": (249, 218),
    "keyctl": (250, 219),
    # files by handle, past their directories
    "name_to_handle_at": (303, 264),
    "open_by_handle_at": (304, 265),
    # the machine itself
    "kexec_load": (246, 104),
    "kexec_file_load": (320, 294),
    "init_module": (175, 105),
    "finit_module": (313, 273),
    "delete_module": (176, 106),
    "reboot": (169, 142),
    "syslog": (103, 116),
    "acct": (163, 89),
    "settimeofday": (164, 170),
    "adjtimex": (159, 171),
    "clock_settime": (227, 112),
    "clock_adjtime": (305, 266),
    "sethostname": (170, 161),
    "setdomainname": (171, 162),
    "vhangup": (153, 58),
    "lookup_dcookie": (212, 18),
    "nfsservctl": (180, 42),
    "iopl": (172, None),
    "ioperm": (173, None),
    "modify_ldt": (154, None),
    "uselib": (134, None),
    "ustat": (136, None),
    "sysfs": (139, None),
}
_CLONE = (56, 220)
_CLONE3 = (435, 435)
_IOCTL = (16, 29)
_SHMGET = (29, 194)
_LARGEST_SEGMENT = 1 << 16
_SOCKET = (41, 198)
_SOCKETPAIR = (53, 199)


def filter_for(machine: str) -> bytes:
    """Build the filter.

    Args:
        machine: The processor, as `os.uname().machine` names it.

    Returns:
        The instructions, as `bwrap --seccomp` reads them.

    Raises:
        KeyError: No table for that processor.
    """
    architecture = ARCHITECTURES[machine]
    column = architecture.column
    fail = _FAIL_WITH | EPERM
    program = [
        *_load(_ARCHITECTURE),
        # 32-bit programs have a table of calls of their own: none of it.
        *_unless(_JUMP_IF_EQUAL, architecture.audit, _FAIL_WITH | ENOSYS),
        *_load(_NUMBER),
    ]
    if architecture.has_x32:
        program += _when(_JUMP_IF_AT_LEAST, _X32, [_returning(_FAIL_WITH | ENOSYS)])
    for numbers in _DENIED.values():
        number = numbers[column]
        if number is not None:
            program += _when(_JUMP_IF_EQUAL, number, [_returning(fail)])
    # Its flags are behind a pointer, where no filter can look. Libraries fall back to clone.
    program += _when(_JUMP_IF_EQUAL, _CLONE3[column], [_returning(_FAIL_WITH | ENOSYS)])
    program += _when(
        _JUMP_IF_EQUAL,
        _CLONE[column],
        [
            *_argument(0),
            *_when(_JUMP_IF_ANY_BIT, _NEW_NAMESPACES, [_returning(fail)]),
            _returning(_ALLOW),
        ],
    )
    program += _when(
        _JUMP_IF_EQUAL,
        _IOCTL[column],
        [*_argument(1), *_any_of((_TIOCSTI, _TIOCLINUX), fail), _returning(_ALLOW)],
    )
    # System V shared memory belongs to no process: no limit of one, and no watch on all, sees it.
    program += _when(
        _JUMP_IF_EQUAL,
        _SHMGET[column],
        [
            *_argument(1, upper=True),
            *_unless(_JUMP_IF_EQUAL, 0, _FAIL_WITH | ENOSPC),
            *_argument(1),
            *_when(_JUMP_IF_AT_LEAST, _LARGEST_SEGMENT + 1, [_returning(_FAIL_WITH | ENOSPC)]),
            _returning(_ALLOW),
        ],
    )
    for call in (_SOCKET, _SOCKETPAIR):
        program += _when(
            _JUMP_IF_EQUAL,
            call[column],
            [
                *_argument(0),
                *_any_of(_FAMILIES, _ALLOW),
                _returning(_FAIL_WITH | EAFNOSUPPORT),
            ],
        )
    program.append(_returning(_ALLOW))
    return b"".join(program)


def _instruction(code: int, value: int, if_true: int = 0, if_false: int = 0) -> bytes:
    """Encode a struct sock_filter; jumps count instructions to skip."""
    return struct.pack("=HBBI", code, if_true, if_false, value)


def _load(offset: int) -> list[bytes]:
    """Take a word of the call to be judged into the accumulator."""
    return [_instruction(_LOAD_WORD, offset)]


def _argument(index: int, *, upper: bool = False) -> list[bytes]:
    """Take half of an argument into the accumulator."""
    return _load(_ARGUMENTS + 8 * index + 4 * upper)


def _returning(verdict: int) -> bytes:
    """End with a verdict."""
    return _instruction(_RETURN, verdict)


def _when(condition: int, value: int, then: list[bytes]) -> list[bytes]:
    """Do something if the accumulator fits."""
    return [_instruction(condition, value, if_false=len(then)), *then]


def _unless(condition: int, value: int, verdict: int) -> list[bytes]:
    """End with a verdict if the accumulator does not fit."""
    return [_instruction(condition, value, if_true=1), _returning(verdict)]


def _any_of(values: Iterable[int], verdict: int) -> list[bytes]:
    """End with a verdict if the accumulator is one of the values."""
    program: list[bytes] = []
    for value in values:
        program += _when(_JUMP_IF_EQUAL, value, [_returning(verdict)])
    return program
