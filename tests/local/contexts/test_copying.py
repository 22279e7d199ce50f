"""Trees of files copied over others, both of which somebody hostile may be changing."""

import os

import pytest

from agb.local.contexts import beneath
from agb.local.contexts.beneath import Owner, directory
from agb.local.contexts.copying import Copying
from agb.local.contexts.failures import TooMuch
from agb.local.contexts.mounts import WhiteLists

EVERYTHING = WhiteLists()


@pytest.fixture
def source(tmp_path):
    """A tree to copy from."""
    (tmp_path / "source").mkdir()
    return tmp_path / "source"


@pytest.fixture
def target(tmp_path):
    """A tree to copy to, beside something that nobody may touch."""
    (tmp_path / "target").mkdir()
    (tmp_path / "secret").write_text("secret")
    return tmp_path / "target"


def copy(source, target, selection=EVERYTHING, max_bytes=1 << 30, prune=False):
    with directory(str(source)) as top, directory(str(target)) as other:
        copying = Copying(selection, Owner(), max_bytes)
        copying.copy(top, other)
        if prune:
            copying.prune(top, other)


def tree(path):
    return sorted(str(each.relative_to(path)) for each in path.rglob("*"))


def test_a_tree_is_copied_with_modes_times_and_links(source, target):
    """Content, rights, times and links are those of the source; set-user bits are dropped."""
    (source / "d").mkdir(mode=0o750)
    (source / "d/file").write_bytes(b"x" * 3_000_000)
    (source / "d/file").chmod(0o4711)
    os.utime(source / "d/file", (1, 2))
    (source / "link").symlink_to("/etc/passwd")

    copy(source, target)

    copied = target / "d/file"
    assert copied.read_bytes() == b"x" * 3_000_000
    assert (copied.stat().st_mode & 0o7777, copied.stat().st_mtime) == (0o711, 2)
    assert (target / "d").stat().st_mode & 0o777 == 0o750
    assert os.readlink(target / "link") == "/etc/passwd"


def test_a_file_that_is_the_same_is_left_alone(source, target):
    """Nothing is written for a file that has not changed."""
    (source / "a").write_text("x")
    copy(source, target)
    before = (target / "a").stat().st_ino

    copy(source, target)
    same = (target / "a").stat().st_ino
    (source / "a").write_text("yy")
    copy(source, target)

    assert same == before
    assert (target / "a").read_text() == "yy"


def test_links_in_the_target_are_not_followed(source, target, tmp_path):
    """Where the target has links, they give way: nothing is written where they lead."""
    (source / "d").mkdir()
    (source / "d/secret").write_text("new")
    (source / "secret").write_text("new")
    (target / "d").symlink_to(tmp_path)
    (target / "secret").symlink_to(tmp_path / "secret")

    copy(source, target)

    assert (tmp_path / "secret").read_text() == "secret"
    assert tree(target) == ["d", "d/secret", "secret"]


def test_kinds_may_change(source, target):
    """A file takes the place of a directory, a directory that of a file, a link that of either."""
    (source / "a").write_text("file")
    (source / "b").mkdir()
    (source / "c").symlink_to("a")
    (target / "a/deep").mkdir(parents=True)
    (target / "b").write_text("was a file")
    (target / "c/deep").mkdir(parents=True)

    copy(source, target)

    assert (target / "a").read_text() == "file"
    assert (target / "b").is_dir()
    assert (target / "c").is_symlink()


def test_what_is_no_file_is_left_out(source, target):
    """FIFOs and sockets are not waited for and not copied."""
    os.mkfifo(source / "fifo")
    (source / "a").write_text("x")

    copy(source, target)

    assert tree(target) == ["a"]


def test_pruning_removes_what_is_gone(source, target):
    """Files and directories that the source no longer has go, links included, never followed."""
    (source / "d").mkdir()
    (source / "kept").write_text("x")
    (target / "d/e").mkdir(parents=True)
    (target / "d/e/gone").write_text("x")
    (target / "gone").symlink_to("/")

    copy(source, target, prune=True)

    assert tree(target) == ["d", "kept"]


def test_pruning_keeps_what_is_not_selected(source, target):
    """What a white list leaves out is neither copied nor removed."""
    lists = WhiteLists((("src", ("src/build",)),))
    for path in ("src/build", "other"):
        (target / path).mkdir(parents=True)
        (target / path / "kept").write_text("x")
    (target / "src/gone").write_text("x")
    (source / "other").mkdir()
    (source / "other/new").write_text("x")

    copy(source, target, lists, prune=True)

    assert tree(target) == ["other", "other/kept", "src", "src/build", "src/build/kept"]


def test_a_tree_that_is_too_large_is_refused(source, target):
    """More bytes, or more levels, than allowed end the copy; no half file is left."""
    (source / "a").write_bytes(b"x" * 100)
    deep = source
    for _ in range(103):
        deep = deep / "d"
        deep.mkdir()

    with pytest.raises(TooMuch):
        copy(source, target, max_bytes=99)
    with pytest.raises(TooMuch, match="directories deep"):
        copy(source, target)

    assert "a" in tree(target)
    assert not [name for name in os.listdir(target) if name.startswith(beneath.TEMPORARY)]


def test_holes_stay_holes(source, target):
    """A file that is mostly a hole takes no more place than its data."""
    with (source / "sparse").open("wb") as file:
        file.seek(1 << 30)
        file.write(b"end")

    copy(source, target, max_bytes=1 << 20)

    copied = (target / "sparse").stat()
    assert copied.st_size == (1 << 30) + 3
    assert copied.st_blocks * 512 < 1 << 20
