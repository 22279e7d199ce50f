"""Every probe of `probes.py`, from each place a session's code runs in, as each kind of server."""

from __future__ import annotations

import glob
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from agb.local.doctor import probes

from ..support.users import AS_ORDINARY_USER
from .conftest import KEY

PROGRAM = Path(probes.__file__).read_text() + Path(__file__).with_name("probes.py").read_text()
PLACES = ["command", "cell", "started process"]
LEAST = 65


def facts(target, host_secrets, key):
    """What the probes look for, with the files and processes of this very server."""
    states = [path for path in glob.glob("/var/tmp/agb-*") if "/agb-" in path]
    return {
        **host_secrets,
        "state": states[0] if states else "/var/tmp/agb-",
        "processes": command_lines(target.ready["pid"], target.process.pid),
        "private": [],
        "server_port": target.port,
        "key": key,
        "scratch": "/home/user",
        "host_home": str(Path.home()),
    }


def command_lines(*pids):
    return {str(pid): Path(f"/proc/{pid}/cmdline").read_bytes().decode("latin-1") for pid in pids}


def run(session, place, known):
    """Have the probes run in a place, and return what each got hold of."""
    program = f"FACTS = {known!r}\n{PROGRAM}"
    if place == "command":
        outcome = session.python(program)
        output, complaint = outcome["stdout"], outcome["stderr"]
    elif place == "cell":
        outcome = session.cell(program)
        output, complaint = "".join(outcome["stdout"]), outcome["executionError"]
    else:
        session.tool("write_file", path="attack.py", content=program)
        text, _ = session.tool("start_process", command="python attack.py >said 2>&1")
        started = json.loads(text)
        session.tool("wait_process", process_id=started["process_id"], wait_s=30)
        output = complaint = session.command("cat said")["stdout"]
    lines = [line for line in output.splitlines() if line.startswith("PROBES ")]
    assert lines, complaint
    return json.loads(lines[-1].removeprefix("PROBES "))


@pytest.mark.parametrize("place", PLACES)
def test_probes(target, session, host_secrets, place, table):
    """No probe gets hold of anything."""
    other = target.session()
    other.tool("write_file", path=host_secrets["secret"], content="of another session")
    outcome = run(session, place, facts(target, host_secrets, KEY))
    other.close()
    escaped = {name: got for name, got in outcome.items() if got}

    table(f"probes, {target.mode}, {place}", len(outcome) - len(escaped), len(outcome))
    assert escaped == {}
    assert len(outcome) >= LEAST


def test_probes_without_a_sandbox(host_secrets):
    """Outside of a sandbox the same probes get hold of much: they would notice a hole."""
    command = [sys.executable, "-"]
    if os.geteuid() == 0:
        command = [*AS_ORDINARY_USER, *command]
    known = {
        **host_secrets,
        "state": "/var",
        "processes": command_lines(os.getpid()),
        "private": ["/root"],
        "server_port": host_secrets["port"],
        "key": KEY,
        "scratch": "/var/tmp",
        "host_home": "/",
        "skip": ["writing_outside", "files_of_another_session"],
    }
    said = subprocess.run(
        command,
        input=f"FACTS = {known!r}\n{PROGRAM}",
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    ).stdout
    outcome = json.loads(said.rpartition("PROBES ")[2])

    assert sum(1 for got in outcome.values() if got) >= 40
    assert outcome["host_files_boot"]
    assert "unshare_user" in outcome["mounts_and_namespaces"]
    # Not tried, and not to be had for an ordinary user.
    rest = probes.PROBES.keys() - {"files_of_another_session", "writing_to_programs"}
    assert {name: outcome[name] for name in rest if not outcome[name]} == {}
    assert len(rest) == 8
