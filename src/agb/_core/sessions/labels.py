"""The label rules L1 to L8, in the order in which they are checked."""

from __future__ import annotations

from collections.abc import Mapping

from agb._core.arguments import is_unicode
from agb._core.exceptions import LabelValidationError


def validate_labels(labels: object) -> dict[str, str]:
    """Check a label set against the rules, and return it as a new dict.

    Pairs are checked in their order, the key of a pair before its value; the first violation
    wins. Blanks around a text that isn't blank are kept.

    Args:
        labels: The label set, a non-empty mapping from non-blank `str` to non-blank `str`.

    Returns:
        A copy of the labels.

    Raises:
        LabelValidationError: If a rule is broken; the message names the rule and the label.

    Example:
        >>> validate_labels({"project": "demo"})
        {'project': 'demo'}
    """
    if isinstance(labels, list):
        raise LabelValidationError(
            "Labels cannot be an array; pass a dict such as {'project': 'demo'}"
        )
    if not isinstance(labels, Mapping):
        found = "" if labels is None else f" (found {type(labels).__name__})"
        raise LabelValidationError(
            f"Labels cannot be null{found}; pass a dict such as {{'project': 'demo'}}"
        )
    if not labels:
        raise LabelValidationError("Labels cannot be empty; pass at least one key and value")
    for key, value in labels.items():
        _check_pair(key, value)
    return dict(labels)


def _check_pair(key: object, value: object) -> None:
    if not key or (isinstance(key, str) and not key.strip()):
        raise LabelValidationError(f"Label keys cannot be empty (found {key!r})")
    if value is None or (isinstance(value, str) and not value.strip()):
        raise LabelValidationError(f"Label values cannot be empty (found {value!r} for {key!r})")
    if not isinstance(key, str):
        raise LabelValidationError(
            f"Label keys must be strings (found {key!r}, {type(key).__name__})"
        )
    if not isinstance(value, str):
        raise LabelValidationError(
            f"Label values must be strings (found {value!r}, {type(value).__name__}, for {key!r})"
        )
    for text in (key, value):
        if not is_unicode(text):
            raise LabelValidationError(
                f"Labels must be valid Unicode text (lone surrogate in {text!r})"
            )
