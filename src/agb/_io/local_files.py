"""Files of this machine on their way to a store or from one. All of this blocks."""

from __future__ import annotations

import contextlib
import hashlib
import os
import stat
from collections.abc import Generator
from typing import BinaryIO

from agb._core.exceptions import FileError

BLOCK_BYTES = 1 << 20

# A FIFO or a device would make opening wait; Windows has neither, nor the flag.
_NO_WAITING = getattr(os, "O_NONBLOCK", 0)


class _LocalFile:
    """What both ways have in common: an open file, and the checksum of what has passed.

    Attributes:
        path: The file; `""` before it is opened.
        passed: How much of it has passed, in bytes.
    """

    def __init__(self) -> None:
        self.path = ""
        self.passed = 0
        self._digest = hashlib.md5(usedforsecurity=False)
        self._file: BinaryIO | None = None

    @property
    def md5(self) -> str:
        """The checksum of what has passed."""
        return self._digest.hexdigest()

    @property
    def _opened(self) -> BinaryIO:
        assert self._file is not None  # opened by the first step of each operation
        return self._file

    def restart(self) -> None:
        """Begin again at the first byte."""
        self.passed = 0
        self._digest = hashlib.md5(usedforsecurity=False)
        self._opened.seek(0)

    def _note(self, block: bytes) -> None:
        self._digest.update(block)
        self.passed += len(block)


class OutgoingFile(_LocalFile):
    """A file that is read in blocks.

    Attributes:
        size: Its length in bytes when it was opened: what is announced to the store.
    """

    size = 0

    def open(self, path: str) -> int:
        """Open it.

        Returns:
            Its size.

        Raises:
            FileError: It can't be read, or is no regular file.
        """
        self.path = path
        with _failing(path):
            self._file = open(path, "rb", opener=_open_at_once, buffering=0)  # noqa: SIM115
            facts = os.fstat(self._file.fileno())
        if not stat.S_ISREG(facts.st_mode):
            raise FileError(f"{path} is not a regular file")
        self.size = facts.st_size
        return self.size

    def read(self) -> bytes:
        """Read the next block, `b""` at the end; what was added meanwhile is left out.

        Raises:
            FileError: It can't be read, or has become shorter.
        """
        left = self.size - self.passed
        with _failing(self.path):
            block = self._opened.read(min(BLOCK_BYTES, left))
        if left and not block:
            raise FileError(f"{self.path} became shorter while it was sent")
        self._note(block)
        return block

    def close(self) -> None:
        """Close it; may be called again."""
        if self._file is not None:
            self._file.close()


class IncomingFile(_LocalFile):
    """A file that is written beside its place, and takes it once it is whole.

    Args:
        overwrite: Whether it may replace a file that is there.
    """

    def __init__(self, *, overwrite: bool) -> None:
        super().__init__()
        self._overwrite = overwrite
        self._part = ""

    def open(self, path: str) -> None:
        """Check its place and make the file beside it, with the directories above.

        Raises:
            FileError: It can't be there.
        """
        # Through a link: what is replaced is the file that it leads to.
        self.path = os.path.realpath(path)
        if not self._overwrite and os.path.lexists(path):
            raise _taken(path)
        if os.path.exists(self.path) and not os.path.isfile(self.path):
            raise FileError(f"{path} is not a regular file")
        directory = os.path.dirname(self.path)
        part = os.path.join(directory, f".agb-part-{os.urandom(8).hex()}")
        with _failing(directory):
            os.makedirs(directory, exist_ok=True)
            self._file = open(part, "xb", buffering=0)  # noqa: SIM115
            self._part = part

    def write(self, block: bytes) -> None:
        """Write the next block.

        Raises:
            FileError: The disk is full, or fails.
        """
        with _failing(self.path):
            rest = memoryview(block)
            while rest:
                rest = rest[self._opened.write(rest) :]
        self._note(block)

    def restart(self) -> None:
        """Throw away what has come."""
        super().restart()
        self._opened.truncate()

    def commit(self) -> None:
        """Let it take its place.

        Raises:
            FileError: It can't be there, or something is there meanwhile.
        """
        self._opened.close()
        with _failing(self.path):
            if self._overwrite:
                if os.path.exists(self.path):
                    os.chmod(self._part, stat.S_IMODE(os.stat(self.path).st_mode))
                os.replace(self._part, self.path)
            else:
                _put_without_replacing(self._part, self.path)
        self._part = ""

    def close(self) -> None:
        """Remove what has not taken its place; may be called again."""
        if self._file is not None:
            self._file.close()
        if self._part:
            with contextlib.suppress(OSError):
                os.unlink(self._part)
            self._part = ""


def _put_without_replacing(part: str, path: str) -> None:
    """Give a file its name in one step, which fails if there is one of that name."""
    try:
        if os.name == "nt":
            os.rename(part, path)  # never replaces there
        else:
            os.link(part, path)
            os.unlink(part)
    except FileExistsError as error:
        raise _taken(path) from error
    except PermissionError:
        # A file system without links: first take the name, then replace what is ours.
        try:
            os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL))
        except FileExistsError as error:
            raise _taken(path) from error
        os.replace(part, path)


def _taken(path: str) -> FileError:
    return FileError(f"{path} exists and overwrite is False")


def _open_at_once(path: str, flags: int) -> int:
    return os.open(path, flags | _NO_WAITING)


@contextlib.contextmanager
def _failing(path: str) -> Generator[None]:
    """Say what the system said, as an error of this package."""
    try:
        yield
    except OSError as error:
        raise FileError(f"{path}: {error.strerror or error}") from error
