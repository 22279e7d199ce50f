"""Machines that cannot run sandboxes, each simulated."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from pathlib import Path

import attrs
import pytest

from agb.local.failures import MachineUnfit
from agb.local.machine import diagnosis
from agb.local.machine.bubblewrap import Bubblewrap
from agb.local.machine.diagnosis import Attempt
from agb.local.sandboxes.sandboxes import Sandboxes
from agb.local.settings import Settings

from ..support.machines import GOOD

BWRAP = Bubblewrap(path="/usr/bin/bwrap", directory="/usr/bin", bundled=False)
NO_NAMESPACES = "bwrap: No permissions to create new namespace, likely because the kernel …"


def explain(errors, **facts):
    attempts = [Attempt(bubblewrap=BWRAP, errors=errors)]
    return str(diagnosis.explain(attrs.evolve(GOOD, **facts), attempts))


def test_apparmor():
    """AppArmor's restriction is named with a profile for exactly this bubblewrap."""
    said = explain("bwrap: setting up uid map: Permission denied", apparmor_restricts=True)

    assert "AppArmor restricts user namespaces" in said
    assert "profile agb-bwrap /usr/bin/bwrap flags=(unconfined)" in said
    assert "sysctl -w kernel.apparmor_restrict_unprivileged_userns=0" in said
    assert "bwrap: setting up uid map: Permission denied" in said
    assert "\n" not in said


def test_sysctls():
    """The two settings that turn user namespaces off are named with the command that sets them."""
    said = explain(NO_NAMESPACES, userns_clone=0)
    assert "sudo sysctl -w kernel.unprivileged_userns_clone=1" in said

    said = explain(
        "bwrap: Creating new namespace failed: No space left on device", max_user_namespaces=0
    )
    assert "sudo sysctl -w user.max_user_namespaces=15000" in said


def test_containers():
    """A container's filter and its hidden /proc are named with the options that lift them."""
    for said in (
        explain(NO_NAMESPACES, in_container=True, seccomp_filtered=True),
        explain("bwrap: Can't mount proc on /newroot/proc: Operation not permitted"),
    ):
        assert "container" in said
        assert "--security-opt seccomp=unconfined" in said
        assert "--security-opt systempaths=unconfined" in said


def test_other_refusals():
    """A refusal without a known cause says so and repeats what was heard."""
    said = explain("bwrap: Creating new namespace failed: Operation not permitted")
    assert "SELinux" in said

    assert "said: nothing)" in explain("")
    assert "does not start in a sandbox" in explain("Traceback …: No module named 'encodings'")


def test_unfit_bubblewraps():
    """A bubblewrap for another system, and one that is too old, lead to the distribution's own."""
    for errors in (
        "[Errno 8] Exec format error: '/x/bwrap'",
        "[Errno 2] No such file or directory: '/x/bwrap'",
        "/x/bwrap: error while loading shared libraries: libcap.so.2",
        "/x/bwrap: /lib/libc.so.6: version `GLIBC_2.38' not found",
    ):
        assert "does not run on this system" in explain(errors)
        assert "sudo apk add bubblewrap" in explain(errors)
    assert "too old" in explain("bwrap: Unknown option --disable-userns")


def executable(path: Path, content: bytes) -> str:
    path.write_bytes(content)
    path.chmod(path.stat().st_mode | stat.S_IXUSR | stat.S_IXGRP | stat.S_IXOTH)
    return str(path)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"#!/no/such/loader\n", "does not run on this system"),
        (b"\x7fELF\x02\x01\x01" + bytes(11) + b"\xf3" + bytes(100), "does not run on this system"),
        (b"#!/bin/sh\necho 'bwrap: Unknown option --disable-userns' >&2; exit 1\n", "too old"),
        (b"#!/bin/sh\necho 'bwrap: a word' >&2; exit 1\n", "said: bwrap: a word)"),
        (b"#!/bin/sh\nexit 0\n", "said: nothing)"),
    ],
)
async def test_starting_with_a_bad_bubblewrap(folder, content, said):
    """A bubblewrap that does not work is found out by trying it, and nothing is left."""
    place = Path(folder).parent
    place.chmod(0o755)
    settings = Settings(bwrap=executable(place / "bwrap", content), directory=str(place))
    with pytest.raises(MachineUnfit) as caught:
        await Sandboxes.start(settings)

    assert said in str(caught.value)
    assert [path.name for path in place.iterdir()] == ["bwrap"]


async def test_a_bubblewrap_that_dies_early(tmp_path):
    """What a bubblewrap leaves that dies before naming its child is found and ended."""
    tmp_path.chmod(0o755)
    leaving = b"#!/bin/sh\nsleep 987.4 &\nkill -9 $$\n"
    with pytest.raises(MachineUnfit):
        await Sandboxes.start(Settings(bwrap=executable(tmp_path / "bwrap", leaving)))

    left = subprocess.run(["pgrep", "-f", "^sleep 987.4"], capture_output=True, check=False)
    assert left.stdout == b""


@pytest.mark.skipif(os.geteuid() != 0, reason="only root drops its rights")
async def test_closed_directories(tmp_path):
    """A directory that only root can read is named with the command that opens it."""
    tmp_path.chmod(0o700)
    bwrap = executable(tmp_path / "bwrap", b"")
    with pytest.raises(MachineUnfit, match=f"chmod -R go.rX {tmp_path}"):
        await Sandboxes.start(Settings(bwrap=bwrap))

    with pytest.raises(MachineUnfit, match="AGB_LOCAL_DIRECTORY"):
        await Sandboxes.start(Settings(directory=str(tmp_path)))


DENIED = """
import asyncio, ctypes, struct, sys
from agb.local.failures import MachineUnfit
from agb.local.sandboxes.sandboxes import Sandboxes
from agb.local.settings import Settings

# What a container's usual filter does: no namespaces. clone3 is there but cannot be judged.
def rule(code, value, yes=0, no=0):
    return struct.pack("=HBBI", code, yes, no, value)
numbers = {"x86_64": (272, 56, 435), "aarch64": (97, 220, 435)}[__import__("os").uname().machine]
program = b"".join([
    rule(0x20, 0),
    rule(0x15, numbers[0], 0, 1), rule(0x06, 0x00050001),
    rule(0x15, numbers[2], 0, 1), rule(0x06, 0x00050000 | 38),
    rule(0x15, numbers[1], 0, 3), rule(0x20, 16), rule(0x45, 0x7E020000, 0, 1),
    rule(0x06, 0x00050001), rule(0x06, 0x7FFF0000),
])
class Program(ctypes.Structure):
    _fields_ = [("count", ctypes.c_ushort), ("rules", ctypes.c_char_p)]
libc = ctypes.CDLL(None)
assert libc.prctl(38, 1, 0, 0, 0) == 0
assert libc.prctl(22, 2, ctypes.byref(Program(len(program) // 8, program))) == 0
try:
    asyncio.run(Sandboxes.start(Settings.from_environment()))
except MachineUnfit as unfit:
    print(unfit)
"""


def test_a_container_for_real():
    """Under a filter that denies namespaces, as containers have it, the cause is recognised."""
    done = subprocess.run(
        [sys.executable, "-c", DENIED], capture_output=True, text=True, timeout=60, check=False
    )

    assert done.stderr == ""
    assert "docker run" in done.stdout
    assert "\n" not in done.stdout.strip()
