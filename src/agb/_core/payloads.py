"""Payloads of results: one given as None is the empty one, so that programs need not look first."""

from __future__ import annotations

from typing import Any


def list_or_empty(value: list[Any] | None) -> list[Any]:
    """Return a list as it is."""
    return [] if value is None else value


def dict_or_empty(value: dict[str, Any] | None) -> dict[str, Any]:
    """Return a dict as it is."""
    return {} if value is None else value


def text_or_empty(value: str | None) -> str:
    """Return a text as it is."""
    return value or ""


def bytes_or_empty(value: bytes | None) -> bytes:
    """Return bytes as they are."""
    return value or b""
