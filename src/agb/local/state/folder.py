"""The folder of a standing server: what it finds again when it is started the next time.

lock              held as long as anything of a server is left, its sandboxes included
key               the API key, for its owner only
sessions.sqlite   the sessions and their labels
contexts/         the contexts, unless `AGB_LOCAL_CONTEXTS` names another place
workspaces/       the files of each session, below a name of their own
run/              what ends with the server
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import secrets
import stat
import time
from collections.abc import Mapping

from ..machine.leftovers import clear_away
from ..machine.paths import can_pass
from ..spawner.state import remove_state

NO_FOLDER = "none"
"""What is said instead of a folder to have none."""

_LOCK_WAIT_S = 10.0
_SHORTEST_KEY = 16


class StateError(Exception):
    """The folder can't be used; the text is one line that says why and what to do."""


def choose(named: str | None, port: int, environment: Mapping[str, str]) -> str | None:
    """Choose the folder of a standing server.

    Args:
        named: The one that was asked for, `none`, or None.
        port: The port that was asked for.
        environment: The variables of this process.

    Returns:
        Its path; None for a server that keeps nothing. Without a word about it that is one at a
        free port: nobody finds it again at that address.
    """
    if named == NO_FOLDER or (named is None and port == 0):
        return None
    if named is not None:
        return named
    if os.geteuid() == 0:
        # Sessions of root run as users of their own, who can't pass root's home directory.
        return "/var/lib/agb"
    base = environment.get("XDG_STATE_HOME", "")
    if not os.path.isabs(base):
        base = os.path.join(os.path.expanduser("~"), ".local", "state")
    return os.path.join(base, "agb")


class StateFolder:
    """A state folder that this process has for itself."""

    def __init__(self, path: str, lock: int) -> None:
        """Use `StateFolder.open`."""
        self.path = path
        self.lock: int = lock
        """The descriptor that holds the lock, for those who must be gone before the next server."""

    @classmethod
    def open(cls, path: str) -> StateFolder:
        """Make the folder if it is not there, and take it.

        Raises:
            StateError: It can't be used, or another server has it.
        """
        path = os.path.abspath(path)
        try:
            _make(path)
            self = cls(path, _lock(path))
        except OSError as error:
            raise StateError(_unusable(path, error)) from error
        try:
            self._prepare()
        except OSError as error:
            self.close()
            raise StateError(_unusable(path, error)) from error
        except BaseException:
            self.close()
            raise
        return self

    @property
    def contexts(self) -> str:
        """Where contexts live."""
        return os.path.join(self.path, "contexts")

    @property
    def workspaces(self) -> str:
        """Where the files of sessions live."""
        return os.path.join(self.path, "workspaces")

    @property
    def run(self) -> str:
        """Where that lives which ends with the server."""
        return os.path.join(self.path, "run")

    def registry(self) -> str:
        """Return the file of the registry of sessions, made for its owner only.

        Raises:
            StateError: It can't be made.
        """
        path = os.path.join(self.path, "sessions.sqlite")
        try:
            # SQLite gives its other files the same mode.
            os.close(os.open(path, os.O_CREAT | os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600))
        except OSError as error:
            raise StateError(_unusable(path, error)) from error
        return path

    def api_key(self) -> str:
        """Return the key of this folder, the same at each start.

        Raises:
            StateError: It can't be read or kept.
        """
        path = os.path.join(self.path, "key")
        try:
            with contextlib.suppress(FileNotFoundError):
                key = _read(path)
                if len(key) < _SHORTEST_KEY or not key.isprintable():
                    raise StateError(f"{path} holds no key. Remove it to get a new one.")
                return key
            key = secrets.token_urlsafe(32)
            _write(path, key)
            return key
        except (OSError, UnicodeError) as error:
            raise StateError(_unusable(path, error)) from error

    def close(self) -> None:
        """Leave the folder to the next server."""
        os.close(self.lock)

    def _prepare(self) -> None:
        is_root = os.geteuid() == 0
        if is_root and not can_pass(self.path):
            raise StateError(
                f"The state folder {self.path} lies where only root gets to, and sessions run as "
                "users without rights. Name another one with --state, for example below /var/lib."
            )
        for path in (self.path, self.workspaces, self.run):
            with contextlib.suppress(FileExistsError):
                os.mkdir(path, 0o700)
            # All may pass, nobody may look around; each workspace is closed to all but its user.
            os.chmod(path, 0o711 if is_root else 0o700)
        # Left by a server that was killed together with its spawner.
        clear_away(self.run)
        for name in os.listdir(self.run):
            remove_state(os.path.join(self.run, name))


def _make(path: str) -> None:
    """Make the folder, or check that it is one of ours."""
    with contextlib.suppress(FileExistsError):
        os.makedirs(path, mode=0o700)
        return
    facts = os.lstat(path)
    if stat.S_ISLNK(facts.st_mode):
        raise StateError(
            f"The state folder {path} is a symbolic link, which others may turn elsewhere. Name "
            f"the directory itself: {os.path.realpath(path)}"
        )
    if not stat.S_ISDIR(facts.st_mode):
        raise StateError(f"The state folder {path} is not a directory. Name another with --state.")
    if facts.st_uid != os.geteuid():
        raise StateError(
            f"The state folder {path} belongs to user {facts.st_uid}, and this server runs as "
            f"user {os.geteuid()}. Run it as that user, or name another folder with --state."
        )
    if facts.st_mode & 0o022:
        raise StateError(
            f"The state folder {path} can be written to by others. Close it: chmod go-w {path}"
        )
    if os.listdir(path) and not os.path.lexists(os.path.join(path, "lock")):
        raise StateError(
            f"The state folder {path} holds other files. Name an empty or a new one with --state."
        )


def _lock(path: str) -> int:
    """Take the lock; a server that was killed holds it until its sandboxes are gone.

    Raises:
        StateError: Another server has it.
    """
    flags = os.O_CREAT | os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC
    lock = os.open(os.path.join(path, "lock"), flags, 0o600)
    deadline = time.monotonic() + _LOCK_WAIT_S
    try:
        while True:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                owner = os.pread(lock, 20, 0).decode("ascii", "replace").strip()
                if _runs(owner) or time.monotonic() > deadline:
                    raise StateError(
                        f"The state folder {path} is in use by another server (process "
                        f"{owner or 'unknown'}). End that one, or give this one a folder of its "
                        "own with --state."
                    ) from None
                time.sleep(0.02)
        os.ftruncate(lock, 0)
        os.pwrite(lock, str(os.getpid()).encode(), 0)
    except BaseException:
        os.close(lock)
        raise
    return lock


def _runs(process: str) -> bool:
    return process.isdigit() and os.path.exists(f"/proc/{process}/stat")


def _read(path: str) -> str:
    with open(os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC), encoding="ascii") as file:
        return file.read().strip()


def _write(path: str, text: str) -> None:
    """Write a small file whole or not at all."""
    unfinished = f"{path}.new"
    flags = os.O_CREAT | os.O_WRONLY | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC
    with open(os.open(unfinished, flags, 0o600), "w", encoding="ascii") as file:
        file.write(text + "\n")
        file.flush()
        os.fsync(file.fileno())
    os.replace(unfinished, path)


def _unusable(path: str, error: Exception) -> str:
    reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    return (
        f"The state folder can't be used: {path}: {reason}. Repair that, name another folder with "
        "--state (AGB_LOCAL_STATE), or keep nothing with --state none."
    )
