"""Files whose content the server moves: opened in here, with the rights of the session.

The server gets an open descriptor and never resolves a path of the session. So a link, or a race
for a name, leads only to what the session itself may read or write.
"""

from __future__ import annotations

import os
import stat

from .failures import ToolFailure
from .paths import PART, Home, not_regular, open_regular

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .cancellation import Cancellation
    from .handing import Handing


class WholeFiles:
    """Opens files for the server, which knows each by the number that it gave."""

    def __init__(self, home: Home, handing: Handing) -> None:
        self._home = home
        self._handing = handing

    def open_file(self, cancellation: Cancellation, *, path: str, number: int) -> dict[str, object]:
        """Open a file for reading."""
        self._hand_out(number, open_regular(self._home.resolve(path), os.O_RDONLY))
        return {}

    def create_part(
        self, cancellation: Cancellation, *, path: str, number: int
    ) -> dict[str, object]:
        """Create a file that is to take the place of another one; directories are made.

        A link is followed, so that what it points to is replaced.
        """
        if path.endswith("/"):
            raise ToolFailure(f"Is a directory: {path!r}")
        target = os.path.realpath(self._home.resolve(path))
        mode = os.stat(target).st_mode if os.path.exists(target) else None
        if mode is not None and not stat.S_ISREG(mode):
            raise not_regular(path, mode)
        directory = os.path.dirname(target)
        part = os.path.join(directory, PART + os.urandom(8).hex())
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
        try:
            os.makedirs(directory, exist_ok=True)
            descriptor = os.open(part, flags, 0o666)
        except OSError as error:
            raise ToolFailure(f"{error.strerror}: {path!r}") from error
        if mode is not None:
            os.fchmod(descriptor, stat.S_IMODE(mode))
        self._hand_out(number, descriptor)
        return {"part": part, "target": target}

    def finish_part(
        self, cancellation: Cancellation, *, part: str, target: str
    ) -> dict[str, object]:
        """Let a file take its place, whole and at once."""
        os.rename(part, target)
        return {}

    def remove_part(self, cancellation: Cancellation, *, part: str) -> dict[str, object]:
        """Remove a file that is not to take its place."""
        os.unlink(part)
        return {}

    def _hand_out(self, number: int, descriptor: int) -> None:
        try:
            self._handing.hand_out(number, descriptor)
        finally:
            os.close(descriptor)
