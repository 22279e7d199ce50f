"""Which control groups are used, on machines of each kind; a machine is a tree of files here."""

import os

import pytest

from agb.local.machine.cgroups import Groups
from agb.local.settings import Settings
from agb.local.spawner import groups
from agb.local.variables import MIB


class Machine:
    """What `/proc` and `/sys` of a machine say."""

    def __init__(self, root):
        self.root = root
        (root / "proc/self").mkdir(parents=True)

    def write(self, path, text):
        file = self.root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)

    def prepare(self, wanted=True):
        return Groups.prepare("agb-x", wanted=wanted, root=str(self.root))


@pytest.fixture
def machine(tmp_path):
    return Machine(tmp_path)


@pytest.fixture
def version_1(machine):
    """Two hierarchies, in one of which this process is in a group."""
    machine.write("proc/self/cgroup", "4:memory:/mine\n1:cpu,cpuacct:/\n0::/\n")
    machine.write(
        "proc/self/mountinfo",
        "30 20 0:1 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n"
        "31 20 0:2 / /sys/fs/cgroup/cpu rw - cgroup cgroup rw,cpu,cpuacct\n",
    )
    return machine


@pytest.fixture
def version_2(machine):
    """One hierarchy; the group of this process has processes, that above has none."""
    machine.write("proc/self/cgroup", "0::/user/app/shell\n")
    machine.write(
        "proc/self/mountinfo", "30 20 0:1 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw,nsdelegate\n"
    )
    for group in ("user", "user/app", "user/app/shell"):
        for name, text in {
            "cgroup.type": "domain\n",
            "cgroup.controllers": "cpu memory pids\n",
            "cgroup.subtree_control": "cpu memory pids\n",
            "cgroup.procs": "",
        }.items():
            machine.write(f"sys/fs/cgroup/{group}/{name}", text)
    machine.write("sys/fs/cgroup/user/app/shell/cgroup.procs", "17\n")
    return machine


class Kernel:
    """Makes the files of a group appear with its directory, as the kernel does."""

    def __init__(self, monkeypatch, names):
        really = os.mkdir

        def mkdir(path, *rest, **more):
            really(path, *rest, **more)
            for name in names:
                with open(os.path.join(path, name), "w") as file:
                    file.write("cpu memory pids" if "subtree" in name else "")

        def rmdir(path):
            for name in names:
                os.unlink(os.path.join(path, name))
            really_remove(path)

        really_remove = os.rmdir
        monkeypatch.setattr(os, "mkdir", mkdir)
        monkeypatch.setattr(os, "rmdir", rmdir)


def test_version_1(version_1, monkeypatch):
    """Each controller has a place of its own, below the group this process is in."""
    (version_1.root / "sys/fs/cgroup/memory/mine").mkdir(parents=True)
    (version_1.root / "sys/fs/cgroup/cpu").mkdir(parents=True)
    Kernel(monkeypatch, ["memory.limit_in_bytes", "cpu.cfs_quota_us", "cpu.shares"])
    found = version_1.prepare()

    memory, cpu = found.of_session(7, Settings(max_memory_bytes=MIB, max_cpus=1.5))
    assert memory.path == str(version_1.root / "sys/fs/cgroup/memory/mine/agb-x/7")
    assert memory.values[0] == ("memory.limit_in_bytes", str(MIB))
    assert cpu.path == str(version_1.root / "sys/fs/cgroup/cpu/agb-x/7")
    assert cpu.values == (("cpu.cfs_period_us", "100000"), ("cpu.cfs_quota_us", "150000"))
    assert found.counters(7) == f"{memory.path}/memory.oom_control"
    assert found.missing == {"pids": "not offered by this machine"}


def test_version_2(version_2, monkeypatch):
    """All controllers share one place: the nearest group that has no processes of its own."""
    names = ["memory.max", "pids.max", "cpu.max", "cpu.weight", "cgroup.subtree_control"]
    Kernel(monkeypatch, names)
    found = version_2.prepare()

    (group,) = found.of_session(7, Settings(max_memory_bytes=MIB))
    assert group.path == str(version_2.root / "sys/fs/cgroup/user/app/agb-x/7")
    assert dict(group.values) == {
        "memory.max": str(MIB),
        "?memory.swap.max": "0",
        "?memory.oom.group": "0",
        "pids.max": "768",
    }
    assert found.counters(7) == f"{group.path}/memory.events"
    assert found.missing == {}


def test_nothing_allowed(version_2, monkeypatch):
    """Where no group may be made, each controller says why, and nothing is left of the attempt."""

    def refuse(path, *rest, **more):
        raise PermissionError(13, "Permission denied", path)

    monkeypatch.setattr(os, "mkdir", refuse)
    found = version_2.prepare()

    assert found.places == {}
    assert found.counters(7) is None
    assert found.of_session(7, Settings()) == []
    assert all(why.startswith("Permission denied: /") for why in found.missing.values())
    assert not (version_2.root / "sys/fs/cgroup/user/app/agb-x").exists()


def test_turned_off(version_2):
    """The setting turns all of them off, and is named as the reason."""
    found = version_2.prepare(wanted=False)

    assert set(found.missing.values()) == {"turned off by AGB_LOCAL_CGROUPS"}


def test_no_groups_at_all(machine):
    """A machine without control groups is one where none is offered."""
    assert set(machine.prepare().missing.values()) == {"not offered by this machine"}


def test_entering(tmp_path, monkeypatch):
    """A session's group is made and limited before anything enters it, and removed when empty."""
    Kernel(monkeypatch, ["memory.max", "cgroup.procs"])
    path = str(tmp_path / "agb-x/7")
    with groups.entered([(path, [("memory.max", "5"), ("?memory.swap.max", "0")])]) as enter:
        enter()

    assert (tmp_path / "agb-x/7/memory.max").read_text() == "5"
    assert (tmp_path / "agb-x/7/cgroup.procs").read_text() == "0"
    groups.remove_all([str(tmp_path / "agb-x")])
    assert os.listdir(tmp_path) == []


def test_limit_that_is_not_there(tmp_path):
    """A limit that cannot be set fails the start of the session: it never runs without."""
    with (
        pytest.raises(FileNotFoundError, match=r"memory\.max"),
        groups.entered([(str(tmp_path / "7"), [("memory.max", "5")])]),
    ):
        pass


def test_no_groups_nothing_to_enter():
    """Without groups a process starts as ever."""
    with groups.entered([]) as enter:
        assert enter is None
