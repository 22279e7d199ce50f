"""What a standing server finds again when it is started the next time."""

from __future__ import annotations

import os
import random
import signal
import socket
import sqlite3
from concurrent.futures import ThreadPoolExecutor

import pytest

from ..support.processes import FULL_LENGTH
from ..support.standing import client, kill, refused

OPERATIONS = 1000 if FULL_LENGTH else 120
WORKERS = 4


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_a_session_outlives_its_server(start_server, folder, number):
    """Key, labels and files are there again; variables are gone, which the first cell says once."""
    first = start_server("--state", folder)
    with client(first) as agb:
        session = agb.create().unwrap()
        session.set_labels({"kept": "yes"}).raise_for_error()
        session.file_system.write_file("kept.txt", "here").raise_for_error()
        session.code.run_code("x = 1", "python").raise_for_error()
    first.process.send_signal(number)
    first.process.wait(30)

    second = start_server("--state", folder)
    with client(second) as agb:
        found = agb.get(session.session_id).unwrap()
        cells = [found.code.run_code("'x' in globals()", "python") for _ in range(2)]
        labels = found.get_labels().data
        content = found.file_system.read_file("kept.txt").content
        listed = agb.list({"kept": "yes"}).session_ids
        found.delete().raise_for_error()

    assert second.ready["api_key"] == first.ready["api_key"]
    assert (labels, content, listed) == ({"kept": "yes"}, "here", [session.session_id])
    assert [cell.result for cell in cells] == ["False", "False"]
    assert ["started anew" in "".join(cell.logs.stderr) for cell in cells] == [True, False]
    assert os.listdir(f"{folder}/workspaces") == []


def test_a_kill_loses_nothing_that_was_acknowledged(start_server, folder):
    """Killed in the middle of mixed operations, a server finds all that it had said yes to."""
    first = start_server("--state", folder)
    done = [0] * WORKERS

    def work(number: int) -> tuple[dict[str, dict], set[str], set[str]]:
        """Return what was acknowledged; what was asked last, without an answer, may be or not."""
        chance = random.Random(number)
        sessions: dict[str, dict] = {}
        deleted: set[str] = set()
        unsure: set[str] = set()
        with client(first) as agb:
            while True:
                if sum(done) >= OPERATIONS // 2:
                    first.process.kill()
                what = chance.choice(["create", "label", "write", "write", "delete"])
                if what == "create" or not sessions:
                    result = agb.create()
                    if result.success:
                        sessions[result.session.session_id] = {"files": {}, "labels": {}}
                else:
                    id = chance.choice(list(sessions))
                    session = agb.get(id)
                    if not session.success:
                        return sessions, deleted, unsure
                    unsure = {id}
                    known = sessions[id]
                    text = f"{number}-{done[number]}"
                    if what == "label":
                        result = session.session.set_labels({"mark": text})
                        if result.success:
                            known["labels"] = {"mark": text}
                    elif what == "write":
                        result = session.session.file_system.write_file(f"{text}.txt", text)
                        if result.success:
                            known["files"][f"{text}.txt"] = text
                    else:
                        result = session.session.delete()
                        if result.success:
                            del sessions[id]
                            deleted.add(id)
                    if result.success:
                        unsure = set()
                if not result.success:
                    return sessions, deleted, unsure
                done[number] += 1

    with ThreadPoolExecutor(WORKERS) as pool:
        outcomes = list(pool.map(work, range(WORKERS)))
    first.process.wait()

    second = start_server("--state", folder)
    with client(second) as agb:
        for sessions, deleted, unsure in outcomes:
            for id, known in sessions.items():
                if id in unsure:
                    continue
                session = agb.get(id).unwrap()
                assert session.get_labels().data == known["labels"]
                for path, text in known["files"].items():
                    assert session.file_system.read_file(path).content == text
            assert not any(agb.get(id).success for id in deleted)
        alive = agb.list(limit=100).session_ids

    assert sum(done) >= OPERATIONS // 2
    # No garbage: each session that is there has its files, and nothing else has some.
    assert len(os.listdir(f"{folder}/workspaces")) == len(alive)


def test_two_servers_on_one_folder(start_server, folder):
    """The second one names the first, which does not notice."""
    first = start_server("--state", folder)

    text = refused(folder)

    assert f"in use by another server (process {first.pid})" in text
    assert first.create()


def test_a_stale_lock_is_none(start_server, folder):
    """The file that a killed server leaves keeps nobody out, whatever stands in it."""
    kill(start_server("--state", folder))
    with open(f"{folder}/lock", "w") as lock:
        lock.write(str(os.getpid()))

    assert start_server("--state", folder).create()


def test_a_corrupt_registry_is_named_and_left_alone(start_server, folder):
    """A registry that is no database is an error at the start, and stays as it is."""
    kill(start_server("--state", folder))
    for name in os.listdir(folder):
        if name.startswith("sessions.sqlite"):
            os.unlink(f"{folder}/{name}")
    with open(f"{folder}/sessions.sqlite", "wb") as file:
        file.write(b"no database" * 1000)

    text = refused(folder)

    assert "sessions.sqlite can't be used: file is not a database. Nothing was changed." in text
    with open(f"{folder}/sessions.sqlite", "rb") as file:
        assert file.read() == b"no database" * 1000


def test_a_later_registry_is_refused(start_server, folder):
    """A registry of another version is not touched."""
    kill(start_server("--state", folder))
    database = sqlite3.connect(f"{folder}/sessions.sqlite")
    database.execute("PRAGMA user_version = 99")
    database.close()

    assert "another version of agb (99)" in refused(folder)


def test_a_link_is_refused(folder):
    """A folder behind a symbolic link is not taken."""
    os.mkdir(f"{folder}.real")
    os.symlink(f"{folder}.real", folder)

    assert "is a symbolic link" in refused(folder)


def test_a_folder_of_other_things_is_refused(folder):
    """A directory with other files in it is left alone."""
    os.mkdir(folder)
    with open(f"{folder}/mine", "w"):
        pass

    assert "holds other files" in refused(folder)
    assert os.listdir(folder) == ["mine"]


def test_a_folder_that_others_may_write_to_is_refused(folder):
    """The folder must be closed to others."""
    os.mkdir(folder)
    os.chmod(folder, 0o777)

    assert f"chmod go-w {folder}" in refused(folder)


def test_what_is_no_directory_is_refused(folder):
    """A file is no folder, and none can be made below it."""
    with open(folder, "w"):
        pass

    assert "is not a directory" in refused(folder)
    assert "can't be used" in refused(f"{folder}/below")


def test_a_taken_port_leaves_the_folder_alone(folder):
    """A server that can't listen says so and makes no folder."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        text = refused(folder, "--port", str(taken.getsockname()[1]))

    assert "Cannot listen" in text
    assert not os.path.exists(folder)
