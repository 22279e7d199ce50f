"""How the process of each language is started, and what to install where it can't be."""

from __future__ import annotations

import os
import sys

from .failures import ToolFailure

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

_HERE = os.path.dirname(os.path.abspath(__file__))
# Java's values may take the half of the memory; its compiler and its code need some, too.
_HEAP = 2


def commands(
    packages: Sequence[str], search_path: str | None, max_data_bytes: int
) -> Mapping[str, Callable[[], Sequence[str]]]:
    """Return what starts each language.

    Args:
        packages: Directories of packages that Python does not find by itself.
        search_path: Where to look for the other interpreters.
        max_data_bytes: The most memory that a process may have for data.
    """
    return {
        "python": lambda: _python(packages),
        "javascript": lambda: _javascript(search_path),
        "java": lambda: _java(search_path, max_data_bytes // _HEAP),
        "r": lambda: _r(search_path),
    }


def _python(packages: Sequence[str]) -> Sequence[str]:
    """Return how the Python process is started: as a plain Python, with the session's packages."""
    parent, package = os.path.split(_HERE)
    start = (
        f"import sys; sys.path[0:1] = [{parent!r}]; "
        f"from {package}.python_kernel import main; main({list(packages)!r})"
    )
    return sys.executable, "-c", start


def _javascript(search_path: str | None) -> Sequence[str]:
    """Return how the JavaScript process is started."""
    remedy = "https://nodejs.org, or `apt install nodejs`"
    node = _find("node", search_path, "JavaScript needs Node.js", remedy)
    # Else a cell that is interrupted in a timer ends the process: the check finds that what was cut
    # off has not put everything back.
    unchecked = "--no-force-async-hooks-checks"
    return node, unchecked, os.path.join(_HERE, "javascript_kernel.cjs")


def _java(search_path: str | None, heap_bytes: int) -> Sequence[str]:
    """Return how the Java process is started, with the JDK that `jshell` is of."""
    remedy = "https://adoptium.net, or `apt install default-jdk-headless`"
    jshell = _find("jshell", search_path, "Java needs a JDK, version 17 or later", remedy)
    java = os.path.join(os.path.dirname(os.path.realpath(jshell)), "java")
    # A quick start, few threads, and no files in /tmp.
    quick = ("-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-XX:-UsePerfData")
    unicode = ("-Dfile.encoding=UTF-8", "-Dstdout.encoding=UTF-8", "-Dstderr.encoding=UTF-8")
    return (
        *(java, f"-Xmx{heap_bytes}", *quick, *unicode),
        os.path.join(_HERE, "java_kernel.java"),
    )


def _r(search_path: str | None) -> Sequence[str]:
    """Return how the R process is started."""
    remedy = "https://www.r-project.org, or `apt install r-base-core`"
    rscript = _find("Rscript", search_path, "R cells need R", remedy)
    # What the session's own packages and profile say counts, as on a terminal; saved values do not.
    return rscript, "--no-save", "--no-restore", os.path.join(_HERE, "r_kernel.R")


def _find(program: str, search_path: str | None, need: str, remedy: str) -> str:
    """Find a program on the PATH of the session.

    Raises:
        ToolFailure: It is not there.
    """
    # Slow to import, and no part of starting the agent.
    import shutil

    path = shutil.which(program, path=search_path)
    if path is None:
        raise ToolFailure(
            f"{need} on the machine that runs the local server, and there is no `{program}` on "
            f"its PATH; install it ({remedy}) and start the server again"
        )
    return path
