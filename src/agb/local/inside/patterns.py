"""Glob patterns for names and for paths."""

from __future__ import annotations

import re

from .failures import ToolFailure

_TOKENS = re.compile(r"\*\*/|\*\*|\*|\?|\[!?\]?[^]]*\]|.", re.DOTALL)
_MEANINGS = {"**/": "(?:.*/)?", "**": ".*", "*": "[^/]*", "?": "[^/]"}


class Pattern:
    """A glob: on the name alone, or on the relative path when it has a `/` or a `**`."""

    def __init__(self, pattern: str) -> None:
        self._on_path = "/" in pattern or "**" in pattern
        try:
            self._expression = re.compile(
                "".join(_translated(token) for token in _TOKENS.findall(pattern.strip("/"))),
                re.DOTALL,
            )
        except re.error as error:
            raise ToolFailure(f"Not a glob pattern: {pattern!r} ({error})") from None

    def matches(self, name: str, relative_path: str) -> bool:
        """Say whether the pattern fits a file."""
        subject = relative_path if self._on_path else name
        return self._expression.fullmatch(subject) is not None


def _translated(token: str) -> str:
    """Translate one piece of a glob to a regular expression."""
    if token in _MEANINGS:
        return _MEANINGS[token]
    if token.startswith("[") and len(token) > 1:
        inner = token[1:-1].replace("\\", "\\\\")
        negated = inner.startswith("!")
        return f"(?!/)[{'^' if negated else ''}{inner[negated:]}]"
    return re.escape(token)
