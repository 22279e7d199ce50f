"""The tier of isolation, for machines of every kind."""

from __future__ import annotations

import attrs
import pytest

from agb.local.machine.cgroups import CONTROLLERS, Groups, Place
from agb.local.machine.facts import Facts
from agb.local.machine.tiers import Isolation

ROOT = Facts(
    system="Linux",
    processor="x86_64",
    kernel=(6, 1),
    is_root=True,
    capabilities=(1 << 41) - 1,
    seccomp_filtered=False,
    in_container=False,
    apparmor_restricts=False,
    userns_clone=None,
    max_user_namespaces=9999,
)
ALL = Groups(places=dict.fromkeys(CONTROLLERS, Place(2, "/sys/fs/cgroup/agb")))
OFF = Groups(missing=dict.fromkeys(CONTROLLERS, "turned off by AGB_LOCAL_CGROUPS"))
DENIED = Groups(missing=dict.fromkeys(CONTROLLERS, "Permission denied: /sys/fs/cgroup/agb"))
NO_CPU = Groups(
    places={name: ALL.places[name] for name in ("memory", "pids")},
    missing={"cpu": "not offered by this machine"},
)


def isolation(groups=ALL, **facts):
    return Isolation.of_sandboxes(attrs.evolve(ROOT, **facts), groups)


@pytest.mark.parametrize(
    ("groups", "is_root", "tier"),
    [
        (ALL, True, "full"),
        (NO_CPU, True, "full"),
        (OFF, True, "standard"),
        (ALL, False, "standard"),
        (DENIED, False, "standard"),
    ],
)
def test_tiers(groups, is_root, tier):
    """`full` takes a user for each session and limits of memory and processes by the kernel."""
    assert isolation(groups, is_root=is_root).tier == tier


def test_reasons():
    """The reasons say who keeps sessions apart, and who keeps which limit."""
    assert "each session has a user id of its own" in str(isolation())
    assert "the kernel limits memory, processes and processors (cgroups v2)" in str(isolation())
    assert isolation().missing == ()

    ordinary = str(isolation(DENIED, is_root=False))
    assert ordinary.startswith("standard (")
    assert "share its user id" in ordinary
    assert "watches memory and processes" in ordinary


@pytest.mark.parametrize(
    ("groups", "facts", "remedy"),
    [
        (OFF, {}, "unset AGB_LOCAL_CGROUPS"),
        (DENIED, {"in_container": True}, "docker run --user 0 --cgroupns host"),
        (DENIED, {}, "mount -t cgroup2"),
        (DENIED, {"is_root": False}, "systemd-run --user --scope -p Delegate=yes agb serve"),
    ],
)
def test_remedies(groups, facts, remedy):
    """What is missing is named with its cause and with what to do about it."""
    missing = isolation(groups, **facts).missing[-1]

    assert missing.what.startswith("control groups for memory, processes and processors: ")
    assert missing.what.endswith(groups.missing["memory"].partition(": ")[0])
    assert remedy in missing.remedy


def test_a_user_for_each_session():
    """An ordinary user is told what only root can give."""
    (missing,) = isolation(is_root=False).missing

    assert "user id for each session" in missing.what
    assert missing.remedy.startswith("sudo ")
