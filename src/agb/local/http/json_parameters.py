"""Objects and arrays that a caller sends, some of them as JSON text inside JSON."""

from __future__ import annotations

from typing import cast

from ..json_values import parse, type_name
from .envelope import invalid_request


def decoded(name: str, value: object) -> object:
    """Decode a value that came as JSON text; any other is left as it is.

    Raises:
        ApiFailure: The text is no JSON.
    """
    if not isinstance(value, str | bytes):
        return value
    try:
        return parse(value)
    except ValueError as error:
        raise invalid_request(f"{name} is not valid JSON: {error}") from error


def as_object(name: str, value: object) -> dict[str, object]:
    """Take a value that must be an object.

    Raises:
        ApiFailure: It is something else.
    """
    if not isinstance(value, dict):
        raise invalid_request(f"{name} must be a JSON object, not {type_name(value)}")
    return cast("dict[str, object]", value)


def as_array(name: str, value: object) -> list[object]:
    """Take a value that must be an array.

    Raises:
        ApiFailure: It is something else.
    """
    if not isinstance(value, list):
        raise invalid_request(f"{name} must be a JSON array, not {type_name(value)}")
    return cast("list[object]", value)
