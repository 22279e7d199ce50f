"""The filter of system calls, judged as the kernel judges it."""

from __future__ import annotations

import struct

import pytest

from agb.local.machine import seccomp

EPERM, ENOSYS, EAFNOSUPPORT = 1, 38, 97
ALLOWED = None


def judge(program, architecture, number, *arguments):
    """Run a filter on a call; return the error it fails with, or None."""
    words = struct.pack(
        "=iIQ6Q", number, architecture.audit, 0, *arguments, *[0] * (6 - len(arguments))
    )
    at = accumulator = 0
    while True:
        code, yes, no, value = struct.unpack_from("=HBBI", program, at * 8)
        at += 1
        if code == 0x20:
            (accumulator,) = struct.unpack_from("=I", words, value)
        elif code == 0x06:
            return ALLOWED if value == 0x7FFF0000 else value & 0xFFFF
        else:
            true = {
                0x15: accumulator == value,
                0x35: accumulator >= value,
                0x45: bool(accumulator & value),
            }[code]
            at += yes if true else no


@pytest.mark.parametrize("machine", ["x86_64", "aarch64"])
def test_filter(machine):
    """Each listed call is denied, with the error that lets programs go on; others are allowed."""
    architecture = seccomp.ARCHITECTURES[machine]
    program = seccomp.filter_for(machine)
    column = architecture.column

    def said(numbers, *arguments):
        return judge(program, architecture, numbers[column], *arguments)

    for name, numbers in seccomp._DENIED.items():
        if numbers[column] is not None:
            assert said(numbers) == EPERM, name
    assert said((435, 435)) == ENOSYS
    assert said((56, 220), 0x11) is ALLOWED
    for flag in (0x20000, 0x2000000, 0x4000000, 0x8000000, 0x10000000, 0x20000000, 0x40000000):
        assert said((56, 220), flag | 0x11) == EPERM
    assert said((16, 29), 0, 0x5401) is ALLOWED
    assert said((16, 29), 0, 0x5412) == EPERM
    assert said((16, 29), 0, 0x5412 | 1 << 32) == EPERM
    assert said((41, 198), 2) is ALLOWED
    assert said((41, 198), 40) == EAFNOSUPPORT
    for harmless in ((0, 63), (1, 64), (257, 56), (59, 221)):  # read, write, openat, execve
        assert said(harmless) is ALLOWED


def test_other_architectures():
    """Calls of another architecture and of the x32 table do not exist."""
    x86 = seccomp.ARCHITECTURES["x86_64"]
    program = seccomp.filter_for("x86_64")
    i386 = seccomp.Architecture(audit=0x40000003, column=0, has_x32=False)

    assert judge(program, i386, 3) == ENOSYS
    assert judge(program, x86, 0x40000000) == ENOSYS
    with pytest.raises(KeyError):
        seccomp.filter_for("riscv64")
