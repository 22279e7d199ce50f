"""Settings as variables of the environment: their names, and reading and writing their values."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from attrs import fields

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from attrs import Attribute

KIB = 1024
MIB = 1024 * KIB
GIB = 1024 * MIB

_UNITS = {"": 1, "K": KIB, "M": MIB, "G": GIB, "T": 1024 * GIB}
_CHOICES = {"cgroups": "auto or off", "isolation": "auto or none"}


class InvalidSetting(ValueError):
    """Raised for a variable whose value is none; the text names the variable and what it takes."""


def variable_of(setting: str) -> str:
    """Name the variable of a setting: `AGB_LOCAL_` and its name in capitals, without the unit."""
    if setting == "contexts_directory":
        return "AGB_LOCAL_CONTEXTS"
    return "AGB_LOCAL_" + re.sub("_(bytes|s)$", "", setting).upper()


def in_words(size: int) -> str:
    """Write a number of bytes as people do: `512 MiB`."""
    for unit, name in ((GIB, "GiB"), (MIB, "MiB"), (KIB, "KiB")):
        if size >= unit:
            return f"{size / unit:.4g} {name}"
    return f"{size} bytes"


def given(settings: type[Any], variables: Mapping[str, str]) -> dict[str, Any]:
    """Read the variables that are there.

    Args:
        settings: The attrs class of the settings.
        variables: The environment.

    Returns:
        The values by the names of the settings.

    Raises:
        InvalidSetting: One has a value that its setting cannot have.
    """
    values: dict[str, Any] = {}
    for setting in fields(settings):
        text = variables.get(variable_of(setting.name), "")
        if text and setting.name != "inside":
            values[setting.name] = _value(setting, text)
    return values


def _value(setting: Attribute[Any], text: str) -> object:
    """Read the value of one setting.

    Raises:
        InvalidSetting: It is none.
    """
    kind = str(setting.type)
    value: object
    takes = _CHOICES.get(setting.name, "a text")
    try:
        if setting.name.endswith("_bytes"):
            takes = "a size such as 512M or 2G"
            number, unit = re.fullmatch(r"\s*([0-9.]+)\s*([KMGT]?)(?:i?B)?\s*", text, re.I).groups()  # type: ignore[union-attr]
            value = int(float(number) * _UNITS[unit.upper()])
        elif kind.startswith("int"):
            takes = "a whole number above 0"
            value = int(text)
        elif kind.startswith("float"):
            takes = "a number, 0 or more" if setting.name == "max_life_s" else "a number above 0"
            value = float(text)
        else:
            value = text
        if setting.validator is not None:
            setting.validator(None, setting, value)
    except (AttributeError, ValueError, TypeError, OverflowError) as error:
        name = variable_of(setting.name)
        raise InvalidSetting(f"{name} must be {takes}, not {text[:100]!r}") from error
    return value
