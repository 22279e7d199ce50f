"""How a sandbox is made: the arguments of bubblewrap.

The recipe is plain data. Each line of it is there because its absence was a hole once, or because
programs miss what it gives; the reason stands beside it.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from attrs import field, frozen

from .paths import is_below

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..settings import Settings

USER = "user"
USER_ID = 1000
HOME = f"/home/{USER}"
AGENT_PARENT = "/opt/agb"
"""Where the sandbox sees the package `inside`."""

ALTERNATIVES = "/etc/alternatives"
"""Where many programs of /usr lead through."""

_SYSTEM_LINKS = ("/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32")
_NOT_FOR_VOLUMES = ("/usr", "/etc", "/proc", "/dev", "/sys", "/opt/agb", "/var/tmp", *_SYSTEM_LINKS)  # noqa: S108


@frozen(kw_only=True)
class Bind:
    """A directory of this machine that a sandbox sees.

    Attributes:
        source: Its path when bubblewrap runs.
        target: Its path inside.
    """

    source: str
    target: str


@frozen(kw_only=True)
class Recipe:
    """What all sandboxes of one server have in common."""

    settings: Settings
    etc: str
    """The prepared `/etc`."""

    binds: Sequence[Bind] = field(converter=tuple[Bind, ...])
    """The agent, the Python prefixes and, if it is not below `/usr`, Node.js."""

    python: str
    """The interpreter inside; its path is the same on both sides."""

    links: Sequence[tuple[str, str]]
    """The links by which it is reached, each with its target: nothing else from beside them."""

    packages: Sequence[str]
    """Directories of packages the interpreter does not find by itself inside."""

    search_path: str
    """PATH inside."""

    def options(self, workspace: str, volumes: Sequence[Bind] = ()) -> list[str]:
        """Return bubblewrap's options for one sandbox.

        Args:
            workspace: The directory of this machine that becomes the home directory.
            volumes: More directories of this one sandbox, which it may write to.
        """
        temporary, memory = map(str, self.settings.largest_temporary)
        return [
            # Processes, host ports, System V IPC and abstract sockets, host name: each its own.
            *("--unshare-user", "--unshare-pid", "--unshare-net", "--unshare-ipc"),
            *("--unshare-uts", "--unshare-cgroup-try"),
            # Most kernel holes of late years begin with a nested user namespace.
            "--disable-userns",
            # The agent is process 1, which no signal from inside can end: `kill -9 -1` and
            # `pkill python` cost a session its programs and not itself.
            "--as-pid-1",
            # No terminal to inject characters into.
            "--new-session",
            # No orphans when the spawner is killed.
            "--die-with-parent",
            *("--uid", str(USER_ID), "--gid", str(USER_ID)),
            *("--hostname", "sandbox"),
            # Not `/`: only what programs need. No home, no /run, no socket of this machine.
            *("--ro-bind", "/usr", "/usr"),
            *_system_links(),
            *("--ro-bind", self.etc, "/etc"),
            *("--ro-bind-try", ALTERNATIVES, ALTERNATIVES),
            *("--proc", "/proc"),
            *("--dev", "/dev"),
            # A tmpfs is unlimited unless it is told.
            *("--perms", "1777", "--size", temporary, "--tmpfs", "/tmp"),  # noqa: S108
            *("--perms", "1777", "--size", memory, "--tmpfs", "/dev/shm"),  # noqa: S108
            *("--symlink", "/tmp", "/var/tmp"),  # noqa: S108
            *("--bind", workspace, HOME),
            *(part for bind in volumes for part in ("--bind", bind.source, bind.target)),
            # After /tmp and the home directory: an environment may lie below either.
            *(part for bind in self.binds for part in ("--ro-bind", bind.source, bind.target)),
            *(part for link, target in self.links for part in ("--symlink", target, link)),
            # bubblewrap's own /dev and / are writable, and without a limit.
            *("--remount-ro", "/dev"),
            *("--remount-ro", "/"),
            *("--chdir", HOME),
        ]

    def why_not_a_volume(self, path: str) -> str:
        """Say why a path inside can't become a volume; "" if it can.

        Args:
            path: An absolute path without `.` and `..`.
        """
        shown = [*_NOT_FOR_VOLUMES, *(bind.target for bind in self.binds)]
        taken = [other for other in shown if is_below(path, other) or is_below(other, path)]
        # Over these, but not below them, lies something that must stay visible.
        taken += [other for other in (HOME, "/tmp") if other != path and is_below(other, path)]  # noqa: S108
        return f"the sandbox has files of its own at {taken[0]}" if taken else ""

    def command(self) -> list[str]:
        """Return the agent's command line; the number of its socket is to be added."""
        return self._command(AGENT_PARENT)

    def _command(self, parent: str) -> list[str]:
        start = (
            f"import sys; sys.path.append({parent!r}); "
            "from inside.agent import main; main(int(sys.argv[-1]))"
        )
        # Without site-packages and without the user's own: a fast start, and only our code.
        return [self.python, "-I", "-S", "-c", start]

    def home_of(self, workspace: str) -> str:
        """Return the home directory, as the session sees it.

        Args:
            workspace: The directory of this machine.
        """
        return HOME

    def start_parameters(self, workspace: str) -> dict[str, object]:
        """Return what the agent is told first.

        Args:
            workspace: The directory of this machine that becomes the home directory.
        """
        environment = {
            "HOME": self.home_of(workspace),
            "PATH": self.search_path,
            "LANG": "C.UTF-8",
            "TERM": "dumb",
        }
        return {
            "limits": self.settings.for_agent(),
            "home": self.home_of(workspace),
            "environment": environment,
            "packages": list(self.packages),
        }


def search_path(python: str, node: str | None) -> str:
    """Return PATH for a sandbox: the same `python` in a command as in a cell, then the system's."""
    directories = [os.path.dirname(python)]
    if node is not None:
        directories.append(os.path.dirname(node))
    directories += ["/usr/local/bin", "/usr/bin", "/bin"]
    return ":".join(dict.fromkeys(directories))


def _system_links(root: str = "/") -> list[str]:
    """Have /bin, /lib and the like as they are here: links into /usr, or directories."""
    options: list[str] = []
    for path in _SYSTEM_LINKS:
        place = os.path.join(root, path.lstrip("/"))
        if os.path.islink(place):
            options += ["--symlink", os.readlink(place), path]
        elif os.path.isdir(place):
            options += ["--ro-bind", path, path]
    return options
