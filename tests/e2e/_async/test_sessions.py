"""Sessions of the embedded server."""

from __future__ import annotations

from agb import AsyncAGB, AsyncSession, Config
from agb.exceptions import AuthenticationError, SessionNotFoundError
from agb.session_params import CreateSessionParams


async def test_sessions_are_apart(agb: AsyncAGB) -> None:
    """What one session writes, runs and sets is not there in another."""
    async with agb.open_session() as one, agb.open_session() as other:
        await one.file_system.write_file("/tmp/mine", "1")
        await one.file_system.write_file("mine", "1")
        await one.code.run_code("mine = 1", "python")

        assert not (await other.file_system.read_file("/tmp/mine")).success
        assert not (await other.file_system.read_file("mine")).success
        assert not (await other.code.run_code("mine", "python")).success


async def test_one_server_for_all_clients(session: AsyncSession) -> None:
    """A second client of the program finds the session of the first."""
    async with AsyncAGB(api_key="any", cfg=Config(endpoint="local")) as second:
        found = await second.get(session.session_id)
        result = await found.session.command.execute_command("echo found")

    assert result.stdout == "found\n"


async def test_deleted_session(agb: AsyncAGB) -> None:
    """Every call on a deleted session fails clearly."""
    session = (await agb.create()).session
    await session.delete()
    files = session.file_system

    results = [
        await session.info(),
        await session.set_labels({"a": "b"}),
        await session.get_labels(),
        await session.delete(),
        await session.delete(sync_context=True),
        await session.code.run_code("1", "python"),
        await session.command.execute_command("true"),
        await files.read_file("x"),
        await files.write_file("x", "x"),
        await files.create_directory("x"),
        await files.list_directory("x"),
        await files.get_file_info("x"),
        await files.move_file("x", "y"),
        await files.edit_file("x", [{"oldText": "x", "newText": "y"}]),
        await files.read_multiple_files(["x"]),
        await files.search_files("x", "*"),
        await files.delete_file("x"),
        await files.get_file_change("x"),
        await agb.get(session.session_id),
        await agb.get_session(session.session_id),
    ]

    for result in results:
        assert not result.success
        assert "not found" in result.error_message.lower()
        assert isinstance(result.exception, SessionNotFoundError)
        assert result.request_id


async def test_list_by_labels(agb: AsyncAGB) -> None:
    """Sessions are found by all of several labels, page by page, each once."""
    sessions = [
        (await agb.create(CreateSessionParams(labels={"set": "paged", "n": str(n)}))).session
        for n in range(3)
    ]
    pages = [await agb.list({"set": "paged"}, page=page, limit=2) for page in (1, 2, 3)]
    one = await agb.list({"set": "paged", "n": "1"})
    none = await agb.list({"set": "paged", "n": "9"})
    for session in sessions:
        await session.delete()
    after = await agb.list({"set": "paged"})

    found = pages[0].session_ids + pages[1].session_ids
    assert sorted(found) == sorted(session.session_id for session in sessions)
    assert pages[0].total_count == 3
    assert not pages[2].success
    assert one.session_ids == [sessions[1].session_id]
    assert none.success
    assert none.session_ids == []
    assert after.session_ids == []


async def test_wrong_key(session: AsyncSession) -> None:
    """A wrong API key is refused, and does not appear in the message."""
    from agb._io import embedded

    server = embedded.running()
    assert server is not None
    async with AsyncAGB("wrong-key", Config(endpoint=server.endpoint)) as intruder:
        refused = await intruder.get(session.session_id)
        created = await intruder.create()

    assert isinstance(refused.exception, AuthenticationError)
    assert isinstance(created.exception, AuthenticationError)
    assert created.request_id
    assert "wrong-key" not in refused.error_message


async def test_describe(session: AsyncSession) -> None:
    """A session that is found by its id carries what the service knows of it."""
    found = await session.agb.get(session.session_id)

    assert found.success
    assert found.session.session_id == session.session_id
    assert found.session.image_id == ""
    assert isinstance(found.session.resource_url, str)
