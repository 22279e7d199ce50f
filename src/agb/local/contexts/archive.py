"""Contexts that are kept as one archive: packed and unpacked by way of a directory of our own."""

from __future__ import annotations

import contextlib
import os
import shutil
import tarfile
import tempfile
from collections.abc import Generator

from . import beneath
from .beneath import Owner
from .failures import TooMuch

NAME = "archive.tar.gz"


@contextlib.contextmanager
def staging(parent: str) -> Generator[str]:
    """Make a directory that only this server enters, for as long as it is needed."""
    path = tempfile.mkdtemp(prefix=beneath.TEMPORARY, dir=parent)
    try:
        yield path
    finally:
        shutil.rmtree(path, ignore_errors=True)


def pack(directory: str, target: int) -> None:
    """Pack a directory of our own.

    Args:
        directory: Its path.
        target: Descriptor of the directory that gets the archive.
    """
    with (
        beneath.replacing(target, NAME, Owner()) as descriptor,
        os.fdopen(os.dup(descriptor), "wb") as file,
        tarfile.open(fileobj=file, mode="w:gz", compresslevel=1) as archive,
    ):
        archive.add(directory, arcname=".", filter=_anonymous)


def unpack(source: int, directory: str, max_bytes: int) -> bool:
    """Unpack the archive of a context into a directory of our own.

    Args:
        source: Descriptor of the directory that has the archive.
        directory: Where to.
        max_bytes: How large it may become.

    Returns:
        False if there is no archive.

    Raises:
        TooMuch: It is larger, or it holds what does not belong into an archive of ours.
    """
    try:
        descriptor = beneath.open_file(source, [NAME])
    except FileNotFoundError:
        return False
    try:
        with (
            os.fdopen(descriptor, "rb") as file,
            tarfile.open(fileobj=file, mode="r:gz") as archive,
        ):
            for member in archive:
                max_bytes -= member.size
                if max_bytes < 0:
                    raise TooMuch("its archive is larger than a context may be")
                _unpack_member(archive, member, directory)
    except (tarfile.TarError, EOFError) as error:
        raise TooMuch(f"its archive can't be unpacked ({error})") from error
    return True


def _unpack_member(archive: tarfile.TarFile, member: tarfile.TarInfo, directory: str) -> None:
    """Unpack one file; it was possibly uploaded by somebody, so it is not trusted."""
    names = [name for name in member.name.split("/") if name not in ("", ".")]
    if ".." in names:
        raise TooMuch(f"its archive leads out of it ({member.name[:100]!r})")
    ours = Owner()
    with beneath.directory(directory) as top:
        if member.isdir():
            with beneath.walk(top, names, make=ours) as made:
                os.fchmod(made, member.mode & 0o777 | 0o700)
        elif names and (member.issym() or member.isfile()):
            with beneath.walk(top, names[:-1], make=ours) as parent:
                if member.issym():
                    beneath.remove(parent, names[-1])
                    os.symlink(member.linkname, names[-1], dir_fd=parent)
                    return
                content = archive.extractfile(member)
                assert content is not None, "a regular file"
                with beneath.replacing(parent, names[-1], ours) as descriptor:
                    with os.fdopen(os.dup(descriptor), "wb") as file:
                        shutil.copyfileobj(content, file)
                    os.fchmod(descriptor, member.mode & 0o777)
                    os.utime(descriptor, (member.mtime, member.mtime))


def _anonymous(member: tarfile.TarInfo) -> tarfile.TarInfo:
    """Leave out whose file it was here."""
    member.uid = member.gid = 0
    member.uname = member.gname = ""
    return member
