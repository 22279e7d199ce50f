"""The report of `agb doctor` for people."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.console import Console
from rich.text import Text

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from ..machine.programs import Program
    from .examination import Report
    from .self_test import Outcome

_GOOD, _BAD, _TITLE, _ASIDE = "green", "bold red", "bold", "dim"


def show(report: Report) -> None:
    """Print a report on standard output.

    Args:
        report: What the doctor has found.
    """
    # Nothing is wrapped or cut off: remedies and paths are to be copied.
    console = Console(highlight=False, soft_wrap=True)
    for line in _page(report):
        console.print(line)


def _page(report: Report) -> Iterator[Text]:
    tier = report.tier or "none is possible here, so no session starts"
    yield Text.assemble(("isolation: ", _TITLE), (tier, _GOOD if report.works else _BAD))
    yield from (Text(f"  {reason}") for reason in report.why)
    if report.problem:
        yield Text(f"  {report.problem}", style=_BAD)
    if report.missing:
        yield _title("what would isolate better")
        for missing in report.missing:
            yield Text(f"  {missing.what}")
            yield Text(f"    {missing.remedy}")
    if report.probes:
        yield _title("self-test, in a session")
        yield from _table(map(_probe, report.probes))
    if report.programs:
        yield _title("programs")
        yield from _table(map(_program, report.programs))
    if report.limits:
        yield _title("limits of a session")
        yield from _table(
            (
                Text(each.of),
                Text(each.value),
                Text(f"{each.variable}, by the {each.kept_by}", _ASIDE),
            )
            for each in report.limits
        )


def _title(text: str) -> Text:
    return Text(f"\n{text}", style=_TITLE)


def _probe(outcome: Outcome) -> tuple[Text, Text]:
    if outcome.contained:
        return Text(outcome.tries), Text("contained", _GOOD)
    return Text(outcome.tries), Text(f"got {outcome.got}", _BAD)


def _program(program: Program) -> tuple[Text, Text, Text]:
    if program.path is None:
        found, place = Text("missing", _BAD), Text(program.remedy or "")
    else:
        found, place = Text(program.version or "no version"), Text(program.path, _ASIDE)
    return Text(f"{program.name} ({program.use})"), found, place


def _table(rows: Iterable[tuple[Text, ...]]) -> Iterator[Text]:
    lines = list(rows)
    widths = [max(cell.cell_len for cell in column) for column in zip(*lines, strict=True)]
    for line in lines:
        for cell, width in zip(line[:-1], widths, strict=False):
            cell.align("left", width)
        yield Text("  ").append_text(Text("  ").join(line))
