"""Working with files in a real sandbox."""

from __future__ import annotations

from agb import AsyncSession
from agb.exceptions import FileError


async def test_text_of_every_length(session: AsyncSession) -> None:
    """Text with characters of several bytes survives every chunk border."""
    files = session.file_system
    for shift in range(4):
        content = "x" * shift + "é世🐍" * 20_000

        written = await files.write_file("/tmp/text.txt", content)
        read = await files.read_file("/tmp/text.txt")

        assert written.success, written.error_message
        assert read.content == content


async def test_bytes(session: AsyncSession) -> None:
    """Bytes that are no text come back exactly, and as text with replacement characters."""
    made = "import os\nopen('raw.bin', 'wb').write(bytes(range(256)) * 500)"
    assert (await session.code.run_code(made, "python")).success

    raw = await session.file.read("raw.bin", format="bytes")
    as_text = await session.file.read("raw.bin")

    assert raw.content == bytes(range(256)) * 500
    assert raw.size == 128_000
    assert "\N{REPLACEMENT CHARACTER}" in as_text.content


async def test_append(session: AsyncSession) -> None:
    """Appending creates the file and then adds to it."""
    await session.file_system.write_file("log.txt", "one ", "append")
    await session.file_system.write_file("log.txt", "two", mode="append")

    assert (await session.file_system.read_file("log.txt")).content == "one two"


async def test_empty_file(session: AsyncSession) -> None:
    """An empty file reads as an empty text."""
    await session.file_system.write_file("empty", "")

    read = await session.file_system.read_file("empty")

    assert read.success
    assert read.content == ""


async def test_file_without_a_size(session: AsyncSession) -> None:
    """A file of `/proc` says it is empty and is read all the same."""
    read = await session.file_system.read_file("/proc/version")

    assert read.success, read.error_message
    assert read.content.startswith("Linux version")


async def test_what_is_no_file(session: AsyncSession) -> None:
    """A missing file, a directory, a FIFO and a device fail at once, each with a reason."""
    await session.command.execute_command("mkfifo /tmp/pipe")
    reasons = {
        "/tmp/missing": "No such file",
        "/tmp": "directory",
        "/tmp/pipe": "regular file",
        "/dev/zero": "regular file",
    }
    for path, reason in reasons.items():
        result = await session.file_system.read_file(path)

        assert not result.success
        assert reason in result.error_message
        assert isinstance(result.exception, FileError)


async def test_bad_paths(session: AsyncSession) -> None:
    """Paths that can't be a path fail without a request."""
    for path in ("", None, 5, "a\0b", "\ud800"):
        result = await session.file_system.read_file(path)

        assert not result.success
        assert result.request_id == ""
        assert "path" in result.error_message


async def test_paths_with_dots(session: AsyncSession) -> None:
    """`..` stays inside the sandbox: its top is the sandbox's own root."""
    await session.file_system.write_file("/tmp/a.txt", "inside")

    inside = await session.file_system.read_file("/home/user/../../tmp/a.txt")
    outside = await session.file_system.read_file("../../../../../../etc/shadow")

    assert inside.content == "inside"
    assert not outside.success


async def test_symlink_out(session: AsyncSession) -> None:
    """A symbolic link leads to the sandbox's files, never to the host's."""
    await session.command.execute_command("ln -s /etc/shadow shadow; ln -s / root")

    for path in ("shadow", "root/etc/shadow", "root/root/.bashrc"):
        assert not (await session.file_system.read_file(path)).success


async def test_write_where_nothing_may_be_written(session: AsyncSession) -> None:
    """The system's own directories are read-only."""
    for path in ("/usr/x", "/etc/x", "/x", "/dev/x", "/proc/x", "/missing/x"):
        assert not (await session.file_system.write_file(path, "x")).success


async def test_directories(session: AsyncSession) -> None:
    """Directories are made with their parents, and listed by name."""
    files = session.file_system
    await files.create_directory("/tmp/d/[DIR] odd name")
    await files.write_file("/tmp/d/ü.txt", "")

    listed = await files.list_directory("/tmp/d")

    names = {entry["name"]: entry["isDirectory"] for entry in listed.entries}
    assert names == {"[DIR] odd name": True, "ü.txt": False}
    assert all(entry["is_directory"] == entry["isDirectory"] for entry in listed.entries)


async def test_info(session: AsyncSession) -> None:
    """Facts about a file have their types."""
    await session.file_system.write_file("/tmp/four", "1234")

    info = (await session.file_system.get_file_info("/tmp/four")).file_info

    assert info["size"] == 4
    assert info["isDirectory"] is False
    assert info["name"] == "four"


async def test_move_and_delete(session: AsyncSession) -> None:
    """A moved file is at its new place only, and a deleted one nowhere."""
    files = session.file_system
    await files.write_file("a", "content")

    moved = await files.move_file("a", "b")
    read = await files.read_file("b")
    deleted = await files.delete_file("b")
    again = await files.delete_file("b")

    assert moved.data is True
    assert read.content == "content"
    assert deleted.success
    assert not again.success
    assert not (await files.read_file("a")).success


async def test_edit(session: AsyncSession) -> None:
    """Edits happen all or not at all, and a dry run changes nothing."""
    files = session.file_system
    await files.write_file("f", "one two three")
    good, bad = {"oldText": "two", "newText": "2"}, {"oldText": "four", "newText": "4"}

    dry = await files.edit_file("f", [good], dry_run=True)
    half = await files.edit_file("f", [good, bad])
    before = (await files.read_file("f")).content
    done = await files.edit_file("f", [good])

    assert dry.success
    assert not half.success
    assert "four" in half.error_message
    assert before == "one two three"
    assert done.success
    assert (await files.read_file("f")).content == "one 2 three"


async def test_several_files(session: AsyncSession) -> None:
    """Several files are read with one request, also with separators in their text."""
    files = session.file_system
    await files.write_file("/tmp/a", "first: line\nsecond")
    await files.write_file("/tmp/b", "---\nnot a separator: really")

    read = await files.read_multiple_files(["/tmp/a", "/tmp/b"])
    missing = await files.read_multiple_files(["/tmp/a", "/tmp/none"])

    assert read.contents["/tmp/a"] == "first: line\nsecond"
    assert read.contents["/tmp/b"] == "---\nnot a separator: really"
    assert not missing.success
    assert "/tmp/none" in missing.error_message


async def test_search(session: AsyncSession) -> None:
    """Files are found by pattern, and left out by pattern."""
    files = session.file_system
    await files.create_directory("src/deep")
    await files.write_file("src/a.py", "")
    await files.write_file("src/deep/b.py", "")

    found = await files.search_files("src", "*.py")
    fewer = await files.search_files("src", "*.py", ["deep"])
    none = await files.search_files("src", "*.none")

    assert found.matches == ["/home/user/src/a.py", "/home/user/src/deep/b.py"]
    assert fewer.matches == ["/home/user/src/a.py"]
    assert none.success
    assert none.matches == []


async def test_changes(session: AsyncSession) -> None:
    """Changes are told since the call before; the first call only begins."""
    files = session.file_system
    await files.create_directory("watched")
    await files.write_file("watched/old", "1")
    first = await files.get_file_change("watched")
    await files.write_file("watched/new", "1")
    await files.write_file("watched/old", "changed")
    second = await files.get_file_change("watched")
    await files.delete_file("watched/new")
    third = await files.get_file_change("watched")

    assert not first.has_changes()
    assert second.get_created_files() == ["/home/user/watched/new"]
    assert second.get_modified_files() == ["/home/user/watched/old"]
    assert third.get_deleted_files() == ["/home/user/watched/new"]
