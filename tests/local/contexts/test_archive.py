"""Contexts that are kept as one archive."""

import contextlib
import io
import os
import tarfile

import pytest

from agb.local.contexts import archive
from agb.local.contexts.beneath import directory
from agb.local.contexts.failures import TooMuch


def packed(*members):
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode="w:gz") as made:
        for name, kind, target in members:
            member = tarfile.TarInfo(name)
            member.type, member.linkname = kind, target
            member.size = len(target) if kind == tarfile.REGTYPE else 0
            made.addfile(member, io.BytesIO(target.encode()))
    return content.getvalue()


@pytest.mark.parametrize(
    "members",
    [
        [("../escaped", tarfile.REGTYPE, "x")],
        [("d/../../escaped", tarfile.REGTYPE, "x")],
        [("link", tarfile.SYMTYPE, ".."), ("link/escaped", tarfile.REGTYPE, "x")],
        [("/escaped", tarfile.REGTYPE, "x")],
        [("escaped", tarfile.LNKTYPE, "/etc/passwd"), ("dev", tarfile.CHRTYPE, "")],
    ],
)
def test_an_archive_unpacks_only_below_its_directory(members, tmp_path):
    """An archive that somebody uploaded leads nowhere else."""
    (tmp_path / "kept").mkdir()
    (tmp_path / "kept" / archive.NAME).write_bytes(packed(*members))
    staged = tmp_path / "x/staged"
    staged.mkdir(parents=True)

    with directory(str(tmp_path / "kept")) as kept, contextlib.suppress(TooMuch):
        archive.unpack(kept, str(staged), 1 << 20)

    assert sorted(os.listdir(tmp_path)) == ["kept", "x"]
    assert os.listdir(tmp_path / "x") == ["staged"]


@pytest.mark.parametrize("content", [b"no archive", packed(("a", tarfile.REGTYPE, "x" * 5000))])
def test_an_archive_that_can_not_be_unpacked_is_refused(content, tmp_path):
    """What is no archive, or unpacks to too much, is an error with a reason."""
    (tmp_path / archive.NAME).write_bytes(content)

    with directory(str(tmp_path)) as kept, pytest.raises(TooMuch, match="archive"):
        archive.unpack(kept, str(tmp_path), 100)
