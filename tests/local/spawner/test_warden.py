"""Who is killed for a full disk: who fills it, and nobody else."""

from __future__ import annotations

import os
import signal
import subprocess

import pytest

from agb.local.spawner.warden import Warden, Watched

# A bubblewrap, its agent and a program, for a warden that only looks at who is whose child.
SESSION = ["sh", "-c", "sh -c 'sleep 60 & echo; wait'; :"]


class Dying:
    """A program that was killed, and that ends when the test says so."""

    ended = False

    def runs(self) -> bool:
        return not self.ended


@pytest.fixture
def session(tmp_path):
    """A session with one program that writes nothing, in a directory that is over its limit."""
    (tmp_path / "home").mkdir()
    (tmp_path / "home/large").write_bytes(bytes(64 << 10))
    with subprocess.Popen(SESSION, stdout=subprocess.PIPE, start_new_session=True) as process:
        process.stdout.readline()
        watched = Watched(process.pid, [str(tmp_path / "home")], str(tmp_path / "report"))
        yield watched
        watched.close()
        # As long as nobody has collected it, its number is its own.
        os.killpg(process.pid, signal.SIGKILL)


def kills(session) -> int:
    return session._counts["disk_kill"]


def test_what_a_killed_program_still_writes_is_nobody_elses(session, tmp_path):
    """Others are judged by what is written after it has ended, however late that is."""
    warden = Warden(None, 4096, 1000)
    session.condemned, session.condemned_until = [dying := Dying()], float("inf")
    for number in range(3):
        (tmp_path / f"home/late-{number}").write_bytes(bytes(64 << 10))
        warden._check_disk(session)
    dying.ended = True
    (tmp_path / "home/last").write_bytes(bytes(64 << 10))
    warden._check_disk(session)
    assert (kills(session), session.condemned) == (0, [])
    warden._check_disk(session)
    assert kills(session) == 0

    (tmp_path / "home/more").write_bytes(bytes(64 << 10))
    warden._check_disk(session)
    assert kills(session) == 1


def test_a_killed_program_that_does_not_end_protects_nobody(session, tmp_path):
    """After a while others are judged beside it."""
    warden = Warden(None, 4096, 1000)
    session.condemned = [Dying()]
    warden._check_disk(session)
    assert kills(session) == 0

    (tmp_path / "home/more").write_bytes(bytes(64 << 10))
    warden._check_disk(session)
    assert kills(session) == 1
