"""How a sandbox is made: the bubblewrap arguments, and the few files prepared for it.

The recipe is plain data. Each line of it is there because its absence was a hole once, or because
programs miss what it gives; the reason stands beside it.
"""

from __future__ import annotations

import os
import shutil
import stat
from pathlib import Path
from typing import TYPE_CHECKING

from attrs import field, frozen

from .. import inside
from .paths import is_below

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..settings import Settings

USER = "user"
USER_ID = 1000
HOME = f"/home/{USER}"
AGENT_PARENT = "/opt/agb"
"""Where the sandbox sees the package `inside`."""

_ALTERNATIVES = "/etc/alternatives"
_SYSTEM_LINKS = ("/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32")

# Taken over from this machine's /etc: what programs of /usr read there, and nothing that tells
# about the machine or its users.
_COPIED = (
    "ld.so.cache",
    "ld.so.conf",
    "mime.types",
    "protocols",
    "services",
    "ssl/certs/ca-certificates.crt",
    "ssl/openssl.cnf",
    "pki/tls/certs/ca-bundle.crt",
    "pki/tls/openssl.cnf",
)
# Where fonts are; and what a JDK and R below /usr have as a part of themselves, on Debian.
_COPIED_DIRECTORIES = ("fonts", "java-*", "R")
_NOT_FOR_VOLUMES = ("/usr", "/etc", "/proc", "/dev", "/sys", "/opt/agb", "/var/tmp", *_SYSTEM_LINKS)  # noqa: S108
_WRITTEN = {
    "passwd": f"{USER}:x:{USER_ID}:{USER_ID}::{HOME}:/bin/sh\n"
    "nobody:x:65534:65534:nobody:/nonexistent:/bin/false\n",
    "group": f"{USER}:x:{USER_ID}:\nnogroup:x:65534:\n",
    "hosts": "127.0.0.1 localhost sandbox\n::1 localhost sandbox\n",
    "hostname": "sandbox\n",
    # No name service but these files: there is no network and no daemon to ask.
    "nsswitch.conf": "passwd: files\ngroup: files\nhosts: files\n",
}


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
            # Where many programs of /usr lead through.
            *("--ro-bind-try", _ALTERNATIVES, _ALTERNATIVES),
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


def prepare_etc(directory: str, source: str = "/etc") -> None:
    """Fill the directory that becomes `/etc` in every sandbox.

    Args:
        directory: An empty directory.
        source: This machine's `/etc`.
    """
    for name, text in _WRITTEN.items():
        _write(os.path.join(directory, name), text)
    for name in _COPIED:
        origin, target = os.path.join(source, name), os.path.join(directory, name)
        if os.path.isfile(origin):
            os.makedirs(os.path.dirname(target), exist_ok=True)
            shutil.copyfile(origin, target)
    for pattern in _COPIED_DIRECTORIES:
        for found in Path(source).glob(pattern):
            _copy_readable(found, Path(directory, found.name))
    os.mkdir(os.path.join(directory, os.path.basename(_ALTERNATIVES)))


def prepare_agent(directory: str, *, compiled: bool) -> None:
    """Copy the package `inside`, so that all can read it wherever this package is installed.

    Args:
        directory: Where the package goes; must not exist.
        compiled: Whether to compile it, for the interpreter that runs this process.
    """
    source = os.path.dirname(inside.__file__)
    shutil.copytree(source, directory, ignore=shutil.ignore_patterns("__pycache__"))
    if not compiled:
        return
    import py_compile

    for name in os.listdir(directory):
        if name.endswith(".py"):
            path = os.path.join(directory, name)
            inside_path = f"{AGENT_PARENT}/inside/{name}"
            py_compile.compile(
                path,
                dfile=inside_path,
                doraise=True,
                # Nothing writes there: there is no change to look for at each start.
                invalidation_mode=py_compile.PycInvalidationMode.UNCHECKED_HASH,
            )


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


def _copy_readable(origin: Path, target: Path) -> None:
    """Copy the files of a directory that everybody may read, or nothing if it is no directory."""
    for path in origin.rglob("*"):
        if path.is_file() and path.stat().st_mode & stat.S_IROTH:
            copy = target / path.relative_to(origin)
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, copy)


def _write(path: str, text: str) -> None:
    """Write a small file."""
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)
