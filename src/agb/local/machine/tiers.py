"""How well the sessions of a server are kept from its machine: the tier, and why it is that."""

from __future__ import annotations

from typing import TYPE_CHECKING

from attrs import field, frozen

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .cgroups import Groups
    from .facts import Facts

FULL = "full"
"""Sandboxes; each session has a user of its own, and the kernel keeps its limits."""

STANDARD = "standard"
"""Sandboxes; all sessions share the user of the server, or a process of ours watches the limits."""

NONE = "none"
"""No sandbox and no protection at all, because AGB_LOCAL_ISOLATION=none asks for it."""

# Without these the limit on a session is kept by somebody who looks from time to time.
_KEPT_BY_KERNEL = ("memory", "pids")
_IN_WORDS = {"memory": "memory", "pids": "processes", "cpu": "processors"}


@frozen(kw_only=True)
class Missing:
    """Something that would isolate better.

    Attributes:
        what: What is missing, and why.
        remedy: What to do about it.
    """

    what: str
    remedy: str


@frozen(kw_only=True)
class Isolation:
    """What a server has found out about its machine.

    Attributes:
        tier: `full`, `standard` or `none`.
        by_kernel: The control groups that limit each session: of `memory`, `pids` and `cpu`.
        reasons: What makes it that.
        missing: What would make it better; of `full` nothing that matters for the tier.
    """

    tier: str
    by_kernel: tuple[str, ...] = field(converter=tuple[str, ...])
    reasons: tuple[str, ...] = field(converter=tuple[str, ...])
    missing: tuple[Missing, ...] = field(converter=tuple[Missing, ...])

    @classmethod
    def of_sandboxes(cls, facts: Facts, groups: Groups) -> Isolation:
        """Judge a machine on which sandboxes start.

        Args:
            facts: What the system says of itself.
            groups: The control groups that could be made.
        """
        kept = all(controller in groups.places for controller in _KEPT_BY_KERNEL)
        return cls(
            tier=FULL if facts.is_root and kept else STANDARD,
            by_kernel=tuple(groups.places),
            reasons=tuple(_reasons(facts, groups)),
            missing=tuple(_missing(facts, groups)),
        )

    @classmethod
    def of_nothing(cls, facts: Facts, groups: Groups) -> Isolation:
        """Describe a server that was asked not to isolate.

        Args:
            facts: What the system says of itself.
            groups: The control groups that could be made.
        """
        user = "root" if facts.is_root else "the user of the server"
        return cls(
            tier=NONE,
            by_kernel=tuple(groups.places),
            reasons=(f"AGB_LOCAL_ISOLATION=none: code of sessions has all rights of {user}",),
            missing=(Missing(what="isolation", remedy="unset AGB_LOCAL_ISOLATION"),),
        )

    def __str__(self) -> str:
        return f"{self.tier} ({'; '.join(self.reasons)})"


def _reasons(facts: Facts, groups: Groups) -> Iterator[str]:
    yield "bubblewrap starts sandboxes with namespaces and a filter of system calls"
    if facts.is_root:
        yield "the server is root: each session has a user id of its own"
    else:
        yield "the server is an ordinary user: its sessions share its user id"
    if groups.places:
        versions = sorted({place.version for place in groups.places.values()})
        names = " and ".join(f"v{version}" for version in versions)
        yield f"the kernel limits {_listed(groups.places)} (cgroups {names})"
    unkept = [name for name in _KEPT_BY_KERNEL if name not in groups.places]
    if unkept:
        yield f"the server itself watches {_listed(unkept)}"


def _missing(facts: Facts, groups: Groups) -> Iterator[Missing]:
    if not facts.is_root:
        yield Missing(
            what="a user id for each session: only root can give it",
            remedy='sudo -E "$(command -v agb)" serve',
        )
    if groups.missing:
        # What the system says of a directory is enough: it names one that is gone again.
        causes = " and ".join(sorted({text.partition(": ")[0] for text in groups.missing.values()}))
        yield Missing(
            what=f"control groups for {_listed(groups.missing)}: {causes}",
            remedy=_remedy_for_groups(facts, causes),
        )


def _remedy_for_groups(facts: Facts, causes: str) -> str:
    if "AGB_LOCAL_CGROUPS" in causes:
        return "unset AGB_LOCAL_CGROUPS"
    if facts.in_container:
        return "docker run --user 0 --cgroupns host -v /sys/fs/cgroup:/sys/fs/cgroup:rw …"
    if facts.is_root:
        return "mount -t cgroup2 none /sys/fs/cgroup"
    return "systemd-run --user --scope -p Delegate=yes agb serve"


def _listed(controllers: object) -> str:
    names = [word for name, word in _IN_WORDS.items() if name in controllers]  # type: ignore[operator]
    return " and ".join(filter(None, [", ".join(names[:-1]), names[-1]]))
