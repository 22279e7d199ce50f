"""What is prepared for sandboxes: the filter, users, interpreters, the recipe's files."""

from __future__ import annotations

import os
import struct
import subprocess
import sys
import venv
from pathlib import Path

import pytest

from agb.local import interpreter, recipe, seccomp, users
from agb.local.machine import MachineUnfit
from agb.local.settings import Settings

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


def test_users():
    """Sessions get numbers nobody has; in a small container those of its upper half."""
    everything = "         0          0 4294967295\n"
    first, count = users.session_users(everything, everything)
    assert first > 1_000_000
    assert first + count < 1 << 31
    small = "0 100000 65536\n"
    assert users.session_users(small, small) == (32768, 32766)
    assert users.session_users(everything, small) == (32768, 32766)

    with pytest.raises(MachineUnfit, match="too few user numbers"):
        users.session_users("0 1000 1\n", "0 1000 1\n")


def test_counting_threads():
    """Processes and threads of a user are counted."""
    before = users.threads_of(os.getuid())
    with subprocess.Popen(["sleep", "60"]) as process:
        assert users.threads_of(os.getuid()) > 0 < before
        process.kill()

    assert users.threads_of(4_000_000_000) == 0


def test_entering(tmp_path):
    """A path all users can enter is open to all at each step, through links as well."""
    outer = tmp_path / "outer"
    inner = outer / "inner"
    inner.mkdir(parents=True)
    link = Path("/tmp") / f"agb-link-{os.getpid()}"
    link.symlink_to(inner)
    try:
        for path in (tmp_path, *tmp_path.parents):
            if str(path) == "/tmp":
                break
            path.chmod(0o755)
        outer.chmod(0o755)
        inner.chmod(0o755)
        assert users.can_enter(str(inner))
        assert users.can_enter(str(link))
        outer.chmod(0o700)
        assert not users.can_enter(str(inner))
        assert not users.can_enter(str(link))
    finally:
        link.unlink()


def test_our_interpreter():
    """The interpreter that runs the server brings all it needs and nothing below `/usr`."""
    found = interpreter.find(None)

    assert found.is_ours
    assert found.executable == sys.executable
    assert not any(path.startswith("/usr/") for path in found.directories)
    for needed in (sys.prefix, sys.base_prefix, os.path.dirname(os.path.realpath(sys.executable))):
        assert any(interpreter.is_below(needed, path) for path in ("/usr", *found.directories))


def test_another_interpreter(tmp_path):
    """Another interpreter is asked where it is; one that does not run is named."""
    venv.create(tmp_path / "env")
    python = str(tmp_path / "env" / "bin" / "python")
    found = interpreter.find(python)
    assert (found.executable, found.is_ours) == (python, False)
    assert str(tmp_path / "env") in found.directories

    for broken in ("/nowhere/python", "/bin/false", "/bin/echo"):
        with pytest.raises(MachineUnfit, match=r"does not run.*AGB_LOCAL_PYTHON"):
            interpreter.find(broken)


def test_links_to_an_interpreter(tmp_path):
    """A link on the way is shown as a link, and never what lies beside it."""
    program, tools = os.path.realpath(sys.executable), tmp_path / "tools"
    tools.mkdir()
    (tools / "python3").symlink_to(program)
    (tmp_path / "short").symlink_to("tools")
    venv.create(tmp_path / "env", symlinks=True)
    python = tmp_path / "env" / "bin" / "python"
    python.unlink()
    python.symlink_to("../../short/python3")

    found = interpreter.find(str(python))
    assert dict(found.links) == {f"{tmp_path}/short/python3": program}
    assert str(tmp_path / "env") in found.directories
    assert not any(interpreter.is_below(str(tools), path) for path in found.directories)

    found = interpreter.find(f"{tmp_path}/short/python3")
    assert dict(found.links) == {f"{tmp_path}/short/python3": program}
    assert not any(interpreter.is_below(str(tmp_path), path) for path in found.directories)


def test_an_environment_that_shows_too_much(tmp_path, monkeypatch):
    """An environment that is, or contains, the home directory is refused."""
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    (tmp_path / "home").mkdir()
    for prefix in (tmp_path / "home", tmp_path, Path("/")):
        with pytest.raises(MachineUnfit, match="directory of its own"):
            interpreter._describe(sys.executable, str(prefix), str(prefix), [], is_ours=True)


def test_outermost():
    """Directories below others are left out."""
    paths = ["/opt/b", "/opt/a/x", "/opt/a", "/opt/ab", "/usr/local"]

    assert interpreter.outermost(paths) == ("/opt/a", "/opt/ab", "/opt/b")


def test_etc(tmp_path):
    """The prepared /etc knows one user and tells nothing about the machine."""
    source = tmp_path / "source"
    (source / "ssl").mkdir(parents=True)
    for name in ("passwd", "shadow", "hostname", "ld.so.cache", "ssl/openssl.cnf"):
        (source / name).write_text(f"the machine's {name}")
    target = tmp_path / "etc"
    target.mkdir()
    recipe.prepare_etc(str(target), str(source))

    assert (target / "passwd").read_text().startswith("user:x:1000:1000::/home/user:")
    assert (target / "hostname").read_text() == "sandbox\n"
    assert (target / "ssl/openssl.cnf").read_text() == "the machine's ssl/openssl.cnf"
    assert not (target / "shadow").exists()


def test_system_links(tmp_path):
    """/bin and the like are as they are on the machine: links, or directories."""
    (tmp_path / "bin").symlink_to("usr/bin")
    (tmp_path / "lib").mkdir()

    assert recipe._system_links(str(tmp_path)) == [
        *("--symlink", "usr/bin", "/bin"),
        *("--ro-bind", "/lib", "/lib"),
    ]


def test_compiled_agent(tmp_path):
    """The agent's modules are compiled once for all sandboxes, and need nothing but the library."""
    recipe.prepare_agent(str(tmp_path / "inside"), compiled=True)
    sources = {path.stem for path in (tmp_path / "inside").glob("*.py")}
    compiled = {path.name.split(".")[0] for path in (tmp_path / "inside/__pycache__").iterdir()}
    assert sources == compiled

    subprocess.run(
        [sys.executable, "-I", "-S", "-c", "import sys; sys.path.append('.'); import inside.agent"],
        cwd=tmp_path,
        check=True,
    )


def test_settings():
    """Limits are positive; three variables of the environment are read."""
    settings = Settings.from_environment(
        {"AGB_LOCAL_PYTHON": "/p", "AGB_LOCAL_BWRAP": "", "AGB_LOCAL_DIRECTORY": "/d", "AGB": "x"}
    )
    assert (settings.python, settings.bwrap, settings.directory) == ("/p", None, "/d")

    with pytest.raises(ValueError, match="max_request_bytes"):
        Settings(max_request_bytes=0)
