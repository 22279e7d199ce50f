"""What this machine says about itself, and whether that is enough for sandboxes."""

from __future__ import annotations

import os
import platform
import re
import sys

from attrs import frozen

from ..failures import MachineUnfit
from .seccomp import ARCHITECTURES

_OLDEST_KERNEL = (5, 3)
_SYSTEMS = {"linux": "Linux", "darwin": "macOS", "win32": "Windows"}
_ROOT_NEEDS = {0: "CHOWN", 1: "DAC_OVERRIDE", 5: "KILL", 6: "SETGID", 7: "SETUID"}


@frozen(kw_only=True)
class Facts:
    """What the system says about itself; None where it does not say."""

    system: str
    processor: str
    kernel: tuple[int, ...]
    is_root: bool
    capabilities: int
    seccomp_filtered: bool
    in_container: bool
    apparmor_restricts: bool
    userns_clone: int | None
    max_user_namespaces: int | None

    @classmethod
    def read(cls, root: str = "/") -> Facts:
        """Ask the system.

        Args:
            root: Where `/proc` and the marks of containers are looked for.
        """
        status = _status(os.path.join(root, "proc/self/status"))
        kernel = os.path.join(root, "proc/sys/kernel")
        restricts = _number(os.path.join(kernel, "apparmor_restrict_unprivileged_userns"))
        marks = (".dockerenv", "run/.containerenv", "run/systemd/container")
        return cls(
            system=_SYSTEMS.get(sys.platform, sys.platform),
            processor=platform.machine(),
            kernel=_version(platform.release()),
            is_root=hasattr(os, "geteuid") and os.geteuid() == 0,
            capabilities=int(status.get("CapEff", "0"), 16),
            seccomp_filtered=status.get("Seccomp") == "2",
            in_container=any(os.path.exists(os.path.join(root, mark)) for mark in marks),
            apparmor_restricts=restricts == 1,
            userns_clone=_number(os.path.join(kernel, "unprivileged_userns_clone")),
            max_user_namespaces=_number(os.path.join(root, "proc/sys/user/max_user_namespaces")),
        )

    def may(self, capability: int) -> bool:
        """Say whether this process has a capability."""
        return bool(self.capabilities >> capability & 1)

    @property
    def counts_processes_of_user(self) -> bool:
        """Whether a sandbox's limit of processes counts all that its user runs on the machine.

        Since Linux 5.14 each user namespace counts on its own.
        """
        return not self.is_root and self.kernel < (5, 14)


def check_system(facts: Facts) -> None:
    """Refuse other systems than Linux.

    Raises:
        MachineUnfit: With what works there and what does not.
    """
    if facts.system != "Linux":
        raise MachineUnfit(
            f"Local sandboxes need Linux, and this is {facts.system}. What works here is the "
            "client: with the AGB cloud (set AGB_API_KEY and no AGB_ENDPOINT), and with an "
            "`agb serve` that runs on Linux, be it another machine, a container or a virtual "
            "machine (on macOS for example Lima or OrbStack, on Windows WSL 2): set AGB_ENDPOINT "
            "to its http://…:8000, and AGB_API_KEY to the key it prints. What does not work here "
            "are AGB.local(), AGB_ENDPOINT=local and `agb serve`."
        )


def check_kernel(facts: Facts) -> None:
    """Refuse a machine on which not even the server runs.

    Raises:
        MachineUnfit: With the cause and the remedy.
    """
    check_system(facts)
    if facts.kernel < _OLDEST_KERNEL:
        raise MachineUnfit(
            f"Local sandboxes need Linux {_dotted(_OLDEST_KERNEL)} or later, and this is "
            f"{_dotted(facts.kernel)}. Update the system or use the AGB cloud."
        )


def check(facts: Facts) -> None:
    """Refuse a machine on which it is not worth trying.

    Raises:
        MachineUnfit: With the cause and the remedy.
    """
    check_kernel(facts)
    if facts.processor not in ARCHITECTURES:
        raise MachineUnfit(
            f"Local sandboxes run on {' and '.join(ARCHITECTURES)}, and this machine is "
            f"{facts.processor}. Use another machine or the AGB cloud."
        )
    missing = [name for bit, name in _ROOT_NEEDS.items() if facts.is_root and not facts.may(bit)]
    if missing:
        raise MachineUnfit(
            "The local server runs as root but without the capabilities to become another user "
            f"(missing: {', '.join(f'CAP_{name}' for name in missing)}), and sandboxes are never "
            "started as root. Run it as an ordinary user, or in a container give them back: "
            f"docker run {' '.join(f'--cap-add {name}' for name in missing)} …"
        )


def _status(path: str) -> dict[str, str]:
    """Read a file of `key: value` lines."""
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            lines = [line.split(":", 1) for line in file if ":" in line]
    except OSError:
        return {}
    return {key: value.strip() for key, value in lines}


def _number(path: str) -> int | None:
    """Read a file that holds a number."""
    try:
        with open(path, encoding="ascii") as file:
            return int(file.read())
    except (OSError, ValueError):
        return None


def _version(release: str) -> tuple[int, ...]:
    """Read the first two numbers of a kernel's release."""
    return tuple(int(part) for part in re.findall(r"\d+", release)[:2])


def _dotted(version: tuple[int, ...]) -> str:
    """Write a version."""
    return ".".join(map(str, version))
