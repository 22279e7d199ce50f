"""`agb doctor`: on this machine, on machines that can't isolate, and on other systems."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from types import SimpleNamespace

import pytest
from typer.testing import CliRunner

from agb.local import commands
from agb.local.doctor import examination as doctor
from agb.local.doctor import self_test
from agb.local.doctor.self_test import Outcome
from agb.local.machine import facts as machine
from agb.local.machine import programs
from agb.local.settings import Settings

from ..support.users import AS_ORDINARY_USER

DOCTOR = [sys.executable, "-m", "agb.local", "doctor"]
USERS = ["root", "ordinary user"] if os.geteuid() == 0 else ["ordinary user"]
KEYS = {
    "schema": int,
    "agb": str,
    "works": bool,
    "tier": str,
    "why": list,
    "problem": type(None),
    "missing": list,
    "machine": dict,
    "programs": list,
    "limits": list,
    "probes": list,
}


def run(*options: str, prefix: tuple[str, ...] = (), **variables: str):
    return subprocess.run(
        [*prefix, *DOCTOR, *options],
        capture_output=True,
        text=True,
        timeout=90,
        env={**os.environ, **variables},
    )


@pytest.mark.parametrize("user", USERS)
def test_a_machine_that_isolates(user):
    """The tier fits the user, ten probes are contained, and the JSON has its documented keys."""
    other = user != "root" and os.geteuid() == 0
    ended = run("--json", prefix=AS_ORDINARY_USER if other else ())
    report = json.loads(ended.stdout)
    if report["tier"] is None:
        pytest.skip(report["problem"])

    assert (ended.returncode, ended.stderr) == (0, "")
    assert {key: type(value) for key, value in report.items()} == KEYS
    assert (report["schema"], report["works"]) == (1, True)
    assert report["tier"] in (("full", "standard") if user == "root" else ("standard",))
    assert len(report["probes"]) == 10
    assert all(probe["contained"] and not probe["got"] for probe in report["probes"])
    assert [each["name"] for each in report["programs"]] == ["bwrap", "python", "node", "java", "R"]
    assert all(each["version"] for each in report["programs"][:2])
    assert all(bool(each["path"]) != bool(each["remedy"]) for each in report["programs"])
    assert all(each["what"] and each["remedy"] for each in report["missing"])
    memory = report["limits"][0]
    assert (memory["variable"], memory["value"]) == ("AGB_LOCAL_MAX_MEMORY", "2 GiB")
    assert memory["kept_by"] == ("server" if other else memory["kept_by"])


def test_a_machine_that_cannot_isolate():
    """The cause and the remedy are named, nothing is run, and the exit code is 1."""
    ended = run(AGB_LOCAL_BWRAP="/bin/false")

    assert (ended.returncode, ended.stderr) == (1, "")
    assert "isolation: none is possible here, so no session starts\n" in ended.stdout
    assert "To repair it, install bubblewrap 0.8 or later" in ended.stdout
    assert "self-test" not in ended.stdout
    assert "AGB_LOCAL_MAX_MEMORY" in ended.stdout

    report = json.loads(run("--json", AGB_LOCAL_BWRAP="/nowhere/bwrap").stdout)
    assert (report["works"], report["tier"], report["probes"]) == (False, None, [])
    assert "AGB_LOCAL_BWRAP names '/nowhere/bwrap'" in report["problem"]


def test_the_server_names_the_doctor():
    """A server that refuses its machine says who tells more."""
    command = [sys.executable, "-m", "agb.local", "serve", "--port", "0"]
    environment = {**os.environ, "AGB_LOCAL_BWRAP": "/bin/false"}
    ended = subprocess.run(command, capture_output=True, text=True, timeout=60, env=environment)

    assert ended.returncode == 3
    assert "To repair it" in ended.stderr
    assert ended.stderr.endswith("`agb doctor` says more about this machine.\n")


def test_a_setting_that_is_none():
    """A variable with a wrong value is named in one line."""
    ended = run(AGB_LOCAL_MAX_MEMORY="much")

    assert (ended.returncode, ended.stdout) == (1, "")
    assert ended.stderr.startswith("agb doctor: AGB_LOCAL_MAX_MEMORY must be a size")
    assert ended.stderr.count("\n") == 1


def test_a_probe_that_gets_through(monkeypatch):
    """A sandbox that does not hold is called one that does not, and the exit code is 1."""

    async def attacked(sandboxes, state):
        return [
            Outcome(name="files_of_host", tries="Read a home", got="['/root']"),
            Outcome(name="interfaces", tries="Find a network", got=""),
        ]

    monkeypatch.setattr(self_test, "run", attacked)
    ended = CliRunner().invoke(commands.app, ["doctor"])

    assert ended.exit_code == 1
    assert "do not hold: files_of_host got through" in ended.stdout
    assert "Read a home     got ['/root']\n" in ended.stdout
    assert "Find a network  contained\n" in ended.stdout


@pytest.mark.parametrize(("platform", "name"), [("darwin", "macOS"), ("win32", "Windows")])
def test_other_systems(monkeypatch, platform, name):
    """On macOS and Windows both commands say what works there and what does not."""
    # Not for all modules: what the commands are made of would look for files of that system.
    monkeypatch.setattr(machine, "sys", SimpleNamespace(platform=platform))
    served = CliRunner().invoke(commands.app, ["serve"])
    examined = CliRunner().invoke(commands.app, ["doctor"])
    report = json.loads(CliRunner().invoke(commands.app, ["doctor", "--json"]).stdout)

    assert (served.exit_code, examined.exit_code) == (3, 1)
    for said in (served.output, examined.output, report["problem"]):
        assert f"need Linux, and this is {name}" in said
        assert "set AGB_API_KEY and no AGB_ENDPOINT" in said
        assert "`agb serve` that runs on Linux" in said
        assert "does not work here are AGB.local()" in said
    assert (report["tier"], report["programs"], report["limits"]) == (None, [], [])
    assert report["machine"]["system"] == name


@pytest.mark.parametrize(
    ("release", "command"),
    [
        ({"ID": "debian"}, "sudo apt install r-base-core"),
        ({"ID": "linuxmint", "ID_LIKE": "ubuntu debian"}, "sudo apt install r-base-core"),
        ({"ID": "rocky", "ID_LIKE": "rhel centos fedora"}, "sudo dnf install R-core"),
        ({"ID": "arch"}, "sudo pacman -S r"),
        ({"ID": "alpine"}, "sudo apk add R"),
        ({"ID": "opensuse-leap", "ID_LIKE": "suse opensuse"}, "sudo zypper install R-base"),
    ],
)
def test_how_to_install(monkeypatch, release, command):
    """What is missing comes with the command of this distribution."""
    monkeypatch.setattr(programs.platform, "freedesktop_os_release", lambda: release)

    assert programs.install("R") == command
    assert programs.install("node").endswith(" nodejs")


def test_how_to_install_on_an_unknown_distribution(monkeypatch):
    """Where the distribution is not known, the commands of the usual ones are all there."""
    monkeypatch.setattr(programs.platform, "freedesktop_os_release", lambda: {"ID": "own"})

    said = programs.install("bwrap")
    assert said.startswith("sudo apt install bubblewrap, or sudo dnf install bubblewrap, or ")


def test_a_missing_program(monkeypatch, tmp_path):
    """A program that is not on the PATH has a remedy; one that says nothing has no version."""
    monkeypatch.setenv("PATH", str(tmp_path))
    missing = programs.look("R", "cells in r", None)
    mute = programs.look("node", "cells in javascript", "/bin/true", "x")

    assert (missing.path, missing.version) == (None, None)
    assert missing.remedy
    assert (mute.path, mute.version, mute.remedy) == ("/bin/true", None, None)


def test_limits_without_cgroups():
    """Who keeps a limit is told as it is; processors are not limited without cgroups."""
    limits = {each.of: each for each in doctor._limits(Settings(max_cpus=1.5), None)}

    assert limits["memory"].kept_by == "server"
    assert limits["processors kept busy"].value == "not limited"
    assert limits["/tmp"].value == "512 MiB"
