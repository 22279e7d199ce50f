"""The arguments of tools: what each must be, as a check and as a JSON schema."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import cast

import attrs

from ..failures import ToolError
from ..json_values import is_unicode, type_name

Check = Callable[[str, object], object]
"""Takes the argument's name and value; returns the value to use or raises `ToolError`."""


@attrs.frozen
class Argument:
    """One argument of a tool.

    Attributes:
        name: Its name on the wire.
        check: Checks a given value.
        schema: The same rule as a JSON schema.
        required: True if a call without it fails.
        default: What a call without it means.
    """

    name: str
    check: Check
    schema: Mapping[str, object]
    required: bool = True
    default: object = None


def optional(argument: Argument, default: object = None) -> Argument:
    """Let an argument be left out.

    Args:
        argument: The argument.
        default: What a call without it means; None leaves the choice to the sandbox.

    Returns:
        The argument, optional; null counts as left out.
    """
    return attrs.evolve(argument, required=False, default=default)


def check_arguments(expected: Sequence[Argument], given: Mapping[str, object]) -> dict[str, object]:
    """Check the arguments of a call.

    Args:
        expected: What the tool takes.
        given: What the caller sent; names that the tool does not know are left aside, because
            a newer client may send more.

    Returns:
        The arguments to use, without those that are neither given nor have a default.

    Raises:
        ToolError: An argument is missing or wrong; the message names it.
    """
    checked: dict[str, object] = {}
    for argument in expected:
        value = given.get(argument.name)
        if value is None and argument.required:
            raise ToolError(f"{argument.name} is required")
        value = argument.default if value is None else argument.check(argument.name, value)
        if value is not None:
            checked[argument.name] = value
    return checked


def text(name: str) -> Argument:
    """Describe an argument that is any text, also empty."""
    return Argument(name, _check_text, {"type": "string"})


def line(name: str) -> Argument:
    """Describe an argument that the operating system takes: not empty, without NUL."""
    return Argument(name, _check_line, {"type": "string", "minLength": 1})


def lines(name: str, *, at_least: int = 0) -> Argument:
    """Describe an argument that is a list of what `line` is."""

    def check(name: str, value: object) -> object:
        items = _check_list(name, value, at_least)
        return [_check_line(f"{name}[{index}]", item) for index, item in enumerate(items)]

    schema = {"type": "array", "items": line(name).schema, "minItems": at_least}
    return Argument(name, check, schema)


def choice(name: str, *words: str, ignore_case: bool = False) -> Argument:
    """Describe an argument that is one of a few words."""

    def check(name: str, value: object) -> object:
        word = _check_text(name, value)
        if ignore_case:
            word = word.lower()
        if word not in words:
            raise ToolError(f"{name} must be one of {', '.join(words)}, not {word[:100]!r}")
        return word

    return Argument(name, check, {"type": "string", "enum": list(words)})


def whole_number(name: str) -> Argument:
    """Describe an argument that counts something: an integer, 0 or more."""

    def check(name: str, value: object) -> object:
        if not isinstance(value, int) or isinstance(value, bool):
            raise _wrong_type(name, value, "an integer")
        if not 0 <= value < 2**63:
            raise ToolError(f"{name} must be between 0 and 2**63 - 1, not {value}")
        return value

    return Argument(name, check, {"type": "integer", "minimum": 0})


def range_length(name: str) -> Argument:
    """Describe an argument that is a number of bytes; 0 means all that follow."""
    number = whole_number(name)

    def check(name: str, value: object) -> object:
        # Clients up to 0.7.1 leave a 0 out, so 0 can't mean anything else.
        return number.check(name, value) or None

    return attrs.evolve(number, check=check)


def time_limit(name: str, *, at_most: float) -> Argument:
    """Describe an argument that is a time limit: a number above 0."""

    def check(name: str, value: object) -> object:
        if not isinstance(value, int | float) or isinstance(value, bool):
            raise _wrong_type(name, value, "a number")
        if not (math.isfinite(value) and 0 < value <= at_most):
            raise ToolError(f"{name} must be above 0 and at most {at_most:.0f}, not {value}")
        return value

    return Argument(name, check, {"type": "number", "exclusiveMinimum": 0, "maximum": at_most})


def wait(name: str, *, at_most: float) -> Argument:
    """Describe an argument that is how long to wait for something: a number, 0 or more."""

    def check(name: str, value: object) -> object:
        if not isinstance(value, int | float) or isinstance(value, bool):
            raise _wrong_type(name, value, "a number")
        if not 0 <= value <= at_most:  # also false for nan
            raise ToolError(f"{name} must be from 0 to {at_most:.0f}, not {value}")
        return value

    return Argument(name, check, {"type": "number", "minimum": 0, "maximum": at_most})


def flag(name: str) -> Argument:
    """Describe an argument that is true or false."""

    def check(name: str, value: object) -> object:
        if not isinstance(value, bool):
            raise _wrong_type(name, value, "true or false")
        return value

    return Argument(name, check, {"type": "boolean"})


def environment(name: str) -> Argument:
    """Describe an argument that maps names of environment variables to their values."""

    def check(name: str, value: object) -> object:
        variables = _check_object(name, value)
        for key, content in variables.items():
            if "=" in _check_line(f"a name in {name}", key):
                raise ToolError(f"a name in {name} must not contain '=': {key[:100]!r}")
            _refuse_nul(f"{name}[{key[:100]!r}]", _check_text(f"{name}[{key[:100]!r}]", content))
        return variables

    return Argument(name, check, {"type": "object", "additionalProperties": {"type": "string"}})


def edits(name: str) -> Argument:
    """Describe an argument that lists replacements of one text by another."""

    def check(name: str, value: object) -> object:
        return [
            _check_edit(f"{name}[{index}]", item)
            for index, item in enumerate(_check_list(name, value, 1))
        ]

    parts = {"oldText": {"type": "string", "minLength": 1}, "newText": {"type": "string"}}
    item = {"type": "object", "properties": parts, "required": list(parts)}
    return Argument(name, check, {"type": "array", "items": item, "minItems": 1})


def _check_edit(name: str, value: object) -> dict[str, str]:
    edit = _check_object(name, value)
    old, new = (_check_text(f"{name}.{part}", edit.get(part)) for part in ("oldText", "newText"))
    if not old:
        raise ToolError(f"{name}.oldText must not be empty")
    return {"oldText": old, "newText": new}


def _check_text(name: str, value: object) -> str:
    if not isinstance(value, str):
        raise _wrong_type(name, value, "a string")
    if not is_unicode(value):
        raise ToolError(f"{name} is not valid Unicode: it holds half of a surrogate pair")
    return value


def _check_line(name: str, value: object) -> str:
    checked = _check_text(name, value)
    if not checked.strip():
        raise ToolError(f"{name} must not be empty")
    return _refuse_nul(name, checked)


def _refuse_nul(name: str, value: str) -> str:
    if "\0" in value:
        raise ToolError(f"{name} must not contain a NUL character")
    return value


def _check_list(name: str, value: object, at_least: int) -> list[object]:
    if not isinstance(value, list):
        raise _wrong_type(name, value, "an array")
    items = cast("list[object]", value)
    if len(items) < at_least:
        raise ToolError(f"{name} must not be empty")
    return items


def _check_object(name: str, value: object) -> dict[str, object]:
    if not isinstance(value, dict):
        raise _wrong_type(name, value, "an object")
    return cast("dict[str, object]", value)


def _wrong_type(name: str, value: object, expected: str) -> ToolError:
    return ToolError(f"{name} must be {expected}, not {type_name(value)}")
