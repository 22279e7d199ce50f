"""What the server remembers of its sessions: a small SQLite database.

Without a state folder sessions end with their server, and the database lives in memory. With one it
is a file with a write-ahead log: what has been written is with the kernel when a statement returns,
so a server that is killed loses nothing of it; a power cut may cost the last seconds. A statement
takes microseconds and runs where it is called, on the event loop.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping, Sequence
from typing import Any

from ..state.database import check
from ..state.paging import page_position, page_token
from .records import Page, ReplyForm, SessionRecord, Status

_VERSION = 1
_SCHEMA = f"""
BEGIN;
CREATE TABLE session (
    position INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    image_id TEXT NOT NULL,
    reply_form TEXT NOT NULL,
    status TEXT NOT NULL,
    token TEXT NOT NULL,
    workspace TEXT NOT NULL,
    created_s REAL NOT NULL,
    idle_timeout_s INTEGER,
    mounts TEXT NOT NULL,
    arrived INTEGER NOT NULL
);
CREATE TABLE label (
    session_id TEXT NOT NULL REFERENCES session (id) ON DELETE CASCADE,
    name TEXT NOT NULL,
    value TEXT NOT NULL,
    PRIMARY KEY (session_id, name)
) WITHOUT ROWID;
PRAGMA user_version = {_VERSION};
COMMIT;
"""
_COLUMNS = (
    "id, image_id, reply_form, status, token, workspace, created_s, idle_timeout_s, mounts, arrived"
)
_ADD = f"INSERT INTO session ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"  # noqa: S608
_BY_ID = f"SELECT {_COLUMNS} FROM session WHERE id = ?"  # noqa: S608
_ALL = f"SELECT {_COLUMNS} FROM session ORDER BY position"  # noqa: S608

# Relational division: no wanted label may be one that the session lacks. One statement for any
# number of labels, because SQLite limits how deep a chain of AND may grow.
_MATCHING = """
FROM session WHERE status = :status AND NOT EXISTS (
    SELECT 1 FROM json_each(:labels) AS wanted WHERE NOT EXISTS (
        SELECT 1 FROM label
        WHERE label.session_id = session.id
            AND label.name = wanted.key AND label.value = wanted.value
    )
)
"""


class Store:
    """The sessions and their labels.

    Used from one thread only, the one that made it.
    """

    def __init__(self, path: str = ":memory:") -> None:
        """Open the database.

        Args:
            path: Its file; by default it lives in memory.

        Raises:
            sqlite3.Error: It can't be used.
        """
        self._database = sqlite3.connect(path)
        try:
            self._prepare()
        except BaseException:
            self._database.close()
            raise

    def _prepare(self) -> None:
        self._database.execute("PRAGMA foreign_keys = ON")
        self._database.execute("PRAGMA journal_mode = WAL")
        self._database.execute("PRAGMA synchronous = NORMAL")
        check(self._database)
        (version,) = self._database.execute("PRAGMA user_version").fetchone()
        if version == 0:
            self._database.executescript(_SCHEMA)
        elif version != _VERSION:
            raise sqlite3.DatabaseError(f"it was written by another version of agb ({version})")
        # Whether there is room, asked now and not by the first session.
        self._database.execute(f"PRAGMA user_version = {_VERSION}")

    def close(self) -> None:
        """Forget everything."""
        self._database.close()

    def add(self, record: SessionRecord, labels: Mapping[str, str]) -> None:
        """Remember a new session.

        Args:
            record: The session.
            labels: Its labels.
        """
        with self._database:
            self._database.execute(
                _ADD,
                (
                    record.id,
                    record.image_id,
                    record.reply_form.value,
                    record.status.value,
                    record.token,
                    record.workspace,
                    record.created_s,
                    record.idle_timeout_s,
                    record.mounts,
                    record.arrived,
                ),
            )
            self._insert_labels(record.id, labels)

    def get(self, session_id: str) -> SessionRecord | None:
        """Look a session up.

        Args:
            session_id: Its identifier.

        Returns:
            What is known of it, or None.
        """
        row = self._database.execute(_BY_ID, (session_id,)).fetchone()
        return None if row is None else _record(row)

    def all(self) -> list[SessionRecord]:
        """Return every session, oldest first."""
        rows = self._database.execute(_ALL)
        return [_record(row) for row in rows.fetchall()]

    def note_arrival(self, session_id: str) -> None:
        """Note that the files of a session's contexts are all there.

        Args:
            session_id: Its identifier.
        """
        with self._database:
            self._database.execute("UPDATE session SET arrived = 1 WHERE id = ?", (session_id,))

    def set_status(self, session_id: str, status: Status) -> None:
        """Note where a session is in its life.

        Args:
            session_id: Its identifier.
            status: The new status.
        """
        with self._database:
            self._database.execute(
                "UPDATE session SET status = ? WHERE id = ?", (status.value, session_id)
            )

    def remove(self, session_id: str) -> None:
        """Forget a session and its labels; nothing happens if it is not known.

        Args:
            session_id: Its identifier.
        """
        with self._database:
            self._database.execute("DELETE FROM session WHERE id = ?", (session_id,))

    def labels(self, session_id: str) -> dict[str, str]:
        """Read the labels of a session.

        Args:
            session_id: Its identifier.

        Returns:
            The labels, sorted by name.
        """
        rows = self._database.execute(
            "SELECT name, value FROM label WHERE session_id = ? ORDER BY name", (session_id,)
        )
        return dict(rows.fetchall())

    def replace_labels(self, session_id: str, labels: Mapping[str, str]) -> None:
        """Give a session these labels and no others.

        Args:
            session_id: Its identifier.
            labels: All its labels from now on.
        """
        with self._database:
            self._database.execute("DELETE FROM label WHERE session_id = ?", (session_id,))
            self._insert_labels(session_id, labels)

    def page(self, labels: Mapping[str, str], limit: int, token: str | None) -> Page:
        """List running sessions that carry all of the given labels.

        A page begins after a place in the order of creation and not after a count of rows, so
        a walk meets each session that outlives it exactly once, whatever comes and goes meanwhile.

        Args:
            labels: Labels that must all match; none matches every session.
            limit: How many sessions a page holds, at least 1.
            token: The `next_token` of the page before, or None for the first one.

        Returns:
            The page.

        Raises:
            InvalidPageToken: The token is not one of this server.
        """
        wanted = {"labels": json.dumps(dict(labels)), "status": Status.RUNNING.value}
        (total,) = self._database.execute(f"SELECT count(*) {_MATCHING}", wanted).fetchone()
        # One row more than asked for tells whether another page follows.
        rows = self._database.execute(
            f"SELECT position, {_COLUMNS} {_MATCHING}"
            "AND position > :after ORDER BY position LIMIT :limit",
            {**wanted, "after": page_position(token), "limit": limit + 1},
        ).fetchall()
        next_token = page_token(rows[limit - 1][0]) if len(rows) > limit else None
        return Page([_record(row[1:]) for row in rows[:limit]], next_token, total)

    def _insert_labels(self, session_id: str, labels: Mapping[str, str]) -> None:
        self._database.executemany(
            "INSERT INTO label (session_id, name, value) VALUES (?, ?, ?)",
            [(session_id, name, value) for name, value in labels.items()],
        )


def _record(row: Sequence[Any]) -> SessionRecord:
    id, image_id, reply_form, status, *others, arrived = row
    token, workspace, created_s, idle_timeout_s, mounts = others
    return SessionRecord(
        id,
        image_id,
        ReplyForm(reply_form),
        Status(status),
        token,
        workspace,
        created_s,
        idle_timeout_s,
        mounts,
        bool(arrived),
    )
