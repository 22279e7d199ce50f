"""The file tools in a real sandbox."""

from __future__ import annotations

import base64

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agb.local.inside.files import _characters
from agb.local.inside.patterns import Pattern

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def test_write_and_read(tool):
    """What is written is read; append adds, overwrite replaces."""
    assert await tool("write_file", path="a.txt", content="hé\n", mode="overwrite") == {"bytes": 4}
    await tool("write_file", path="a.txt", content="more", mode="append")
    assert (await tool("read_file", path="/home/user/a.txt"))["content"] == "hé\nmore"
    await tool("write_file", path="~/a.txt", content="", mode="overwrite")

    assert (await tool("read_file", path="a.txt"))["content"] == ""


async def test_append_creates(tool):
    """Append to a file that is not there makes it."""
    await tool("write_file", path="appended", content="x", mode="append")

    assert (await tool("read_file", path="appended"))["content"] == "x"


async def test_ranges(tool):
    """A range is in bytes; binary is exact, text does not cut characters."""
    await tool("write_file", path="r", content="aé€😀z", mode="overwrite")
    binary = await tool("read_file", path="r", offset=1, length=3, format="binary")
    texts = [
        (await tool("read_file", path="r", offset=at, length=3, format="text"))["content"]
        for at in range(0, 11, 3)
    ]

    assert base64.b64decode(binary["content"]) == "aé€".encode()[1:4]
    assert "".join(texts) == "aé€😀z"
    assert (await tool("read_file", path="r", offset=99, length=3))["content"] == ""


async def test_not_regular(tool, refusal):
    """Directories, FIFOs and devices are refused at once, by name."""
    await tool("shell", command="mkfifo fifo; ln -s fifo link-to-fifo")

    assert await refusal("read_file", path=".") == "Is a directory: '/home/user/.'"
    assert await refusal("read_file", path="fifo") == "Not a regular file (FIFO): '/home/user/fifo'"
    assert "Not a regular file (FIFO)" in await refusal(
        "write_file", path="link-to-fifo", content="x", mode="append"
    )
    assert await refusal("read_file", path="/dev/zero") == (
        "Not a regular file (character device): '/dev/zero'"
    )


async def test_missing(refusal):
    """A missing file, directory or parent is named."""
    assert await refusal("read_file", path="/tmp/x") == "No such file or directory: '/tmp/x'"
    message = await refusal("write_file", path="no/such/file", content="", mode="overwrite")
    assert message == "No such directory: '/home/user/no/such' (create_directory makes it)"
    assert "'/home/user/gone'" in await refusal("list_directory", path="gone")
    assert "NUL" in await refusal("read_file", path="a\0b")


async def test_read_only_places(refusal):
    """Nothing can be written outside the home directory and /tmp."""
    for path in ("/usr/x", "/etc/x", "/x", "/dev/x", "/opt/agb/x", "/proc/x"):
        await refusal("write_file", path=path, content="x", mode="overwrite")
    assert "Read-only file system" in await refusal("delete_file", path="/etc/passwd")


async def test_edit(tool, refusal):
    """Edits are made in order; a dry run shows the difference and changes nothing."""
    await tool("write_file", path="e", content="one\ntwo\n", mode="overwrite")
    edits = [{"oldText": "one", "newText": "1"}, {"oldText": "1\ntwo", "newText": "1\n2"}]
    dry = await tool("edit_file", path="e", edits=edits, dryRun=True)
    assert (await tool("read_file", path="e"))["content"] == "one\ntwo\n"
    wet = await tool("edit_file", path="e", edits=edits, dryRun=False)

    assert dry == wet
    assert "-one\n-two\n+1\n+2\n" in wet["diff"]
    assert (await tool("read_file", path="e"))["content"] == "1\n2\n"
    assert "'nowhere'" in await refusal(
        "edit_file",
        path="e",
        edits=[edits[0] | {"oldText": "1"}, {"oldText": "nowhere", "newText": ""}],
    )
    assert (await tool("read_file", path="e"))["content"] == "1\n2\n"


async def test_move(tool, refusal):
    """A move replaces files, not directories, and crosses file systems."""
    await tool("shell", command="mkdir -p m/d m/full; echo a >m/a; echo b >m/b; touch m/full/x")
    await tool("move_file", source="m/a", destination="m/b")
    assert (await tool("read_file", path="m/b"))["content"] == "a\n"
    await tool("move_file", source="m/full", destination="/tmp/full")
    assert (await tool("list_directory", path="/tmp/full"))["entries"][0]["name"] == "x"

    assert "is a directory" in await refusal("move_file", source="m/b", destination="m/d")
    assert "exists" in await refusal("move_file", source="m/d", destination="m/b")
    assert "'/home/user/m/none'" in await refusal("move_file", source="m/none", destination="m/z")


async def test_delete(tool, refusal):
    """Files and links are deleted, directories are not; a link's target stays."""
    await tool("shell", command="mkdir -p del; touch del/f; ln -s f del/l")
    await tool("delete_file", path="del/l")
    assert [entry["name"] for entry in (await tool("list_directory", path="del"))["entries"]] == [
        "f"
    ]

    assert "Is a directory: 'del'" in await refusal("delete_file", path="del")


async def test_list_and_info(tool):
    """A listing is sorted and follows links; information is honest about size, kind and mode."""
    await tool(
        "shell", command="mkdir -p li/sub; printf abc >li/f; chmod 640 li/f; ln -s sub li/to"
    )
    listing = await tool("list_directory", path="li")
    info = await tool("get_file_info", path="li/f")

    assert listing["entries"] == [
        {"name": "f", "isDirectory": False},
        {"name": "sub", "isDirectory": True},
        {"name": "to", "isDirectory": True},
    ]
    expected = {"name": "f", "path": "/home/user/li/f", "size": 3, "type": "file", "owner": "user"}
    assert expected.items() <= info.items()
    assert (info["isFile"], info["isDirectory"], info["permissions"]) == (True, False, "640")
    assert (await tool("get_file_info", path="li/to"))["isSymlink"]


async def test_many(tool):
    """Reading several files reports each on its own."""
    await tool("write_file", path="many", content="m", mode="overwrite")
    result = await tool("read_multiple_files", paths=["many", "missing"])

    assert result["files"][0] == {"path": "many", "content": "m"}
    assert "No such file" in result["files"][1]["error"]


async def test_search(tool):
    """A pattern without a slash fits names, one with a slash or ** fits relative paths."""
    await tool("shell", command="mkdir -p s/a/b s/x; touch s/1.py s/a/2.py s/a/b/3.py s/x/4.py s/t")

    async def found(pattern, exclude=()):
        result = await tool("search_files", path="s", pattern=pattern, excludePatterns=exclude)
        return [match.removeprefix("/home/user/s/") for match in result["matches"]]

    assert await found("*.py") == ["1.py", "a/2.py", "a/b/3.py", "x/4.py"]
    assert await found("*.py", ["x", "a/b/**"]) == ["1.py", "a/2.py"]
    assert await found("a/*.py") == ["a/2.py"]
    assert await found("**/*.py") == ["1.py", "a/2.py", "a/b/3.py", "x/4.py"]
    assert await found("nothing*") == []


async def test_changes(tool, refusal):
    """Each call tells what changed since the last one; the first is the baseline."""
    await tool("shell", command="mkdir -p w/d; echo 1 >w/f; echo 1 >w/gone")
    assert (await tool("get_file_change", path="w"))["events"] == []
    await tool("shell", command="echo 22 >w/f; rm w/gone; touch w/d/new; mkdir w/e")
    events = (await tool("get_file_change", path="w"))["events"]

    assert {(e["eventType"], e["path"][13:], e["pathType"]) for e in events} == {
        ("modify", "f", "file"),
        ("delete", "gone", "file"),
        ("create", "d/new", "file"),
        ("create", "e", "directory"),
    }
    assert (await tool("get_file_change", path="w"))["events"] == []
    await tool("shell", command="rm -r w")
    assert all(
        e["eventType"] == "delete" for e in (await tool("get_file_change", path="w"))["events"]
    )
    assert (await tool("get_file_change", path="w"))["events"] == []
    await refusal("get_file_change", path="never-there")


async def test_a_watched_directory_that_comes_back(tool):
    """What was watched, went and came back is told as new, with all in it."""
    await tool("shell", command="mkdir w; echo 1 >w/f")
    await tool("get_file_change", path="w")
    await tool("shell", command="rm -r w")
    went = (await tool("get_file_change", path="w"))["events"]
    await tool("shell", command="mkdir w; echo 1 >w/f")
    came = (await tool("get_file_change", path="w"))["events"]

    assert [(e["eventType"], e["path"][11:]) for e in went + came] == [
        ("delete", "w/f"),
        ("create", "w/f"),
    ]


async def test_too_much_at_once(tool, refusal):
    """A file too large for one reply is refused with the way out; its ranges can be read."""
    await tool("shell", command="truncate -s 100M huge")

    assert "read it in ranges" in await refusal("read_file", path="huge", format="binary")
    part = await tool("read_file", path="huge", offset=99_000_000, length=10, format="binary")
    assert base64.b64decode(part["content"]) == bytes(10)


async def test_names_that_are_no_text(tool):
    """A name that is not UTF-8 is listed with U+FFFD in it."""
    await tool("shell", command="mkdir odd; touch odd/$'a\\377'")

    names = [entry["name"] for entry in (await tool("list_directory", path="odd"))["entries"]]
    assert names == ["a\N{REPLACEMENT CHARACTER}"]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.text(), st.integers(1, 9))
async def test_text_ranges_side_by_side(text, step):
    """Text ranges of any size, laid side by side, are the text."""
    data = text.encode("utf-8", "replace")
    pieces: list[str] = []
    for offset in range(0, len(data), step):
        before = min(offset, 3)
        window = data[offset - before : offset + step + 3]
        pieces.append(_characters(window, before, min(len(window), before + step)))

    assert "".join(pieces) == data.decode()


@pytest.mark.parametrize(
    ("pattern", "path", "fits"),
    [
        ("*.txt", "a/b.txt", True),
        ("[!a]*", "a/bcd", True),
        ("a[", "a[", True),
        ("src/**", "src/a/b", True),
        ("src/*", "src/a/b", False),
        ("**/test_?.py", "test_1.py", True),
        ("a/**/z", "a/z", True),
        ("?/b", "//b", False),
    ],
)
async def test_patterns(pattern, path, fits):
    """Globs mean what they mean in a shell."""
    assert Pattern(pattern).matches(path.rpartition("/")[2], path) is fits
