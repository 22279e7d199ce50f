"""AGB_LOCAL_ISOLATION=none: sessions of ordinary processes, where there are no namespaces."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys

import pytest
from typer.testing import CliRunner

from agb.local import commands
from agb.local.settings import Settings
from agb.local.variables import InvalidSetting

from ..support.users import AS_ORDINARY_USER

USERS = ["root", "ordinary user"] if os.geteuid() == 0 else ["ordinary user"]

# What a container's usual filter does: it denies new namespaces, and clone3 is not there.
WITHOUT_NAMESPACES = """
import ctypes, os, struct, sys
def rule(code, value, yes=0, no=0):
    return struct.pack("=HBBI", code, yes, no, value)
unshare, clone = {"x86_64": (272, 56), "aarch64": (97, 220)}[os.uname().machine]
program = b"".join([
    rule(0x20, 0),
    rule(0x15, unshare, 0, 1), rule(0x06, 0x00050001),
    rule(0x15, 435, 0, 1), rule(0x06, 0x00050000 | 38),
    rule(0x15, clone, 0, 3), rule(0x20, 16), rule(0x45, 0x7E020000, 0, 1),
    rule(0x06, 0x00050001), rule(0x06, 0x7FFF0000),
])
class Program(ctypes.Structure):
    _fields_ = [("count", ctypes.c_ushort), ("rules", ctypes.c_char_p)]
libc = ctypes.CDLL(None)
assert libc.prctl(38, 1, 0, 0, 0) == 0
assert libc.prctl(22, 2, ctypes.byref(Program(len(program) // 8, program))) == 0
os.execv(sys.argv[1], sys.argv[1:])
"""
PROGRAM = """
import json, os, subprocess
from agb import AGB, ContextSync, CreateSessionParams
def alive(seconds):
    found = ["pgrep", "-c", "-u", str(os.geteuid()), "-xf", "sleep " + seconds]
    return int(subprocess.run(found, capture_output=True).stdout)
with AGB.local() as agb:
    created = agb.create()
    if not created.success:
        print(json.dumps({"refused": created.error_message}))
        raise SystemExit
    session, other = created.session, agb.create().session
    run = lambda code, language="python": session.code.run_code(code, language).result
    said = {"tier": session.info().data["isolation"]}
    said["cells"] = [run("x = 41"), run("x + 1")]
    said["home"] = session.command.execute_command("pwd; echo $HOME").stdout.split()
    session.file_system.write_file("~/a.txt", "kept")
    said["file"] = [session.file_system.read_file("a.txt").content]
    said["file"].append(session.command.execute_command("cat a.txt").stdout)
    said["beside"] = other.file_system.read_file("a.txt").success
    leave = "sleep {0} </dev/null >/dev/null 2>&1 & setsid sleep {0} & echo $!"
    session.command.execute_command(leave.format("986.5"))
    other.command.execute_command(leave.format("985.5"))
    session.delete()
    said["alive"] = [alive("986.5"), alive("985.5")]
    context = agb.context.get("c", create=True).context
    sync = ContextSync.new(context.id, "/home/user/c")
    said["context"] = agb.create(CreateSessionParams(context_syncs=[sync])).error_message
    said["ended"] = other.command.execute_command("kill -9 $PPID; sleep 9").error_message
print(json.dumps(said))
"""


def run(user: str, *, isolation: str) -> dict:
    """Run the program where no namespaces can be made."""
    other = user != "root" and os.geteuid() == 0
    prefix = AS_ORDINARY_USER if other else ()
    filtered = [sys.executable, "-c", WITHOUT_NAMESPACES, sys.executable, "-c", PROGRAM]
    done = subprocess.run(
        [*prefix, *filtered],
        capture_output=True,
        text=True,
        timeout=100,
        env={**os.environ, "AGB_LOCAL_ISOLATION": isolation},
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.parametrize("user", USERS)
def test_sessions_without_namespaces(user):
    """Code, commands and files work in a directory of the session, and end with it."""
    said = run(user, isolation="none")

    assert said["tier"] == "none"
    assert said["cells"][1] == "42"
    assert said["home"][0] == said["home"][1]
    assert re.search(r"/agb-\w+/sessions/\d+$", said["home"][0])
    assert said["file"] == ["kept", "kept"]
    assert said["beside"] is False
    # Those of the deleted session are gone, those of the other one are not.
    assert said["alive"] == [0, 2]
    assert "without isolation (AGB_LOCAL_ISOLATION=none)" in said["context"]
    assert "This session has ended" in said["ended"]
    assert "sandbox" not in json.dumps(said).lower()


@pytest.mark.parametrize("user", USERS)
def test_it_has_to_be_asked_for(user):
    """By default such a machine is refused, with the remedy, and with who tells more."""
    refused = run(user, isolation="")["refused"]

    assert "Local sandboxes cannot run here" in refused
    assert "docker run" in refused
    assert "`agb doctor`" in refused


def test_it_is_loudly_named(monkeypatch):
    """Log and doctor say what it means, and the doctor does not call it working."""
    monkeypatch.setenv("AGB_LOCAL_ISOLATION", "none")
    command = [sys.executable, "-m", "agb.local"]
    server = subprocess.Popen(
        [*command, "serve", "--port", "0", "--state", "none"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    for line in server.stdout:
        if "Ctrl+C" in line:
            break
    server.terminate()
    _, log = server.communicate(timeout=30)
    examined = subprocess.run([*command, "doctor"], capture_output=True, text=True, timeout=60)
    report = json.loads(CliRunner().invoke(commands.app, ["doctor", "--json"]).stdout)

    loud = "NO ISOLATION. The code of sessions runs as ordinary processes of"
    assert f"WARNING AGB_LOCAL_ISOLATION=none: {loud}" in log
    assert "INFO isolation: none (AGB_LOCAL_ISOLATION=none" in log
    assert "sandbox" not in log.lower()
    assert examined.returncode == 1
    assert "isolation: none\n" in examined.stdout
    assert loud in examined.stdout
    assert (report["works"], report["tier"], report["probes"]) == (False, "none", [])
    assert report["missing"][0]["remedy"] == "unset AGB_LOCAL_ISOLATION"


def test_other_values_are_none():
    """What is neither `auto` nor `none` is refused, so that nobody is without by a slip."""
    with pytest.raises(InvalidSetting, match="AGB_LOCAL_ISOLATION must be auto or none"):
        Settings.from_environment({"AGB_LOCAL_ISOLATION": "off"})
