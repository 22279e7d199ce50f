"""Attacks on the tools for files, and on what the server itself does with a session's files.

`AGB_ATTACKS=full` runs the races at their full length; see `nox -s attacks`.
"""

from __future__ import annotations

import base64
import json
import os
import time
from pathlib import Path

import pytest

SWAPS = 20_000 if os.environ.get("AGB_ATTACKS") == "full" else 600

# Read by the agent, about itself: nothing of it may come out.
OF_THE_AGENT = [
    "/proc/1/environ",
    "/proc/self/environ",
    "/proc/self/mem",
    "/proc/self/maps",
    "/proc/thread-self/environ",
    "/proc/self/fd/0",
    "/proc/self/fd/3",
    "/proc/self/root/etc/shadow",
    "/proc/1/root/etc/shadow",
    "/proc/1/cwd/../../etc/shadow",
    "/dev/kmsg",
    "/proc/kcore",
    "/proc/kmsg",
]


@pytest.fixture(scope="module")
def opened(target):
    """One session for all attacks on its files."""
    session = target.session()
    yield session
    session.close()


@pytest.fixture
def refused(target, opened, table):
    """Call a tool that has to say no, and return why."""

    def call(name, **arguments):
        text, failed = opened.tool(name, **arguments)
        table(f"file tools, {target.mode}", int(failed), 1)
        assert failed, text
        return text

    return call


@pytest.mark.parametrize("way", ["path", "link", "relative"])
def test_places_outside(opened, refused, host_secrets, way):
    """Neither a path nor a link leads to a file of the host, by whichever tool."""
    for number, aim in enumerate([host_secrets["canary"], "/etc/shadow", "/root/.ssh/id_rsa"]):
        path = {"path": aim, "relative": "../../../../../.." + aim, "link": f"link{number}"}[way]
        if way == "link":
            opened.command(f"ln -sfn '{aim}' link{number}")
        assert "No such file" in refused("read_file", path=path)
        assert "No such file" in refused("read_multiple_files", paths=[path])
        assert "No such file" in refused("read_file", path=path, format="binary")
        refused("edit_file", path=path, edits=[{"oldText": "a", "newText": "b"}])
        refused("list_directory", path=path)
        refused("search_files", path=path, pattern="*")
        if way != "link":
            refused("write_file", path=path, content="x")
            refused("move_file", source=path, destination="mine")
            refused("delete_file", path=path)
            refused("get_file_info", path=path)


@pytest.mark.parametrize("path", OF_THE_AGENT)
def test_agent_reads_itself(refused, path):
    """The agent gives away nothing about itself, whatever path it is asked for."""
    refused("read_file", path=path)


@pytest.mark.parametrize(
    "path",
    [
        "/proc/self/oom_score_adj",
        "/proc/1/oom_score_adj",
        "/proc/self/mem",
        "/proc/sys/kernel/hostname",
        "/opt/agb/inside/agent.py",
        "/etc/passwd",
        "/usr/bin/agb",
        "/dev/agb",
        "/agb",
    ],
)
def test_agent_writes_elsewhere(refused, path):
    """The agent writes nothing but what programs of the session may write."""
    refused("write_file", path=path, content="0")


def test_loops(opened, refused):
    """Links in a circle are refused."""
    opened.command("ln -sfn a b; ln -sfn b a; ln -sfn . here")

    assert "symbolic links" in refused("read_file", path="a")
    assert "symbolic links" in refused("write_file", path="b", content="x")
    refused("read_file", path="/".join(["here"] * 50) + "/nothing")


@pytest.mark.parametrize(
    "path", ["fifo", "/dev/zero", "/dev/full", "/dev/random", "/dev/ptmx", "socket", "."]
)
def test_what_is_no_file(opened, refused, path):
    """Pipes, devices and sockets are refused at once: nothing waits, and nothing is endless."""
    opened.command(
        "mkfifo -m 600 fifo 2>/dev/null; python -c 'import socket; "
        'socket.socket(socket.AF_UNIX).bind("socket")\' 2>/dev/null'
    )

    refused("read_file", path=path)
    refused("edit_file", path=path, edits=[{"oldText": "a", "newText": "b"}])
    refused("write_file", path=path, content="x")


NAMES = [
    "line\nbreak",
    "return\r",
    "tab\there",
    "escape\x1b[2J",
    "-rf",
    "--",
    " ",
    "*",
    "$(id)",
    "'; id; '",
    "…",
    "\N{PILE OF POO}",
    "\u202egnp.exe",
    "e\u0301",
    "x" * 255,
    "~",
    ".hidden",
]


def test_strange_names(target, opened, table):
    """A name is a name: what is written under it is read under it, listed and deleted."""
    opened.tool("create_directory", path="names")
    for name in NAMES:
        path = f"/home/user/names/{name}"
        assert opened.tool("write_file", path=path, content=name) == ("ok", False)
        assert opened.tool("read_file", path=path) == (name, False)
    listing, failed = opened.tool("list_directory", path="names")

    assert not failed
    # No name can pose as two.
    assert len(listing.split("\n")) == len(NAMES)
    for name in NAMES:
        assert opened.tool("delete_file", path=f"/home/user/names/{name}") == ("ok", False)
    assert opened.command("ls -A names")["stdout"] == ""
    table(f"file tools, {target.mode}", len(NAMES), len(NAMES))


@pytest.mark.parametrize(
    "path", ["a\0b", "", "   ", "x" * 256, "y/" * 5000 + "z", "half \ud800", "\0/etc/passwd"]
)
def test_names_that_are_none(refused, path):
    """What cannot be a name is refused."""
    refused("write_file", path=path, content="x")
    refused("read_file", path=path)


def test_names_that_are_not_text(target, opened, table):
    """A name that is not UTF-8 breaks neither the listing nor the search."""
    opened.command(r"mkdir -p bytes; touch $'bytes/\xff\xfe' $'bytes/ok'")

    assert "ok" in opened.tool("list_directory", path="bytes")[0]
    assert "ok" in opened.tool("search_files", path="bytes", pattern="*")[0]
    assert not opened.tool("get_file_change", path="bytes")[1]
    table(f"file tools, {target.mode}", 3, 3)


def test_huge_files(opened, refused):
    """A file that is larger than what one call may read is refused or read in parts, not whole."""
    opened.command("truncate -s 30M sparse")
    text, failed = opened.tool("read_file", path="sparse", offset=29 << 20, length=10)

    assert (text, failed) == ("\0" * 10, False)
    assert opened.tool("read_file", path="sparse", offset=1 << 40, length=10)[0] == ""
    refused("read_file", path="sparse", offset=2**62)
    refused("read_file", path="sparse", offset=2**63)
    refused("read_file", path="sparse")


SWAPPER = """
import itertools, os
os.chdir("/home/user/race")
open("file", "w").write("innocent"); os.makedirs("folder", exist_ok=True)
open("folder/deep", "w").write("innocent")
open("ready", "w").close()
aims = itertools.cycle({aims!r})
while True:
    os.symlink(next(aims), "link.new")
    os.rename("link.new", "swap"); os.unlink("swap")
    os.link("file", "swap"); os.unlink("swap")
    os.symlink(next(aims), "deeper.new")
    os.rename("deeper.new", "dir"); os.unlink("dir")
    os.rename("folder", "dir"); os.rename("dir", "folder")
"""


def test_swaps_under_the_file_tools(target, opened, host_secrets, table):
    """While a program swaps a file for links, no tool reads or writes anything it should not."""
    aims = [host_secrets["canary"], "/proc/self/environ", "/proc/1/environ", "/etc/passwd"]
    opened.command("rm -rf race; mkdir race")
    opened.tool("write_file", path="race/swapper.py", content=SWAPPER.format(aims=aims))
    opened.command("python race/swapper.py >/dev/null 2>&1 & until test -e race/ready; do :; done")
    passwd = opened.command("cat /etc/passwd")["stdout"]
    allowed = ("innocent", passwd, "x", "")
    escaped = []
    for number in range(SWAPS // 6):
        for name, path, more in (
            ("read_file", "swap", {}),
            ("read_file", "dir/deep", {}),
            ("write_file", "swap", {"content": "x"}),
            ("read_file", "swap", {"format": "binary"}),
            ("write_file", f"dir/new{number % 8}", {"content": "x"}),
            ("list_directory", "dir", {}),
        ):
            text, failed = opened.tool(name, path=f"race/{path}", **more)
            if name == "read_file" and not failed:
                text = base64.b64decode(text).decode() if more else text
                escaped += [] if text in allowed else [text]
            if host_secrets["secret"] in text and not failed:
                escaped.append(text)
    opened.command("kill -9 -1")

    assert escaped == []
    assert opened.command("cat /etc/passwd")["stdout"] == passwd
    table(f"swaps under file tools, {target.mode}", SWAPS, SWAPS)


CONTEXT_SWAPPER = """
import itertools, os
os.chdir("/home/user/context")
os.makedirs("folder", exist_ok=True)
name = {secret!r}
open("folder/" + name, "w").write("innocent")
open("ready", "w").close()
while True:
    os.symlink({above!r}, "dir"); os.unlink("dir")
    os.rename("folder", "dir"); os.rename("dir", "folder")
    os.symlink({canary!r}, "file"); os.unlink("file")
    open("file", "w").write("innocent"); os.unlink("file")
"""


def test_swaps_under_the_server(target, host_secrets, table):
    """While a program swaps its folders for links, the server saves no file of the host.

    Contexts are the one thing that the server itself reads and writes in a session's directories,
    with its own rights.
    """
    context = target.get("/sdk/GetContext", name=f"race-{target.mode}", allowCreate="true")
    mount = [{"contextId": context["data"]["id"], "path": "/home/user/context"}]
    session = target.session(persistenceDataList=json.dumps(mount))
    swapper = CONTEXT_SWAPPER.format(
        secret=host_secrets["secret"],
        canary=host_secrets["canary"],
        above=os.path.dirname(host_secrets["canary"]),
    )
    session.tool("write_file", path="swapper.py", content=swapper)
    session.command(
        "python swapper.py >/dev/null 2>&1 & until test -e context/ready; do sleep 0.01; done"
    )
    rounds = SWAPS // 60
    for number in range(rounds):
        target.call(
            "/sdk/SyncContext", sessionId=session.id, mode=("upload", "download")[number % 2]
        )
    session.command("kill -9 -1")
    session.close()
    stolen = [
        path
        for path in target.kept_files()
        if host_secrets["secret"] in path and "secret" in Path(path).read_text()
    ]

    assert stolen == []
    assert Path(host_secrets["canary"]).read_text() == host_secrets["secret"]
    table(f"rounds of saving amid swaps, {target.mode}", rounds, rounds)


def test_deadline(opened, target, table):
    """A tool that waits for a program which never answers ends at its limit."""
    began = time.monotonic()
    opened.tool("shell", command="mkfifo wait; cat wait", timeout_ms=300)

    assert time.monotonic() > began
    assert opened.command("echo fine")["stdout"] == "fine\n"
    table(f"file tools, {target.mode}", 1, 1)
