"""What a machine says of itself, and machines that are refused for it."""

from __future__ import annotations

import attrs
import pytest

from agb.local.failures import MachineUnfit
from agb.local.machine import facts
from agb.local.machine.facts import Facts

from ..support.machines import GOOD


def refuse(**differences):
    with pytest.raises(MachineUnfit) as caught:
        facts.check(attrs.evolve(GOOD, **differences))
    return str(caught.value)


def test_a_good_machine():
    """Nothing is refused that may work."""
    facts.check(GOOD)
    facts.check(attrs.evolve(GOOD, is_root=True, capabilities=(1 << 41) - 1))


def test_other_systems():
    """macOS and Windows are told which machine they need."""
    for system in ("macOS", "Windows"):
        said = refuse(system=system)
        assert f"need Linux, and this is {system}" in said
        assert "What works here is the client" in said
        assert "What does not work here are AGB.local()" in said


def test_other_processors_and_old_kernels():
    """A processor without a table of calls and a kernel without pidfds are named."""
    assert "this machine is riscv64" in refuse(processor="riscv64")
    assert "need Linux 5.3 or later, and this is 4.18" in refuse(kernel=(4, 18))


def test_root_without_capabilities():
    """Root that cannot become another user is told which capabilities are missing."""
    said = refuse(is_root=True, capabilities=0b11)

    assert "CAP_KILL, CAP_SETGID, CAP_SETUID" in said
    assert "docker run --cap-add KILL --cap-add SETGID --cap-add SETUID" in said


def test_reading_the_facts(tmp_path):
    """The facts are read where the kernel writes them."""
    for name, text in {
        "proc/self/status": "Name:\tx\nCapEff:\t0000000000200000\nSeccomp:\t2\n",
        "proc/sys/kernel/apparmor_restrict_unprivileged_userns": "1\n",
        "proc/sys/kernel/unprivileged_userns_clone": "0\n",
        "proc/sys/user/max_user_namespaces": "0\n",
        "run/.containerenv": "",
    }.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    facts = Facts.read(str(tmp_path))

    assert facts.apparmor_restricts
    assert (facts.userns_clone, facts.max_user_namespaces) == (0, 0)
    assert facts.seccomp_filtered
    assert facts.in_container
    assert facts.may(21)
    empty = Facts.read(str(tmp_path / "nothing"))
    assert (empty.apparmor_restricts, empty.userns_clone, empty.capabilities) == (False, None, 0)
