"""What a cell shows, kept up to a limit."""

from __future__ import annotations

import json

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .frames import Message

# Characters shown of a text that is too large to be a result.
_SHOWN = 1000
# What a result costs besides its content.
_COST = 256
# Characters of all notes about what was left out.
_NOTES = 4000


class RichResults:
    """Measures the results of one cell; what is over the limit is left out and named."""

    def __init__(self, limit: int) -> None:
        """Measure anew.

        Args:
            limit: Bytes for all of them.
        """
        self._left = limit
        self.notes: str = ""
        """Names what was left out, for stderr."""

    def fit(self, value: object) -> list[Message]:
        """Take the results that fit.

        Args:
            value: What stands where a list of them should be: a program could have written it.

        Returns:
            Those that fit, and of the others a beginning.
        """
        items = value if isinstance(value, list) else ()
        return [self._fit(item) for item in items if isinstance(item, dict) and self._has_room()]

    def _has_room(self) -> bool:
        self._left -= _COST
        if self._left <= 0:
            self._note("[results are over the limit: one left out]")
        return self._left > 0

    def _fit(self, item: Message) -> Message:
        bundle: Message = {}
        for kind, content in item.items():
            size = len(content) if isinstance(content, str) else len(json.dumps(content))
            if size <= self._left:
                self._left -= size
                bundle[kind] = content
            else:
                note = f"[result too large: {size} characters of {kind} left out]"
                self._note(note)
                if kind == "text/plain" and isinstance(content, str):
                    bundle[kind] = f"{content[:_SHOWN]}\n{note}"
        return bundle

    def _note(self, note: str) -> None:
        if len(self.notes) < _NOTES:
            self.notes += f"{note}\n"
