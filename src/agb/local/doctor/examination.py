"""`agb doctor`: what this machine gives to sessions, what is missing, and whether it holds.

Nothing is concluded from facts alone: sandboxes are started as the server starts them, and
attacked from inside.
"""

from __future__ import annotations

import contextlib
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

from attrs import asdict, evolve, frozen

from ..failures import MachineUnfit
from ..machine import programs
from ..machine.bubblewrap import bubblewraps
from ..machine.facts import Facts, check_system
from ..variables import in_words, variable_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..machine.programs import Program
    from ..machine.tiers import Isolation, Missing
    from ..settings import Settings
    from .self_test import Outcome

SCHEMA = 1
"""Counted up when a key of the JSON goes or changes its meaning; a new key is no change."""

_NOT_LIMITED = "not limited"


@frozen(kw_only=True)
class Limit:
    """A limit of each session.

    Attributes:
        variable: What sets it.
        value: Its value, in words.
        of: What it limits.
        kept_by: `kernel`, at once, or `server`, which looks from time to time.
    """

    variable: str
    value: str
    of: str
    kept_by: str


@frozen(kw_only=True)
class Report:
    """What the doctor has found.

    Attributes:
        tier: The tier of isolation; None if sandboxes can't run.
        why: What makes it that.
        problem: What is wrong, and what to do about it; "" if sandboxes work.
        missing: What would make it better.
        machine: What the system says of itself.
        programs: The programs that sessions use; none on other systems than Linux.
        limits: The limits of each session; none on other systems than Linux.
        probes: What came of the attacks; none if sandboxes can't run.
    """

    tier: str | None
    why: Sequence[str]
    problem: str
    missing: Sequence[Missing]
    machine: dict[str, Any]
    programs: Sequence[Program]
    limits: Sequence[Limit]
    probes: Sequence[Outcome] = ()

    @property
    def works(self) -> bool:
        """Whether sandboxes run here, and hold."""
        return not self.problem

    def as_json(self) -> dict[str, Any]:
        """Return the report as JSON values; `docs/local.md` describes them."""
        return {
            "schema": SCHEMA,
            "agb": version("agb"),
            "works": self.works,
            **asdict(self),
            "problem": self.problem or None,
            "probes": [{**asdict(each), "contained": each.contained} for each in self.probes],
        }


async def examine(settings: Settings) -> Report:
    """Look at this machine, and try it.

    Call it from the main thread.

    Args:
        settings: The limits and paths.
    """
    try:
        check_system(Facts.read())
    except MachineUnfit as refusal:
        return _report(settings, None, None, problem=str(refusal))
    # Imported here: other systems have not all that these need.
    from ..failures import SandboxError
    from ..machine import bare_recipe, tiers
    from ..sandboxes.sandboxes import Sandboxes
    from . import self_test

    try:
        sandboxes = await Sandboxes.start(evolve(settings, spare_sandboxes=0))
    except (MachineUnfit, SandboxError) as refusal:
        return _report(settings, None, None, problem=str(refusal))
    if sandboxes.isolation.tier == tiers.NONE:
        await sandboxes.aclose()
        # Nothing to attack: there is nothing that would contain an attack.
        return _report(settings, sandboxes.isolation, None, problem=bare_recipe.warning())
    try:
        probes = await self_test.run(sandboxes, sandboxes.directory)
        problem = _problem(probes)
    except SandboxError as error:
        probes, problem = [], str(error)
    finally:
        await sandboxes.aclose()
    report = _report(settings, sandboxes.isolation, sandboxes.bubblewrap, problem=problem)
    return evolve(report, probes=probes)


def _problem(probes: Sequence[Outcome]) -> str:
    escaped = [probe.name for probe in probes if not probe.contained]
    if not escaped:
        return ""
    return (
        f"Sandboxes start here, but do not hold: {', '.join(escaped)} got through. Do not run code "
        "in them that you do not trust, and please report this as SECURITY.md says."
    )


def _report(
    settings: Settings, isolation: Isolation | None, bubblewrap: str | None, *, problem: str
) -> Report:
    facts = Facts.read()
    on_linux = facts.system == "Linux"
    if bubblewrap is None and on_linux:
        with contextlib.suppress(MachineUnfit):
            bubblewrap = bubblewraps(settings.bwrap)[0].path
    return Report(
        tier=isolation.tier if isolation else None,
        why=isolation.reasons if isolation else (),
        problem=problem,
        missing=isolation.missing if isolation else (),
        machine={
            "system": facts.system,
            "kernel": ".".join(map(str, facts.kernel)),
            "processor": facts.processor,
            "root": facts.is_root,
            "container": facts.in_container,
        },
        programs=programs.look_at_all(bubblewrap, settings.python) if on_linux else (),
        limits=_limits(settings, isolation) if on_linux else (),
    )


def _limits(settings: Settings, isolation: Isolation | None) -> list[Limit]:
    """List the limits that a session may run into."""
    by_kernel = isolation.by_kernel if isolation else ()
    inside = settings.inside
    temporary, shared = settings.largest_temporary
    cpus = f"{settings.max_cpus:g}" if settings.max_cpus and "cpu" in by_kernel else _NOT_LIMITED

    def limit(setting: str, value: str, of: str, kept_by: str = "kernel") -> Limit:
        return Limit(variable=variable_of(setting), value=value, of=of, kept_by=kept_by)

    def keeper(controller: str) -> str:
        return "kernel" if controller in by_kernel else "server"

    return [
        limit("max_memory_bytes", in_words(settings.max_memory_bytes), "memory", keeper("memory")),
        limit("max_cpus", cpus, "processors kept busy"),
        limit("max_processes", str(inside.max_processes), "processes and threads"),
        limit("max_disk_bytes", in_words(settings.max_disk_bytes), "home and contexts", "server"),
        limit("max_inodes", str(settings.max_inodes), "files and directories", "server"),
        limit("max_file_bytes", in_words(inside.max_file_bytes), "one file"),
        limit("max_open_files", str(inside.max_open_files), "open files of one process"),
        limit("temporary_bytes", in_words(temporary), "/tmp"),  # noqa: S108
        limit("shared_memory_bytes", in_words(shared), "/dev/shm"),  # noqa: S108
        limit("max_output_bytes", in_words(inside.max_output_bytes), "each output", "server"),
        limit("max_sessions", str(settings.max_sessions), "sessions of the server", "server"),
    ]
