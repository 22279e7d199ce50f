"""JSON as it comes from outside: parsed strictly, named in words."""

from __future__ import annotations

import json


def parse(source: str | bytes) -> object:
    """Parse JSON.

    Args:
        source: The text, or its UTF-8 bytes.

    Returns:
        The value.

    Raises:
        ValueError: It is not JSON; the message says where it goes wrong.
    """
    try:
        # Decoded here: json.loads would guess UTF-16 and UTF-32 too.
        return json.loads(source.decode() if isinstance(source, bytes) else source)
    except RecursionError as error:
        raise ValueError("nested too deeply") from error


def type_name(value: object) -> str:
    """Name the JSON type of a value.

    Args:
        value: What `parse` made.

    Returns:
        Its type with an article, as in "an array".
    """
    names: dict[type[object], str] = {
        bool: "a boolean",
        int: "a number",
        float: "a number",
        str: "a string",
        list: "an array",
        dict: "an object",
    }
    return names.get(type(value), "null")


def is_unicode(text: str) -> bool:
    """Tell whether a text can be written as UTF-8.

    Args:
        text: A text that was JSON, where half of a surrogate pair can be written as an escape.

    Returns:
        False if it holds such a half.
    """
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
