"""Reads what a sandbox answered: it is not trusted, and a wrong shape is never passed on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeVar, cast

from ..failures import SandboxError

T = TypeVar("T")

Result = Mapping[str, object]


def field(result: Result, name: str, *types: type[T]) -> T:
    """Take a field that must have one of these types."""
    value = result.get(name)
    # A bool counts as an int for Python, but not on the wire.
    if not isinstance(value, types) or (isinstance(value, bool) and bool not in types):
        raise SandboxError(f"The session answered without a valid {name!r}.")
    return value


def items_of(result: Result, name: str) -> list[Result]:
    """Take a field that must be a list of objects."""
    return [as_object(item) for item in _list(result, name)]


def texts_of(result: Result, name: str) -> list[str]:
    """Take a field that must be a list of texts."""
    texts = _list(result, name)
    return [field({name: text}, name, str) for text in texts]


def as_object(value: object) -> Result:
    """Take a value that must be an object."""
    return cast(Result, field({"entry": value}, "entry", dict))


def _list(result: Result, name: str) -> list[object]:
    return cast("list[object]", field(result, name, list))
