"""What every argument must be before anything is sent. A check returns the value it was given."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from agb._core.exceptions import InvalidArgumentError

# As milliseconds still what a socket can wait for, as a count more than any service holds.
LARGEST_NUMBER = 2_000_000_000
_LONGEST_S = LARGEST_NUMBER // 1000


def is_unicode(value: str) -> bool:
    """Tell whether a text can be written as UTF-8, that is, holds no lone surrogate."""
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True


def text(name: str, value: object) -> str:
    """Check that a value is text, possibly empty."""
    if not isinstance(value, str):
        raise InvalidArgumentError(f"{name} must be a str (found {_described(value)})")
    if not is_unicode(value):
        raise InvalidArgumentError(f"{name} must be valid Unicode text (found a lone surrogate)")
    return value


def filled_text(name: str, value: object) -> str:
    """Check that a value is text with something in it besides blanks."""
    if value is None or (isinstance(value, str) and not value.strip()):
        raise InvalidArgumentError(f"{name} is required and cannot be empty")
    return text(name, value)


def path(name: str, value: object) -> str:
    """Check that a value can name a file."""
    checked = filled_text(name, value)
    if "\0" in checked:
        raise InvalidArgumentError(f"{name} cannot contain a NUL character (found {checked!r})")
    return checked


def paths(name: str, value: object) -> list[str]:
    """Check that a value is a non-empty sequence of paths."""
    if isinstance(value, str) or not isinstance(value, Sequence) or not value:
        raise InvalidArgumentError(
            f"{name} must be a non-empty list of paths ({_described(value)})"
        )
    return [path(f"{name}[{index}]", item) for index, item in enumerate(value)]


def whole_number(name: str, value: object, *, at_least: int, unit: str = "") -> int:
    """Check that a value is an `int` that is large enough, and not out of all proportion."""
    if (
        not isinstance(value, int)
        or isinstance(value, bool)
        or not at_least <= value <= LARGEST_NUMBER
    ):
        raise InvalidArgumentError(
            f"{name} must be an integer{unit}, at least {at_least} and at most {LARGEST_NUMBER}"
            f" (found {shown(value)})"
        )
    return value


def seconds(name: str, value: object) -> float:
    """Check that a value is a positive number of seconds that can be waited for."""
    if (
        isinstance(value, bool)
        or not isinstance(value, (int, float))
        or not 0 < value <= _LONGEST_S  # also false for nan and inf
    ):
        raise InvalidArgumentError(
            f"{name} must be a positive number of seconds, at most {_LONGEST_S}"
            f" (found {shown(value)})"
        )
    return value


def environment(name: str, value: object) -> dict[str, str]:
    """Check that a value is a mapping of environment variables."""
    if not isinstance(value, Mapping):
        raise InvalidArgumentError(f"{name} must be a dict of str to str ({_described(value)})")
    wrong = [
        f"{key!r}: {item!r}"
        for key, item in value.items()
        if not (_is_variable_name(key) and isinstance(item, str))
        or "\0" in item
        or not is_unicode(item)
    ]
    if wrong:
        raise InvalidArgumentError(
            f"{name} must map str names to str values, without NUL characters"
            f" (found {', '.join(wrong)})"
        )
    return dict(value)


def _is_variable_name(key: object) -> bool:
    return isinstance(key, str) and bool(key) and not set("=\0") & set(key) and is_unicode(key)


def _described(value: object) -> str:
    return "None" if value is None else f"{type(value).__name__} {shown(value)}"


def shown(value: object) -> str:
    """Return the beginning of a value's repr, for a message."""
    try:
        return f"{value!r:.100}"
    except ValueError:  # an integer of more digits than Python prints
        return "one of too many digits"
