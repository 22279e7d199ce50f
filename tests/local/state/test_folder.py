"""A state folder in trouble: each is a clear error, and nothing is lost."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from agb import ContextSync, CreateSessionParams

from ..support.standing import client, kill, refused
from ..support.users import AS_ORDINARY_USER, ORDINARY_USER

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="needs root")
DATA = "/home/user/data"


@pytest.fixture
def small_disk() -> Iterator[str]:
    """A disk of 8 MB."""
    path = tempfile.mkdtemp()
    os.chmod(path, 0o711)
    disk = ["mount", "-t", "tmpfs", "-o", "size=8m,mode=711", "none", path]
    if os.geteuid() != 0 or subprocess.run(disk, capture_output=True).returncode != 0:
        os.rmdir(path)
        pytest.skip("no disk can be mounted here")
    yield path
    # Not before the last of a killed server is gone; lazily, should that take long.
    subprocess.run(["umount", "--lazy", path], check=True)
    os.rmdir(path)


def fill(disk: str) -> None:
    """Leave not a byte."""
    with open(f"{disk}/full", "ab", buffering=0) as file:
        for size in (1 << 16, 4096, 1):
            try:
                while True:
                    file.write(b"x" * size)
            except OSError:
                continue


def test_a_disk_that_becomes_full_loses_nothing(start_server, small_disk):
    """What can't be written is refused with the reason; all that was acknowledged stays."""
    server = start_server("--state", f"{small_disk}/state")
    with client(server) as agb:
        context = agb.context.create("kept").unwrap()
        params = CreateSessionParams(context_syncs=[ContextSync(context.id, DATA)])
        session = agb.create(params).unwrap()
        session.set_labels({"mark": "before"}).raise_for_error()
        session.file_system.write_file("kept.txt", "here").raise_for_error()
        fill(small_disk)

        results = [
            agb.create(CreateSessionParams(labels={"long": "x" * 8000})),
            session.set_labels({"mark": "x" * 8000}),
            session.file_system.write_file("other.txt", "x" * 100_000),
        ]
        made = [agb.context.create(f"context-{number}") for number in range(50)]

        results.append(next(result for result in made if not result.success))
        assert [result.success for result in results] == [False] * 4
        for result in results:
            assert "full" in result.error_message or "No space left" in result.error_message
            assert "make room" in result.error_message
        assert session.command.execute_command("cat kept.txt").output == "here"
        assert session.code.run_code("1 + 1", "python").result == "2"
        known = {context.name for context in agb.context.list().contexts}
        assert known == {"kept", *(result.context.name for result in made if result.success)}
    kill(server)

    os.unlink(f"{small_disk}/full")
    with client(start_server("--state", f"{small_disk}/state")) as agb:
        again = agb.get(session.session_id).unwrap()
        assert again.get_labels().data == {"mark": "before"}
        assert again.file_system.read_file("kept.txt").content == "here"
        assert {context.name for context in agb.context.list().contexts} == known
        assert again.file_system.write_file("other.txt", "x" * 100_000).success
        assert agb.create().success


def test_a_session_whose_context_has_no_room_is_not_deleted(start_server, small_disk):
    """Its files would be lost; it goes on until there is room for them."""
    server = start_server("--state", f"{small_disk}/state")
    with client(server) as agb:
        context = agb.context.create("kept").unwrap()
        params = CreateSessionParams(context_syncs=[ContextSync(context.id, DATA)])
        session = agb.create(params).unwrap()
        session.file_system.write_file(f"{DATA}/large.txt", "x" * 1_000_000).raise_for_error()
        fill(small_disk)

        refusal = session.delete()

        assert not refusal.success
        assert "was not deleted" in refusal.error_message
        assert "Make room there" in refusal.error_message
        assert agb.list().session_ids == [session.session_id]
        assert session.command.execute_command("wc -c <data/large.txt").output == "1000000\n"
        os.unlink(f"{small_disk}/full")
        session.delete().raise_for_error()
        with agb.open_session(params) as following:
            found = following.command.execute_command("wc -c <data/large.txt").output
            assert found == "1000000\n"


def test_a_full_disk_at_the_start(start_server, small_disk):
    """A server that has no room to work says so in one line, and keeps what it has."""
    fill(small_disk)
    assert "No space left on device" in refused(f"{small_disk}/state")

    os.unlink(f"{small_disk}/full")
    server = start_server("--state", f"{small_disk}/state")
    with client(server) as agb:
        session = agb.create().unwrap()
        session.file_system.write_file("kept.txt", "here").raise_for_error()
    server.process.terminate()
    server.process.wait(30)
    fill(small_disk)
    said = refused(f"{small_disk}/state")
    assert "full" in said or "No space left" in said

    os.unlink(f"{small_disk}/full")
    with client(start_server("--state", f"{small_disk}/state")) as agb:
        again = agb.get(session.session_id).unwrap()
        assert again.file_system.read_file("kept.txt").content == "here"


@as_root
def test_a_folder_of_another_user_is_refused(folder):
    """Root takes no folder that an ordinary user may change under its hands."""
    os.mkdir(folder, 0o700)
    os.chown(folder, ORDINARY_USER, ORDINARY_USER)

    said = refused(folder)

    assert f"belongs to user {ORDINARY_USER}, and this server runs as user 0" in said
    assert "name another folder with --state" in said
    assert os.listdir(folder) == []


@as_root
def test_a_folder_that_cannot_be_written_to(folder):
    """An ordinary user is told which folder it is, and what else to do."""
    said = refused(folder, python=(*AS_ORDINARY_USER, sys.executable))

    assert f"can't be used: {folder}: Permission denied" in said
    assert "name another folder with --state" in said


@pytest.mark.parametrize("name", ["sessions.sqlite", "contexts/contexts.sqlite"])
def test_a_damaged_database_is_named_and_left_alone(start_server, folder, name):
    """Damage in the midst of a database is found at the start."""
    server = start_server("--state", folder)
    with client(server) as agb:
        for number in range(20):
            agb.context.create(f"{number}" * 200).raise_for_error()
        session = agb.create(CreateSessionParams(labels={"a": "x" * 20_000})).unwrap()
    server.process.terminate()
    server.process.wait(30)
    path = f"{folder}/{name}"
    whole = Path(path).read_bytes()
    damaged = whole[:4096] + b"\xff" * 8192 + whole[4096 + 8192 :]
    Path(path).write_bytes(damaged)

    said = refused(folder)

    assert "damaged" in said
    assert "Nothing was changed" in said
    assert Path(path).read_bytes() == damaged
    Path(path).write_bytes(whole)
    with client(start_server("--state", folder)) as agb:
        assert agb.get(session.session_id).success
        assert agb.context.list().success


def test_contexts_outlive_the_server(start_server, folder):
    """Their files are there again, and a session goes on to have them."""
    first = start_server("--state", folder)
    with client(first) as agb:
        context = agb.context.create("kept").unwrap()
        params = CreateSessionParams(context_syncs=[ContextSync(context.id, DATA)])
        session = agb.create(params).unwrap()
        session.file_system.write_file(f"{DATA}/saved.txt", "saved").raise_for_error()
        session.context.sync().raise_for_error()
        session.file_system.write_file(f"{DATA}/later.txt", "later").raise_for_error()
    kill(first)

    with client(start_server("--state", folder)) as agb:
        again = agb.get(session.session_id).unwrap()
        assert again.file_system.read_file(f"{DATA}/later.txt").content == "later"
        again.delete(sync_context=True).raise_for_error()
        with agb.open_session(params) as following:
            for name in ("saved", "later"):
                content = following.file_system.read_file(f"{DATA}/{name}.txt").content
                assert content == name


def test_the_longest_life_goes_on_over_a_restart(start_server, folder):
    """A session that is too old ends with its files; the others stay."""
    first = start_server("--state", folder)
    with client(first) as agb:
        old, young = (agb.create().unwrap().session_id for _ in range(2))
    kill(first)
    database = sqlite3.connect(f"{folder}/sessions.sqlite")
    week = 7 * 24 * 3600
    database.execute("UPDATE session SET created_s = created_s - ? WHERE id = ?", (week, old))
    database.commit()
    database.close()

    with client(start_server("--state", folder)) as agb:
        deadline = time.monotonic() + 30
        while agb.get(old).success:
            assert time.monotonic() < deadline
        assert agb.list().session_ids == [young]
        assert agb.get(young).unwrap().command.execute_command("echo on").output == "on\n"


@as_root
def test_an_ordinary_user_keeps_sessions_too(start_server, folder):
    """Labels and files are there again after a kill."""
    os.mkdir(folder, 0o700)
    os.chown(folder, ORDINARY_USER, ORDINARY_USER)
    command = [
        *AS_ORDINARY_USER,
        sys.executable,
        "-m",
        "agb.local",
        "serve",
        "--port",
        "0",
        "--json",
    ]
    first = start_server("--state", folder, command=command)
    with client(first) as agb:
        session = agb.create(CreateSessionParams(labels={"kept": "yes"})).unwrap()
        session.file_system.write_file("kept.txt", "here").raise_for_error()
    kill(first)

    with client(start_server("--state", folder, command=command)) as agb:
        again = agb.get(session.session_id).unwrap()
        assert again.get_labels().data == {"kept": "yes"}
        assert again.file_system.read_file("kept.txt").content == "here"
        again.delete().raise_for_error()
    assert os.listdir(f"{folder}/workspaces") == []
