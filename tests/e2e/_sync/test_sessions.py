"""Sessions of the embedded server."""

from __future__ import annotations

from agb import AGB, Config, Session
from agb.exceptions import AuthenticationError, SessionNotFoundError
from agb.session_params import CreateSessionParams


def test_sessions_are_apart(agb: AGB) -> None:
    """What one session writes, runs and sets is not there in another."""
    with agb.open_session() as one, agb.open_session() as other:
        one.file_system.write_file("/tmp/mine", "1")
        one.file_system.write_file("mine", "1")
        one.code.run_code("mine = 1", "python")

        assert not (other.file_system.read_file("/tmp/mine")).success
        assert not (other.file_system.read_file("mine")).success
        assert not (other.code.run_code("mine", "python")).success


def test_one_server_for_all_clients(session: Session) -> None:
    """A second client of the program finds the session of the first."""
    with AGB(api_key="any", cfg=Config(endpoint="local")) as second:
        found = second.get(session.session_id)
        result = found.session.command.execute_command("echo found")

    assert result.stdout == "found\n"


def test_deleted_session(agb: AGB) -> None:
    """Every call on a deleted session fails clearly."""
    session = (agb.create()).session
    session.delete()
    files = session.file_system

    results = [
        session.info(),
        session.set_labels({"a": "b"}),
        session.get_labels(),
        session.delete(),
        session.delete(sync_context=True),
        session.code.run_code("1", "python"),
        session.command.execute_command("true"),
        files.read_file("x"),
        files.write_file("x", "x"),
        files.create_directory("x"),
        files.list_directory("x"),
        files.get_file_info("x"),
        files.move_file("x", "y"),
        files.edit_file("x", [{"oldText": "x", "newText": "y"}]),
        files.read_multiple_files(["x"]),
        files.search_files("x", "*"),
        files.delete_file("x"),
        files.get_file_change("x"),
        agb.get(session.session_id),
        agb.get_session(session.session_id),
    ]

    for result in results:
        assert not result.success
        assert "not found" in result.error_message.lower()
        assert isinstance(result.exception, SessionNotFoundError)
        assert result.request_id


def test_list_by_labels(agb: AGB) -> None:
    """Sessions are found by all of several labels, page by page, each once."""
    sessions = [
        (agb.create(CreateSessionParams(labels={"set": "paged", "n": str(n)}))).session
        for n in range(3)
    ]
    pages = [agb.list({"set": "paged"}, page=page, limit=2) for page in (1, 2, 3)]
    one = agb.list({"set": "paged", "n": "1"})
    none = agb.list({"set": "paged", "n": "9"})
    for session in sessions:
        session.delete()
    after = agb.list({"set": "paged"})

    found = pages[0].session_ids + pages[1].session_ids
    assert sorted(found) == sorted(session.session_id for session in sessions)
    assert pages[0].total_count == 3
    assert not pages[2].success
    assert one.session_ids == [sessions[1].session_id]
    assert none.success
    assert none.session_ids == []
    assert after.session_ids == []


def test_wrong_key(session: Session) -> None:
    """A wrong API key is refused, and does not appear in the message."""
    from agb._io import embedded

    server = embedded.running()
    assert server is not None
    with AGB("wrong-key", Config(endpoint=server.endpoint)) as intruder:
        refused = intruder.get(session.session_id)
        created = intruder.create()

    assert isinstance(refused.exception, AuthenticationError)
    assert isinstance(created.exception, AuthenticationError)
    assert created.request_id
    assert "wrong-key" not in refused.error_message


def test_describe(session: Session) -> None:
    """A session that is found by its id carries what the service knows of it."""
    found = session.agb.get(session.session_id)

    assert found.success
    assert found.session.session_id == session.session_id
    assert found.session.image_id == ""
    assert isinstance(found.session.resource_url, str)
