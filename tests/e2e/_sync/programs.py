"""The documented programs (S61 to S70), as functions of a client; each asserts what it prints."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest

from agb import AGB, Session
from agb.session_params import CreateSessionParams

IMAGE = "agb-code-space-1"


def basic_session(agb: AGB) -> None:
    """S61: client, create, one call on each module, `info()`."""
    result = agb.create(CreateSessionParams(image_id=IMAGE))
    assert result.success, result.error_message
    session = result.session

    code = session.code.run_code("print('Hello World')", "python")
    assert code.success
    assert "Hello World" in code.result
    command = session.command.execute_command("ls -la")
    assert command.success
    assert command.output
    written = session.file_system.write_file("/tmp/test.txt", "content of the file")
    assert written.success
    read = session.file_system.read_file("/tmp/test.txt")
    assert read.success
    assert read.content == "content of the file"
    info = session.info()
    assert info.success
    assert info.data["session_id"] == session.session_id

    for each in (result, code, command, written, read, info):
        assert isinstance(each.request_id, str)
        assert each.error_message == ""
    deleted = agb.delete(session)
    assert deleted.success


def label_lifecycle(agb: AGB) -> None:
    """S62: get, merge, set, get; the final labels equal the merged dict."""
    params = CreateSessionParams(image_id=IMAGE, labels={"project": "demo", "status": "new"})
    session = (agb.create(params)).session
    try:
        current = session.get_labels()
        assert current.data == {"project": "demo", "status": "new"}
        merged = {**current.data, "status": "processing", "größe": "groß 世界"}
        replaced = session.set_labels(merged)
        assert replaced.success
        assert replaced.error_message == ""
        final = session.get_labels()
        assert final.data == merged
        for key, value in final.data.items():
            assert merged[key] == value
        second = session.set_labels({"only": "this"})
        assert second.success
        assert (session.get_labels()).data == {"only": "this"}
    finally:
        session.delete()


def label_validation(agb: AGB) -> None:
    """S63: the valid dict succeeds, the invalid dict gives a failed result, nothing is raised."""
    session = (agb.create()).session
    try:
        valid = session.set_labels({"project": "demo", "team": "core", "stage": "test"})
        assert valid.success
        invalid = session.set_labels({"": "empty-key", "project": "", "team": None})
        assert not invalid.success
        assert "Label keys cannot be empty" in invalid.error_message
        kept = session.get_labels()
        assert kept.data == {"project": "demo", "team": "core", "stage": "test"}
    finally:
        session.delete()


def module_availability(agb: AGB) -> None:
    """S64: every session has the three modules."""
    session = (agb.create(CreateSessionParams(image_id=IMAGE))).session
    try:
        shown = [hasattr(session, name) for name in ("code", "command", "file_system")]
        assert shown == [True, True, True]
        assert not hasattr(session, "browser")
    finally:
        session.delete()


def session_information(agb: AGB) -> None:
    """S65: information of a session without a desktop has no desktop keys."""
    session = (agb.create(CreateSessionParams(image_id=IMAGE))).session
    try:
        info = session.info()
        assert info.success
        assert info.data.get("session_id") == session.get_session_id()
        assert isinstance(info.data.get("resource_url"), str)
        assert "app_id" not in info.data
        assert session.image_id == IMAGE
    finally:
        session.delete()


def creation_error(agb: AGB) -> None:
    """S66: a creation that fails gives a message, and a request id only if there is one."""
    result = agb.create(CreateSessionParams(labels={"project": " "}))
    assert not result.success
    assert result.session is None
    shown = [f"Session creation failed: {result.error_message}"]
    if result.request_id:
        shown.append(f"Request ID: {result.request_id}")
    assert len(shown) == 1
    assert "Label values cannot be empty" in shown[0]


def try_finally(agb: AGB) -> None:
    """S67: `'session' in locals()` and `delete(sync_context=True)`, also when create fails."""
    for labels in ({"project": "demo"}, {"project": ""}):
        session = None
        try:
            result = agb.create(CreateSessionParams(image_id=IMAGE, labels=labels))
            if result.success:
                session = result.session
                run = session.code.run_code("1 / 0", "python")
                assert not run.success
                assert isinstance(run.result, str)
                assert run.error_message
        finally:
            if session is not None:
                deleted = session.delete(sync_context=True)
                assert deleted.success
                again = session.delete()
                assert not again.success


def managed_session(agb: AGB) -> None:
    """S68: the session is deleted exactly once, also when the operation raises."""
    seen: list[Session] = []

    def with_session(operation: Callable[[Session], str]) -> str:
        result = agb.create(CreateSessionParams(image_id=IMAGE))
        if not result.success:
            raise RuntimeError(f"Failed to create session: {result.error_message}")
        seen.append(result.session)
        try:
            return operation(result.session)
        finally:
            deleted = agb.delete(result.session)
            assert deleted.success

    def works(session: Session) -> str:
        return (session.code.run_code("print(6 * 7)", "python")).result.strip()

    def breaks(session: Session) -> str:
        raise KeyError(session.session_id)

    assert with_session(works) == "42"
    with pytest.raises(KeyError):
        with_session(breaks)
    assert len(seen) == 2
    for session in seen:
        gone = agb.get(session.session_id)
        assert not gone.success


def context_managers(agb: AGB) -> None:
    """S70: sessions work as context managers, and are gone behind the block."""
    with (agb.create()).unwrap() as session:
        first = session.session_id
        assert (session.command.execute_command("true")).success
    with agb.open_session(CreateSessionParams(labels={"kind": "opened"})) as session:
        listed = agb.list({"kind": "opened"})
        assert session.session_id in listed.session_ids
        session.delete()
    for session_id in (first, session.session_id):
        found = agb.get(session_id)
        assert not found.success
        assert "Failed to get session" in found.error_message


def processes(agb: AGB) -> None:
    """A process is started, talked to, found again, waited for in vain, and ended by its block."""
    with agb.open_session() as session:
        with (session.command.start("cat; echo end >&2")).unwrap() as process:
            sent = process.send_stdin("größe 世界\n")
            assert sent.success, sent.error_message
            heard = []
            for piece in process:
                heard.append((piece.stream, piece.text))
                break
            assert heard == [("stdout", "größe 世界\n")]
            late = process.wait(timeout_s=0.05)
            assert (late.success, late.exit_code) == (False, None)
            same = (session.command.connect(process.process_id)).unwrap()
            same.close_stdin()
            assert [piece.text for piece in process] == ["end\n"]
            done = process.wait()
            assert (done.exit_code, done.stdout, done.stderr) == (0, "größe 世界\n", "end\n")
        with (session.command.start("sleep 70 & wait")).unwrap() as process:
            pass
        assert (process.wait()).exit_code == 137
        sorted_ = session.command.execute("sort", input="b\na\n", check=True)
        assert sorted_.stdout == "a\nb\n"


def file_transfer(agb: AGB) -> None:
    """A file of this machine goes into a session, is worked on there, and comes back."""
    with tempfile.TemporaryDirectory() as folder:
        here, back = Path(folder, "zahlen ü.csv"), Path(folder, "new", "sum.txt")
        here.write_text("1\n" * 700_000)
        told: list[int] = []
        with agb.open_session() as session:
            sent = session.file.upload(here, "/home/user/in/a b.csv", progress_cb=told.append)
            assert sent.success, sent.error_message
            assert told == [0, 1 << 20, 1_400_000]
            script = "awk '{s += $1} END {print s}' '/home/user/in/a b.csv' > /tmp/sum.txt"
            done = session.command.execute(script, timeout_ms=20_000)
            assert done.success, done.error_message
            got = session.file.download("/tmp/sum.txt", back)
            assert got.success, got.error_message
            assert back.read_text() == "700000\n"
            missing = session.file.download("/tmp/missing", back)
            assert "No such file" in (missing.error_message or "")
            assert back.read_text() == "700000\n"
        after = session.file.upload(here, "/home/user/late")
        assert not after.success


PROGRAMS = [
    basic_session,
    label_lifecycle,
    label_validation,
    module_availability,
    session_information,
    creation_error,
    try_finally,
    managed_session,
    context_managers,
    processes,
    file_transfer,
]
