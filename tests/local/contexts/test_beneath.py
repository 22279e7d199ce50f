"""Work below a directory that somebody hostile may be changing."""

import pytest

from agb.local.contexts import beneath
from agb.local.contexts.beneath import directory, walk


@pytest.fixture
def source(tmp_path):
    """A tree to copy from."""
    (tmp_path / "source").mkdir()
    return tmp_path / "source"


def test_a_walk_follows_no_link(source, tmp_path):
    """A link on the way to a directory or a file is an error."""
    (source / "link").symlink_to(tmp_path)
    (source / "file").symlink_to("/etc/passwd")

    with directory(str(source)) as top:
        with pytest.raises(OSError), walk(top, ["link"]):  # noqa: PT011
            pass
        with pytest.raises(OSError):  # noqa: PT011
            beneath.open_file(top, ["link", "secret"])
        with pytest.raises(FileNotFoundError):
            beneath.open_file(top, ["file"])


def test_removing_does_not_follow_links(source, tmp_path):
    """A tree is removed with its links, not with what they lead to."""
    (tmp_path / "precious").mkdir()
    (tmp_path / "precious/file").write_text("x")
    (source / "d").mkdir()
    (source / "d/link").symlink_to(tmp_path / "precious")

    with directory(str(source)) as top:
        beneath.remove(top, "d")
        beneath.remove(top, "missing")

    assert list(source.iterdir()) == []
    assert (tmp_path / "precious/file").exists()
