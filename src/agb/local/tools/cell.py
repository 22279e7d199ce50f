"""What came of a cell of code."""

from __future__ import annotations

import json

import attrs

from .results import Result, as_object, field, items_of, texts_of


@attrs.frozen
class Cell:
    """The outcome of a cell.

    Attributes:
        stdout: What it printed.
        stderr: The same to standard error.
        bundles: What it showed, by format.
        count: Its number.
        duration_s: How long it ran, in seconds.
        failure: Why it failed, in a line; None if it did not.
        traceback: Where it failed, "" if that is not known.
        timed_out: Whether it was stopped at its limit.
    """

    stdout: list[str]
    stderr: list[str]
    bundles: list[Result]
    count: int
    duration_s: float
    failure: str | None
    traceback: str
    timed_out: bool

    @classmethod
    def read(cls, result: Result) -> Cell:
        """Read what the sandbox answered."""
        error = None if result.get("error") is None else as_object(result["error"])
        return cls(
            stdout=texts_of(result, "stdout"),
            stderr=texts_of(result, "stderr"),
            bundles=items_of(result, "result"),
            count=field(result, "execution_count", int),
            duration_s=field(result, "execution_time", float, int),
            failure=_summary(error) if error is not None else None,
            traceback=field(error, "traceback", str) if error is not None else "",
            timed_out=field(result, "timed_out", bool),
        )

    def structured(self) -> str:
        """Write it as clients since 0.8 read it."""
        # The wire has no field for a traceback.
        stderr = [*self.stderr, self.traceback] if self.traceback else self.stderr
        return json.dumps(
            {
                "result": [json.dumps(bundle) for bundle in self.bundles],
                "stdout": self.stdout,
                "stderr": stderr,
                "execution_count": self.count,
                "execution_time": self.duration_s,
                "executionError": self.failure,
                # A fact that the protocol does not know.
                **({"timed_out": True} if self.timed_out else {}),
            }
        )


def _summary(error: Result) -> str:
    name, value = field(error, "name", str), field(error, "value", str)
    return f"{name}: {value}" if value else name
