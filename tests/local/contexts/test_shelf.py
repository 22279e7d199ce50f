"""The files of contexts on the shelf."""

import os
import time

import pytest

from agb.local.contexts.failures import TooMuch
from agb.local.contexts.mounts import Mount
from agb.local.contexts.shelf import Shelf


@pytest.fixture
def shelf(tmp_path):
    """The files of one context, `c`."""
    made = Shelf(str(tmp_path), 1 << 20)
    made.make("c")
    return made


def put(shelf, path, content=b"x"):
    with shelf.writing("c", path) as incoming:
        incoming.write(content)


def test_files_older_than_the_policy_are_recycled(shelf, tmp_path):
    """What was saved too long ago, and is meant by the policy, is not brought any more."""
    volume = tmp_path / "volume"
    volume.mkdir()
    for path in ("/data/old/a", "/data/b", "/other/old/c"):
        put(shelf, path)
    time.sleep(0.02)  # a file system writes times in steps
    mount = Mount(context_id="c", path="/data", kept_at="/data", keep_days=0, recycled=("old",))

    shelf.download(mount, str(volume), "/data")

    assert sorted(os.listdir(volume)) == ["b", "old"]
    assert shelf.list("c", "/data/old") == []
    assert [entry.name for entry in shelf.list("c", "/other/old")] == ["c"]


def test_a_file_that_is_too_large_is_not_kept(shelf):
    """An upload beyond the limit fails whole."""
    with pytest.raises(TooMuch):
        put(shelf, "/a", b"x" * ((1 << 20) + 1))

    assert shelf.list("c", "/") == []
