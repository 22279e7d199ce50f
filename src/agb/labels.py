"""The label rules, for programs that want to check labels themselves."""

from agb._core.sessions.labels import validate_labels

__all__ = [
    "validate_labels",
]
