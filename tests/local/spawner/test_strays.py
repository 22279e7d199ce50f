"""What is left of a client, a server or a spawner that is killed: nothing, one second later.

Each is killed a few times in the midst of work, at another moment each time, as root and as an
ordinary user. `nox -s endurance` does it fifty times and takes the second at its word.
"""

from __future__ import annotations

import glob
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator

import pytest

from agb import AGB, Config
from agb.local.spawner.strays import clear_up

from ..support.processes import FULL_LENGTH, GONE_S, control_groups, descendants
from ..support.users import AS_ORDINARY_USER, ORDINARY_USER

ROUNDS = range(50 if FULL_LENGTH else 3)

# Sessions with processes, files, a link and a context; others come and go at the same time.
WORK = """
def work(agb, ready):
    import threading
    session = agb.create().unwrap()
    session.command.execute_command("setsid sleep 4000 & sleep 4001 & touch /tmp/a b; mkdir -m0 c")
    session.code.run_code("x = 1", "python")
    session.get_link(port=8000).unwrap()
    def come_and_go():
        while True:
            other = agb.create().unwrap()
            other.command.execute_command("sleep 4002 & dd if=/dev/zero of=file bs=1M count=8")
            other.delete()
    threading.Thread(target=come_and_go, daemon=True).start()
    ready()
    session.code.run_code("import time; time.sleep(4003)", "python", timeout_s=4003)
"""
CLIENT = f"""
{WORK}
from agb import AGB
work(AGB.local(), lambda: print(flush=True))
"""


class Place:
    """A directory for all files of a server, by which what belongs to it is found."""

    def __init__(self, as_ordinary_user: bool) -> None:
        self.path = tempfile.mkdtemp(prefix="strays-")
        os.chmod(self.path, 0o711)
        self.command = [sys.executable]
        if as_ordinary_user:
            os.chown(self.path, ORDINARY_USER, ORDINARY_USER)
            self.command = [*AS_ORDINARY_USER, sys.executable]
        self.environment = {
            **os.environ,
            "AGB_LOCAL_DIRECTORY": self.path,
            "TMPDIR": self.path,
            "AGB_LOCAL_SPARE_PAUSE": "0.01",
        }

    @property
    def states(self) -> list[str]:
        """The directories of the servers that have begun and not ended here."""
        return sorted(os.listdir(self.path))

    def processes(self, *names: str) -> list[str]:
        """The processes in whose mounts, control groups or command line a name occurs."""
        found = []
        for process in filter(str.isdigit, os.listdir("/proc")):
            for kind in ("mountinfo", "cgroup", "cmdline"):
                try:
                    with open(f"/proc/{process}/{kind}") as file:
                        text = file.read()
                except (OSError, ValueError):
                    continue
                found += [f"{kind} of {process}: {name}" for name in names if name in text]
        return found

    def left(self, states: list[str]) -> list[str]:
        """All that is left of the servers that had these directories."""
        groups = [path for path in control_groups() if os.path.basename(path) in states]
        names = os.path.basename(self.path), *states
        return [*self.states, *groups, *self.processes(*names)]

    def sandboxes(self, state: str) -> set[str]:
        """The files and control groups of the sandboxes of a server."""
        files = glob.glob(f"{self.path}/{state}/sessions/*")
        return {*files, *(path for path in control_groups() if f"/{state}/" in path)}


@pytest.fixture
def number() -> int:
    return 0


@pytest.fixture
def place(number: int) -> Iterator[Place]:
    """In every second round as an ordinary user."""
    place = Place(as_ordinary_user=os.geteuid() == 0 and number % 2 == 1)
    yield place
    shutil.rmtree(place.path, ignore_errors=True)


@pytest.fixture
def run(place: Place) -> Iterator[object]:
    """Start programs in a place, and wait until each has written a line."""
    processes: list[subprocess.Popen[str]] = []

    def start(*command: str) -> subprocess.Popen[str]:
        processes.append(
            subprocess.Popen(
                [*place.command, *command],
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                text=True,
                env=place.environment,
            )
        )
        return processes[-1]

    yield start
    for process in processes:
        process.kill()
        process.wait()
        process.stdout.close()


def until(left, seconds: float = GONE_S) -> list[str]:
    """Wait until nothing is left or the time is over; return what is."""
    deadline = time.monotonic() + seconds
    while (found := left()) and time.monotonic() < deadline:
        time.sleep(0.01)
    return found


def some_moments(number: int) -> None:
    """Let the work go on for a while, another one in each round."""
    time.sleep(random.Random(number).uniform(0, 0.3))


def serve(run) -> tuple[subprocess.Popen[str], dict]:
    server = run("-m", "agb.local", "serve", "--port", "0", "--json")
    line = server.stdout.readline()
    if not line and server.wait(30) == 3:
        pytest.skip("this machine can't run sandboxes")
    return server, json.loads(line)


def begin_work(run, ready: dict) -> None:
    config = f"AGB({ready['api_key']!r}, Config(endpoint={ready['endpoint']!r}))"
    program = f"{WORK}\nfrom agb import AGB, Config\nwork({config}, lambda: print(flush=True))"
    assert run("-c", program).stdout.readline() == "\n"


@pytest.mark.parametrize("number", ROUNDS)
def test_a_killed_client(place, run, family, number):
    """The embedded server ends with its client, however that ends."""
    client = run("-c", CLIENT)
    assert client.stdout.readline() == "\n"
    some_moments(number)
    everyone, states = family(client.pid), place.states
    assert len(everyone.pidfds) > 6

    client.kill()

    assert until(lambda: [*place.left(states), *everyone.alive_after(0)]) == []


@pytest.mark.parametrize("number", ROUNDS)
def test_a_killed_server(place, run, family, number):
    """What starts its sandboxes outlives it by the time it takes to clean up."""
    server, ready = serve(run)
    begin_work(run, ready)
    some_moments(number)
    everyone, states = family(server.pid), place.states
    assert len(everyone.pidfds) > 6

    server.kill()

    assert until(lambda: [*place.left(states), *everyone.alive_after(0)]) == []


@pytest.mark.parametrize("number", ROUNDS)
def test_a_killed_spawner(place, run, family, number):
    """The server clears away its sandboxes, opens others, and leaves nothing when it ends."""
    server, ready = serve(run)
    begin_work(run, ready)
    some_moments(number)
    spawner = descendants(server.pid)[0]
    everyone, states = family(spawner), place.states
    before = place.sandboxes(*states)
    assert before

    os.kill(spawner, signal.SIGKILL)

    assert until(lambda: [*(before & place.sandboxes(*states)), *everyone.alive_after(0)]) == []
    agb = AGB(ready["api_key"], Config(endpoint=ready["endpoint"]))
    with agb.open_session() as session:
        assert session.command.execute_command("echo on").output == "on\n"
    server.terminate()
    assert server.wait(30) == 0
    assert until(lambda: place.left(states)) == []


@pytest.mark.parametrize("number", ROUNDS)
def test_a_server_killed_while_it_begins(place, run, number):
    """Whatever had begun ends at once; a file that nobody is left to remove, the next one does."""
    server = run("-m", "agb.local", "serve", "--port", "0", "--json")
    time.sleep(random.Random(number).uniform(0.2, 1))
    server.kill()
    server.wait()
    states = place.states

    assert until(lambda: place.processes(os.path.basename(place.path), *states)) == []
    following, _ = serve(run)
    following.terminate()
    assert following.wait(30) == 0
    assert until(lambda: place.left(states)) == []


def test_what_a_server_and_its_spawner_left_is_cleared_away(place, run, family):
    """The next server does it, and touches no server that lives."""
    neighbour, its_address = serve(run)
    spared = place.states
    server, ready = serve(run)
    begin_work(run, ready)
    states = sorted(set(place.states) - set(spared))
    everyone, spawner = family(server.pid), descendants(server.pid)[0]
    os.kill(spawner, signal.SIGSTOP)
    server.kill()
    os.kill(spawner, signal.SIGKILL)
    assert everyone.alive_after(GONE_S) == []
    assert place.states == sorted([*spared, *states])

    following, _ = serve(run)

    assert [left for left in place.left(states) if os.path.basename(left) in states] == []
    assert len(place.states) == 2
    with AGB(its_address["api_key"], Config(endpoint=its_address["endpoint"])) as agb:
        agb.create().unwrap()
    for each in (following, neighbour):
        each.terminate()
        assert each.wait(30) == 0
    assert until(lambda: place.left([*spared, *states])) == []


def test_what_waits_for_a_killed_bubblewrap_is_ended(tmp_path):
    """It holds something that bears the name of its server, and nothing else ends it."""
    state = tmp_path / "agb-12345678"
    (state / "overruns").mkdir(parents=True)
    hold = "import os, sys; os.memfd_create(sys.argv[1]); print(flush=True); sys.stdin.read()"
    strays = [
        subprocess.Popen(
            [sys.executable, "-c", hold, name],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        for name in (state.name, "agb-87654321")
    ]
    for stray in strays:
        stray.stdout.readline()

    clear_up(str(state), [])

    strays[1].stdin.close()
    assert [stray.wait(30) for stray in strays] == [-signal.SIGKILL, 0]
    assert os.listdir(state) == []
    for stray in strays:
        stray.stdout.close()
    strays[0].stdin.close()
