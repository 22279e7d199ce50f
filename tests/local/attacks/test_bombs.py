"""Programs that take all they can get: each is contained, and its session lives on.

The sizes fit the small limits of `conftest.py`.
"""

from __future__ import annotations

import os
import time

import pytest

from .conftest import LIMITS

MEMORY = "memory limit of 320 MiB (AGB_LOCAL_MAX_MEMORY)"
DISK = "disk limit of 48 MiB (AGB_LOCAL_MAX_DISK)"
INODES = "disk limit of 3000 files (AGB_LOCAL_MAX_INODES)"


@pytest.fixture
def contained(target, session, table, request):
    """Run a bomb and count it; afterwards the session must work."""

    def run(program, timeout_s=30):
        outcome = session.python(program, timeout_s)
        assert session.command("echo fine")["stdout"] == "fine\n"
        table(f"bombs, {target.mode}", 1, 1)
        return outcome

    return run


def test_memory_of_one_process(target, session, table):
    """A cell that wants too much gets a MemoryError, and its variables stay."""
    session.cell("kept = 'here'")
    outcome = session.cell("bytearray(400 << 20)")

    assert outcome["executionError"].startswith("MemoryError")
    assert session.cell("print(kept)")["stdout"] == ["here\n"]
    table(f"bombs, {target.mode}", 1, 1)


CHILDREN = """
import os, signal, time
children = []
for _ in range(40):
    pid = os.fork()
    if pid == 0:
        memory = bytearray(20 << 20)
        for place in range(0, len(memory), 4096): memory[place] = 1
        time.sleep(60)
        os._exit(0)
    children.append(pid)
alive = 40
# Until what the limit has no room for is gone: 16 of 20 MiB fit into 320.
while alive > 16:
    pid, status = os.wait()
    assert os.WTERMSIG(status) == signal.SIGKILL
    alive -= 1
print(alive)
for pid in children:
    try: os.kill(pid, signal.SIGKILL)
    except ProcessLookupError: pass
"""


def test_memory_over_many_children(contained):
    """Forty children that are small alone are too much together: some of them are killed."""
    outcome = contained(CHILDREN)

    # The parent may be taken as well, being no smaller than its children.
    assert outcome["stdout"] == "16\n" or MEMORY in outcome["stderr"]


@pytest.mark.parametrize(
    "program",
    [
        """
import os
for _ in range(12):
    file = os.memfd_create("bomb")
    for _ in range(31): os.write(file, bytes(1 << 20) )
while True: pass
""",
        """
import mmap
kept = []
for _ in range(12):
    kept.append(mmap.mmap(-1, 40 << 20))
    kept[-1].write(bytes(40 << 20))
while True: pass
""",
    ],
    ids=["without a name", "shared"],
)
def test_memory_of_nobody(contained, program):
    """Memory that is a file, or shared, counts as well; whoever holds it is killed."""
    outcome = contained(program)

    assert outcome["exit_code"] == 137
    assert f"Killed: the session is over its {MEMORY}" in outcome["stderr"]


@pytest.mark.parametrize("place", ["/tmp", "/dev/shm"])
def test_directories_in_memory(contained, session, place):
    """What lies in memory has a size, which the refusal of a file tool names."""
    contained(f"""
try:
    for number in range(200):
        with open("{place}/%d" % number, "wb") as file: file.write(bytes(1 << 20))
except OSError as error: print(error.strerror)
""")
    text, failed = session.tool("write_file", path=f"{place}/more", content="x" * 10_000)

    assert failed
    assert "No space left on device" in text
    assert "AGB_LOCAL_TEMPORARY" in text


def test_forks(contained):
    """A fork bomb ends at the limit of processes."""
    outcome = contained("""
import os, signal, time
children = []
try:
    while True:
        pid = os.fork()
        if pid == 0: time.sleep(60); os._exit(0)
        children.append(pid)
except BlockingIOError as error: print(error.strerror, len(children) < 96)
for pid in children: os.kill(pid, signal.SIGKILL)
""")

    assert outcome["stdout"] == "Resource temporarily unavailable True\n"


def test_forks_that_go_on(contained, session):
    """One that forks for ever leaves room to end it."""
    session.python(
        """
import os, time
while True:
    try: os.fork() or time.sleep(60)
    except OSError: open("full", "w").close()
    if os.path.exists("full"): time.sleep(0.01)
""",
        timeout_s=1,
    )

    # Nobody may be left to be killed by then.
    assert session.command("kill -9 -1 || true")["exit_code"] == 0
    contained("print('again')")


def test_threads(contained):
    """Threads count as processes."""
    outcome = contained("""
import threading, os
def wait(): threading.Event().wait()
try:
    while True: threading.Thread(target=wait, daemon=True).start()
except RuntimeError as error: print(threading.active_count() < 96, flush=True)
os._exit(0)
""")

    assert outcome["stdout"] == "True\n"


def test_descriptors(contained):
    """A process has so many open files and no more."""
    outcome = contained("""
import os
try:
    while True: os.dup(0)
except OSError as error: print(error.strerror, os.dup.__name__)
""")

    assert outcome["stdout"] == "Too many open files dup\n"


def test_one_large_file(contained, session):
    """A file has a largest size, and sparse ones too."""
    outcome = contained("""
for size in (33 << 20, 1 << 40):
    try: open("large", "wb").truncate(size)
    except OSError as error: print(error.strerror)
""")

    assert outcome["stdout"] == "File too large\n" * 2


FILL = """
import os, time
number = 0
while True:
    with open(f"{where}/%d" % number, "wb") as file: file.write(bytes(4 << 20))
    number += 1
    {then}
"""


def refused_until_deleted(session, limit):
    """The file tools refuse to write, name the limit, and work again when there is room."""
    text, failed = session.tool("write_file", path="more", content="x")
    assert failed
    assert text.startswith("Disk quota exceeded")
    assert limit in text
    assert session.command("rm -rf full closed /tmp/full")["exit_code"] == 0
    # A look that took long, on a busy machine, is not repeated at once.
    deadline = time.monotonic() + 60
    while session.tool("write_file", path="more", content="x")[1]:
        assert time.monotonic() < deadline


def test_full_disk(contained, session):
    """Whoever fills the disk is killed; the refusals name the limit until something is deleted."""
    session.command("mkdir full")
    outcome = contained(FILL.format(where="full", then=""))

    assert outcome["exit_code"] == 137
    assert f"Killed: the session is over its {DISK}" in outcome["stderr"]
    refused_until_deleted(session, DISK)


def test_full_disk_in_a_closed_directory(contained, session):
    """Files in a directory that nobody may look into count as well; it stays as it was."""
    session.command("mkdir closed")
    outcome = contained(
        FILL.format(where="closed", then="os.chmod('closed', 0o300)").replace(
            "while True", "os.chmod('closed', 0o300)\nwhile True"
        )
    )

    assert outcome["exit_code"] == 137
    assert session.command("stat -c %a closed")["stdout"] == "300\n"
    session.command("chmod 700 closed")
    refused_until_deleted(session, DISK)


def test_files_without_a_name(contained):
    """What is deleted while it is open takes room, and who holds it is killed."""
    outcome = contained(
        """
import os, time
kept = []
while True:
    kept.append(open("gone", "wb", 0))
    os.unlink("gone")
    kept[-1].write(bytes(4 << 20))
    time.sleep(0.02)
"""
    )

    assert outcome["exit_code"] == 137
    assert DISK in outcome["stderr"]


@pytest.mark.parametrize("place", ["/home/user/full", "/tmp/full"])
def test_inodes(contained, session, place):
    """Very many empty files are too much as well, also where they take nothing but memory."""
    session.command(f"mkdir {place}")
    # Slow enough for the look at the disk: in /tmp they take memory of the kernel, and the small
    # limit on that would be met first, with nothing left to delete them with.
    outcome = contained(f"""
import time
number = 0
while True:
    open(f"{place}/{{number}}", "w").close()
    number += 1
    if number % 1000 == 0: time.sleep(0.05)
""")

    assert outcome["exit_code"] == 137
    assert f"Killed: the session is over its {INODES}" in outcome["stderr"]
    refused_until_deleted(session, INODES)


def test_deep_tree(contained):
    """A tree deeper than any path is counted like any other, and goes with its session."""
    outcome = contained("""
import os, time
os.mkdir("deep"); os.chdir("deep")
for _ in range(1200): os.mkdir("beside"); os.mkdir("d"); os.chdir("d")
number = 0
while True:
    open(f"{number}", "w").close()
    number += 1
    time.sleep(0.0005)
""")

    assert outcome["exit_code"] == 137
    assert INODES in outcome["stderr"]


def test_flood_of_output(contained):
    """Of what a program prints without end a part is kept, with a note of what is not."""
    outcome = contained("import os\nwhile True: os.write(1, b'flood ' * 1000)", timeout_s=1)

    assert len(outcome["stdout"]) < 70_000
    assert "output truncated" in outcome["stdout"]


DAEMON = """
import os, signal, sys, time
if os.fork(): sys.exit()
os.setsid()
if os.fork(): sys.exit()
for number in range(1, 65):
    try: signal.signal(number, signal.SIG_IGN)
    except (OSError, ValueError): pass
os.execvp("sleep", ["sleep", "MARK"])
"""


def test_daemons(target, table):
    """A daemon that ignores every signal goes with its session."""
    session = target.session()
    mark = f"{os.getpid()}.{int(time.time())}"
    session.python(DAEMON.replace("MARK", mark))
    sleeping = f"sleep\0{mark}\0".encode()
    while not processes(sleeping):
        pass
    session.close()

    assert processes(sleeping) == []
    table(f"bombs, {target.mode}", 1, 1)


def processes(command_line):
    """The processes of this machine with a command line."""
    found = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{pid}/cmdline", "rb") as file:
                found += [pid] if file.read() == command_line else []
        except OSError:
            continue
    return found


def test_spinning(target, session, table):
    """While one session keeps every processor busy, another one works."""
    session.command("for n in 1 2 3 4 5 6 7 8; do (while :; do :; done) & done")
    other = target.session()

    assert other.command("echo fine")["stdout"] == "fine\n"
    assert other.cell("print(6 * 7)")["stdout"] == ["42\n"]
    other.close()
    assert session.command("kill -9 -1; echo done")["exit_code"] == 0
    table(f"bombs, {target.mode}", 1, 1)


def test_stopped_interpreter(target, session, table):
    """An interpreter that stops itself costs its cell, and the next one runs."""
    outcome = session.cell("import os, signal; os.kill(os.getpid(), signal.SIGSTOP)", timeout_s=1)

    assert "TimeoutError" in outcome["executionError"]
    assert session.cell("print(1)")["stdout"] == ["1\n"]
    table(f"bombs, {target.mode}", 1, 1)


def test_limits_are_those_of_the_settings(session):
    """The limits that these bombs meet are the ones that were asked for."""
    outcome = session.command("ulimit -u -n -f")

    assert f"{LIMITS['AGB_LOCAL_MAX_PROCESSES']}\n" in outcome["stdout"].replace(" ", "\n")
