"""Which contexts there are: a small SQLite database beside their files."""

from __future__ import annotations

import contextlib
import os
import secrets
import sqlite3
from collections.abc import Generator
from datetime import datetime, timezone

import attrs

from ..state.database import check
from ..state.paging import page_position, page_token
from .failures import ContextNotFound, NameTaken

_SCHEMA = """
CREATE TABLE IF NOT EXISTS context (
    position INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    name TEXT NOT NULL UNIQUE,
    created TEXT NOT NULL,
    used TEXT NOT NULL
);
"""
_BY_ID = "SELECT id, name, created, used FROM context WHERE id = ?"
_BY_NAME = "SELECT id, name, created, used FROM context WHERE name = ?"
_ADD = "INSERT INTO context (id, name, created, used) VALUES (?, ?, ?, ?)"
_PAGE = """
SELECT position, id, name, created, used FROM context
WHERE position > ? ORDER BY position LIMIT ?
"""


@attrs.frozen
class Context:
    """What is known of a context.

    Attributes:
        id: Its identifier.
        name: Its name.
        created: When it was made.
        used: When a session last used it.
    """

    id: str
    name: str
    created: str
    used: str


@attrs.frozen
class ContextPage:
    """One page of contexts.

    Attributes:
        contexts: Those on it, oldest first.
        next_token: Where the next page begins, or None on the last one.
        total: How many there are.
    """

    contexts: list[Context]
    next_token: str | None
    total: int


class Catalog:
    """The contexts of one server; used from one thread only."""

    def __init__(self, directory: str) -> None:
        self._database = sqlite3.connect(os.path.join(directory, "contexts.sqlite"))
        try:
            self._database.execute("PRAGMA journal_mode = WAL")
            check(self._database)
            self._database.executescript(_SCHEMA)
        except BaseException:
            self._database.close()
            raise

    def close(self) -> None:
        """Close the database."""
        self._database.close()

    def get(self, context_id: str) -> Context:
        """Find a context by its identifier.

        Raises:
            ContextNotFound: There is none.
        """
        return self._one(_BY_ID, context_id)

    def by_name(self, name: str) -> Context:
        """Find a context by its name.

        Raises:
            ContextNotFound: There is none.
        """
        return self._one(_BY_NAME, name)

    def add(self, name: str) -> Context:
        """Make a context.

        Raises:
            NameTaken: There is one of that name.
        """
        made = Context(f"context-{secrets.token_hex(16)}", name, now(), now())
        with self._database, _unique(name):
            self._database.execute(_ADD, attrs.astuple(made))
        return made

    def rename(self, context_id: str, name: str) -> None:
        """Give a context another name.

        Raises:
            ContextNotFound: There is none.
            NameTaken: Another one has it.
        """
        self.get(context_id)
        with self._database, _unique(name):
            self._database.execute("UPDATE context SET name = ? WHERE id = ?", (name, context_id))

    def touch(self, context_id: str) -> None:
        """Note that a session uses a context."""
        with self._database:
            self._database.execute("UPDATE context SET used = ? WHERE id = ?", (now(), context_id))

    def remove(self, context_id: str) -> None:
        """Forget a context."""
        with self._database:
            self._database.execute("DELETE FROM context WHERE id = ?", (context_id,))

    def page(self, limit: int, token: str | None) -> ContextPage:
        """List contexts, oldest first.

        Raises:
            InvalidPageToken: The token is not one of this server.
        """
        (total,) = self._database.execute("SELECT count(*) FROM context").fetchone()
        rows = self._database.execute(_PAGE, (page_position(token), limit + 1)).fetchall()
        next_token = page_token(rows[limit - 1][0]) if len(rows) > limit else None
        return ContextPage([Context(*row[1:]) for row in rows[:limit]], next_token, total)

    def _one(self, query: str, value: str) -> Context:
        row = self._database.execute(query, (value,)).fetchone()
        if row is None:
            raise ContextNotFound(value)
        return Context(*row)


@contextlib.contextmanager
def _unique(name: str) -> Generator[None]:
    try:
        yield
    except sqlite3.IntegrityError as error:
        raise NameTaken(f"There is a context named {name[:100]!r} already.") from error


def now() -> str:
    """Return the time as the wire writes it."""
    return datetime.now(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
