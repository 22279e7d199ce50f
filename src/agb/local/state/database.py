"""SQLite databases with a write-ahead log, looked at for damage before they are used."""

from __future__ import annotations

import sqlite3


def check(database: sqlite3.Connection) -> None:
    """Look for damage.

    Raises:
        sqlite3.DatabaseError: There is some; the text is one line.
    """
    (found,) = database.execute("PRAGMA quick_check(1)").fetchone()
    if found != "ok":
        raise sqlite3.DatabaseError(f"it is damaged ({' '.join(found.split())})")
