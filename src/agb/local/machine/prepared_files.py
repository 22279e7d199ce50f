"""The files prepared for all sandboxes of a server: their /etc, and the package of the agent."""

from __future__ import annotations

import os
import shutil
import stat
from pathlib import Path

from .. import inside
from .recipe import AGENT_PARENT, ALTERNATIVES, HOME, USER, USER_ID

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
_WRITTEN = {
    "passwd": f"{USER}:x:{USER_ID}:{USER_ID}::{HOME}:/bin/sh\n"
    "nobody:x:65534:65534:nobody:/nonexistent:/bin/false\n",
    "group": f"{USER}:x:{USER_ID}:\nnogroup:x:65534:\n",
    "hosts": "127.0.0.1 localhost sandbox\n::1 localhost sandbox\n",
    "hostname": "sandbox\n",
    # No name service but these files: there is no network and no daemon to ask.
    "nsswitch.conf": "passwd: files\ngroup: files\nhosts: files\n",
}


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
    os.mkdir(os.path.join(directory, os.path.basename(ALTERNATIVES)))
    _let_all_read(directory)


def prepare_agent(directory: str, *, compiled: bool) -> None:
    """Copy the package `inside`, so that all can read it wherever this package is installed.

    Args:
        directory: Where the package goes; must not exist.
        compiled: Whether to compile it, for the interpreter that runs this process.
    """
    source = os.path.dirname(inside.__file__)
    shutil.copytree(source, directory, ignore=shutil.ignore_patterns("__pycache__"))
    if compiled:
        _compile(directory)
    _let_all_read(directory)


def _compile(directory: str) -> None:
    """Compile the package of the agent once for all sandboxes."""
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


def _let_all_read(directory: str) -> None:
    """Open prepared files to all users, whatever the umask of this process is."""
    for path, _directories, names in os.walk(directory):
        os.chmod(path, 0o755)  # noqa: S103 - read-only inside, and nothing secret
        for name in names:
            file = os.path.join(path, name)
            if not os.path.islink(file):
                os.chmod(file, 0o644)


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
