"""Working with files in a real sandbox."""

from __future__ import annotations

from agb import Session
from agb.exceptions import FileError


def test_text_of_every_length(session: Session) -> None:
    """Text with characters of several bytes survives every chunk border."""
    files = session.file_system
    for shift in range(4):
        content = "x" * shift + "é世🐍" * 20_000

        written = files.write_file("/tmp/text.txt", content)
        read = files.read_file("/tmp/text.txt")

        assert written.success, written.error_message
        assert read.content == content


def test_bytes(session: Session) -> None:
    """Bytes that are no text come back exactly, and as text with replacement characters."""
    made = "import os\nopen('raw.bin', 'wb').write(bytes(range(256)) * 500)"
    assert (session.code.run_code(made, "python")).success

    raw = session.file.read("raw.bin", format="bytes")
    as_text = session.file.read("raw.bin")

    assert raw.content == bytes(range(256)) * 500
    assert raw.size == 128_000
    assert "\N{REPLACEMENT CHARACTER}" in as_text.content


def test_append(session: Session) -> None:
    """Appending creates the file and then adds to it."""
    session.file_system.write_file("log.txt", "one ", "append")
    session.file_system.write_file("log.txt", "two", mode="append")

    assert (session.file_system.read_file("log.txt")).content == "one two"


def test_empty_file(session: Session) -> None:
    """An empty file reads as an empty text."""
    session.file_system.write_file("empty", "")

    read = session.file_system.read_file("empty")

    assert read.success
    assert read.content == ""


def test_file_without_a_size(session: Session) -> None:
    """A file of `/proc` says it is empty and is read all the same."""
    read = session.file_system.read_file("/proc/version")

    assert read.success, read.error_message
    assert read.content.startswith("Linux version")


def test_what_is_no_file(session: Session) -> None:
    """A missing file, a directory, a FIFO and a device fail at once, each with a reason."""
    session.command.execute_command("mkfifo /tmp/pipe")
    reasons = {
        "/tmp/missing": "No such file",
        "/tmp": "directory",
        "/tmp/pipe": "regular file",
        "/dev/zero": "regular file",
    }
    for path, reason in reasons.items():
        result = session.file_system.read_file(path)

        assert not result.success
        assert reason in result.error_message
        assert isinstance(result.exception, FileError)


def test_bad_paths(session: Session) -> None:
    """Paths that can't be a path fail without a request."""
    for path in ("", None, 5, "a\0b", "\ud800"):
        result = session.file_system.read_file(path)

        assert not result.success
        assert result.request_id == ""
        assert "path" in result.error_message


def test_paths_with_dots(session: Session) -> None:
    """`..` stays inside the sandbox: its top is the sandbox's own root."""
    session.file_system.write_file("/tmp/a.txt", "inside")

    inside = session.file_system.read_file("/home/user/../../tmp/a.txt")
    outside = session.file_system.read_file("../../../../../../etc/shadow")

    assert inside.content == "inside"
    assert not outside.success


def test_symlink_out(session: Session) -> None:
    """A symbolic link leads to the sandbox's files, never to the host's."""
    session.command.execute_command("ln -s /etc/shadow shadow; ln -s / root")

    for path in ("shadow", "root/etc/shadow", "root/root/.bashrc"):
        assert not (session.file_system.read_file(path)).success


def test_write_where_nothing_may_be_written(session: Session) -> None:
    """The system's own directories are read-only."""
    for path in ("/usr/x", "/etc/x", "/x", "/dev/x", "/proc/x", "/missing/x"):
        assert not (session.file_system.write_file(path, "x")).success


def test_directories(session: Session) -> None:
    """Directories are made with their parents, and listed by name."""
    files = session.file_system
    files.create_directory("/tmp/d/[DIR] odd name")
    files.write_file("/tmp/d/ü.txt", "")

    listed = files.list_directory("/tmp/d")

    names = {entry["name"]: entry["isDirectory"] for entry in listed.entries}
    assert names == {"[DIR] odd name": True, "ü.txt": False}
    assert all(entry["is_directory"] == entry["isDirectory"] for entry in listed.entries)


def test_info(session: Session) -> None:
    """Facts about a file have their types."""
    session.file_system.write_file("/tmp/four", "1234")

    info = (session.file_system.get_file_info("/tmp/four")).file_info

    assert info["size"] == 4
    assert info["isDirectory"] is False
    assert info["name"] == "four"


def test_move_and_delete(session: Session) -> None:
    """A moved file is at its new place only, and a deleted one nowhere."""
    files = session.file_system
    files.write_file("a", "content")

    moved = files.move_file("a", "b")
    read = files.read_file("b")
    deleted = files.delete_file("b")
    again = files.delete_file("b")

    assert moved.data is True
    assert read.content == "content"
    assert deleted.success
    assert not again.success
    assert not (files.read_file("a")).success


def test_edit(session: Session) -> None:
    """Edits happen all or not at all, and a dry run changes nothing."""
    files = session.file_system
    files.write_file("f", "one two three")
    good, bad = {"oldText": "two", "newText": "2"}, {"oldText": "four", "newText": "4"}

    dry = files.edit_file("f", [good], dry_run=True)
    half = files.edit_file("f", [good, bad])
    before = (files.read_file("f")).content
    done = files.edit_file("f", [good])

    assert dry.success
    assert not half.success
    assert "four" in half.error_message
    assert before == "one two three"
    assert done.success
    assert (files.read_file("f")).content == "one 2 three"


def test_several_files(session: Session) -> None:
    """Several files are read with one request, also with separators in their text."""
    files = session.file_system
    files.write_file("/tmp/a", "first: line\nsecond")
    files.write_file("/tmp/b", "---\nnot a separator: really")

    read = files.read_multiple_files(["/tmp/a", "/tmp/b"])
    missing = files.read_multiple_files(["/tmp/a", "/tmp/none"])

    assert read.contents["/tmp/a"] == "first: line\nsecond"
    assert read.contents["/tmp/b"] == "---\nnot a separator: really"
    assert not missing.success
    assert "/tmp/none" in missing.error_message


def test_search(session: Session) -> None:
    """Files are found by pattern, and left out by pattern."""
    files = session.file_system
    files.create_directory("src/deep")
    files.write_file("src/a.py", "")
    files.write_file("src/deep/b.py", "")

    found = files.search_files("src", "*.py")
    fewer = files.search_files("src", "*.py", ["deep"])
    none = files.search_files("src", "*.none")

    assert found.matches == ["/home/user/src/a.py", "/home/user/src/deep/b.py"]
    assert fewer.matches == ["/home/user/src/a.py"]
    assert none.success
    assert none.matches == []


def test_changes(session: Session) -> None:
    """Changes are told since the call before; the first call only begins."""
    files = session.file_system
    files.create_directory("watched")
    files.write_file("watched/old", "1")
    first = files.get_file_change("watched")
    files.write_file("watched/new", "1")
    files.write_file("watched/old", "changed")
    second = files.get_file_change("watched")
    files.delete_file("watched/new")
    third = files.get_file_change("watched")

    assert not first.has_changes()
    assert second.get_created_files() == ["/home/user/watched/new"]
    assert second.get_modified_files() == ["/home/user/watched/old"]
    assert third.get_deleted_files() == ["/home/user/watched/new"]
