"""Every check of the project. `nox` runs all of them; `nox -s NAME` runs one."""

from __future__ import annotations

import functools
import os
import shutil
import subprocess
import sys
from pathlib import Path

import nox

nox.needs_version = ">=2024.10.9"
nox.options.default_venv_backend = "uv"
# A Python version that this machine does not have is skipped, never downloaded.
nox.options.error_on_missing_interpreters = False
os.environ.setdefault("UV_PYTHON_DOWNLOADS", "never")
# A sandbox sees packages read-only: what is not compiled now is compiled again at every start.
os.environ.setdefault("UV_COMPILE_BYTECODE", "1")
# Every worker would rewrite the asserts of every test again.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
# Whoever the machine trusts is trusted, a company's proxy among them; the second name is an older
# one of the first. pyright brings a Node.js of its own.
for name in ("UV_SYSTEM_CERTS", "UV_NATIVE_TLS", "NODE_USE_SYSTEM_CA"):
    os.environ.setdefault(name, "1")

PROJECT = nox.project.load_toml("pyproject.toml")
PYTHONS = nox.project.python_versions(PROJECT)
HERE = f"{sys.version_info.major}.{sys.version_info.minor}"
THIS = HERE if HERE in PYTHONS else PYTHONS[-1]


def runs(version: str) -> bool:
    """Tell whether this machine has a Python of that version; a name on PATH may lead nowhere."""
    try:
        return not subprocess.call([f"python{version}", "-c", ""], stderr=subprocess.DEVNULL)
    except OSError:
        return False


# Of the Python versions that this machine has.
PRESENT = [each for each in PYTHONS if each == HERE or runs(each)]
if not PRESENT:
    raise SystemExit(f"None of Python {', '.join(PYTHONS)} is on this machine.")
OLDEST, NEWEST = PRESENT[0], PRESENT[-1]
CLIENT_TESTS = [
    "tests",
    *(f"--ignore=tests/{name}" for name in ("bare", "docs", "e2e", "interop", "local")),
]
SERVER_TESTS = ["tests/local", "tests/e2e"]
OFFICIAL_CLIENTS = ["0.4.1", "0.7.1", "0.12.0"]
# Those that this process may use; more than eight would only wait for each other.
PROCESSORS = min(
    8, len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count() or 1
)
# What a server starts ahead: hardly a test needs it, and most servers live briefly.
NOTHING_AHEAD = {f"AGB_LOCAL_{name}_SANDBOXES": "0" for name in ("SPARE", "WARM")}
DIST = Path(".nox", "dist").absolute()


@functools.cache
def wheel() -> str:
    """Build the source distribution, and the wheel from that; return the path of the wheel."""
    shutil.rmtree(DIST, ignore_errors=True)
    uv = nox.virtualenv.UV or "uv"
    subprocess.run([uv, "build", "--quiet", "--out-dir", str(DIST)], check=True)
    (built,) = DIST.glob("*.whl")
    return str(built)


def install(session: nox.Session, extras: str, *groups: str) -> None:
    """Install the wheel, with extras such as `[local]`, and what dependency groups need."""
    needed = [need for group in groups for need in nox.project.dependency_groups(PROJECT, group)]
    session.install(f"agb{extras} @ {Path(wheel()).as_uri()}", *needed)


def pytest(session: nox.Session, *arguments: str, share: str) -> None:
    """Run tests side by side.

    Args:
        session: Where to run them.
        arguments: What to run.
        share: How the workers share the tests: `worksteal` each one, `loadfile` whole files.
    """
    # Most of the time they wait.
    workers = f"--numprocesses={3 * PROCESSORS}"
    session.run("pytest", workers, f"--dist={share}", *arguments, *session.posargs)


@nox.session(python=THIS)
def lint(session: nox.Session) -> None:
    """Check style and formatting."""
    session.install(*nox.project.dependency_groups(PROJECT, "lint"))
    session.run("ruff", "check", ".")
    session.run("ruff", "format", "--check", ".")


@nox.session(python=THIS)
def types(session: nox.Session) -> None:
    """Check types, with mypy and pyright, and that every public name has one."""
    install(session, "[local]", "types")
    session.install("nox")
    session.run("mypy")
    session.run("pyright")
    session.run("pyright", "--verifytypes", "agb", "--ignoreexternal")


@nox.session(python=THIS)
def sync(session: nox.Session) -> None:
    """Generate the blocking colour; `nox -s sync -- --check` only compares."""
    session.install(*nox.project.dependency_groups(PROJECT, "sync"))
    arguments = session.posargs or (["--check"] if os.environ.get("CI") else [])
    session.run("python", "scripts/generate_sync.py", *arguments)


@nox.session(python=THIS)
def layers(session: nox.Session) -> None:
    """Check which way imports go."""
    install(session, "[local]", "layers")
    session.run("lint-imports")


@nox.session(python=THIS)
def bare(session: nox.Session) -> None:
    """Check an install without extras: it imports in silence, and says what it lacks.

    The tests are those of the source distribution, which has to hold all that git tracks.
    """
    install(session, "")
    session.install("pytest>=8.3", "pytest-timeout>=2.3")
    folder = session.create_tmp()
    shutil.rmtree(folder)
    os.mkdir(folder)
    (archive,) = DIST.glob("*.tar.gz")
    session.run("tar", "-xzf", str(archive), "-C", folder, external=True)
    (source,) = Path(folder).iterdir()
    if Path(".git").exists():
        tracked = session.run("git", "ls-files", external=True, silent=True) or ""
        holds = {str(path.relative_to(source)) for path in source.rglob("*") if path.is_file()}
        wrong = set(tracked.splitlines()) ^ (holds - {"PKG-INFO"})
        if wrong:
            session.error(f"in the source distribution or in git, not in both: {sorted(wrong)}")
    session.chdir(source)
    session.run("pytest", "-c", "tests/bare/pytest.ini", "tests/bare")


@nox.session(python=PYTHONS)
def tests(session: nox.Session) -> None:
    """Test core and client, both colours, without a server; on the newest Python each branch.

    All of it on the oldest and the newest Python that is there. On those between what depends on
    the version: the async colour, from which the blocking one is made, and what has no colour.
    """
    install(session, "[tracing,stream]", "test")
    between = session.python not in (OLDEST, NEWEST)
    left_out = ["--ignore=tests/faults", "--ignore=tests/_sync"] if between else []
    whole = session.python == NEWEST and not session.posargs
    measured = ["--cov", "--cov-report=term"] if whole else []
    pytest(session, *CLIENT_TESTS, *left_out, *measured, share="worksteal")


@nox.session(python=OLDEST)
def bounds(session: nox.Session) -> None:
    """Test core, client and the programs of users with the oldest dependencies that are allowed.

    All other sessions have the newest.
    """
    extras = ("--extra=local", "--extra=stream", "--extra=tracing")
    group = nox.project.dependency_groups(PROJECT, "test")
    # The SDK of OpenTelemetry asks for the API of its own version.
    sdk = [need for need in group if need.startswith("opentelemetry")]
    session.install("--resolution=lowest-direct", "--requirements=pyproject.toml", *extras, *sdk)
    session.install(*group)
    session.install("--no-deps", wheel())
    session.env.update(NOTHING_AHEAD)
    for tests in (CLIENT_TESTS, ["tests/e2e/test_programs.py"]):
        pytest(session, *tests, share="worksteal")


@nox.session(python=PYTHONS)
def local(session: nox.Session) -> None:
    """Test the embedded server, and the client against it in real sandboxes.

    All of it on the oldest and the newest Python that is there, and on those between the programs
    that users have.
    """
    between = session.python not in (OLDEST, NEWEST)
    install(session, "[local]" if between else "[local,science]", "test")
    # Every server of a test would import them all, and hardly any test asks for them.
    session.env["AGB_LOCAL_PRELOAD"] = "off"
    # On the newest as users have it.
    if session.python != NEWEST:
        session.env.update(NOTHING_AHEAD)
    programs = ["tests/e2e/test_programs.py", "tests/e2e/test_embedded.py"]
    # The tests of a file share a server, and sandboxes.
    chosen = programs if between else SERVER_TESTS
    pytest(session, *chosen, share="loadfile")


@nox.session(python=THIS, default=False)
def attacks(session: nox.Session) -> None:
    """Attack the sandbox at full length: all probes and bombs, races with 20,000 swaps."""
    install(session, "[local]", "test")
    arguments = session.posargs or ["tests/local/attacks"]
    session.run("pytest", "-s", *arguments, env={"AGB_ATTACKS": "full"})


@nox.session(python=THIS, default=False)
def endurance(session: nox.Session) -> None:
    """Kill client, server and spawner fifty times each; create and delete 1,000 sessions."""
    install(session, "[local]", "test")
    names = ("spawner/test_strays", "sessions/test_many_sessions", "sessions/test_restart")
    tests = session.posargs or [f"tests/local/{name}.py" for name in (*names, "test_server")]
    session.run("pytest", "-s", *tests, env={"AGB_ENDURANCE": "full"})


@nox.session(python=THIS, default=False)
@nox.parametrize("version", [nox.param(each, id=each) for each in OFFICIAL_CLIENTS])
def interop(session: nox.Session, version: str) -> None:
    """Drive a published official client against the embedded server."""
    install(session, "[local]", "test")
    session.install("uv")
    # An environment of its own: its import name is that of this package.
    folder = Path(session.virtualenv.location, "official").absolute()
    session.run("uv", "venv", "--quiet", "--clear", "--python", "python", str(folder))
    session.run(
        "uv", "pip", "install", "--quiet", "--python", str(folder), f"agbcloud-sdk=={version}"
    )
    session.run(
        "pytest",
        "tests/interop",
        *session.posargs,
        env={"AGB_INTEROP_VERSION": version, "AGB_INTEROP_PYTHON": str(folder / "bin" / "python")},
    )


@nox.session(python=THIS)
def docs(session: nox.Session) -> None:
    """Run every program of the pages, every example, and the examples of all docstrings."""
    install(session, "[local]", "test")
    session.env.update(NOTHING_AHEAD)
    pytest(session, "tests/docs", share="worksteal")


@nox.session(python=THIS)
def readme(session: nox.Session) -> None:
    """Run the first command of the README as it stands, in a fresh copy and an empty home."""
    if not Path(".git").exists():
        session.skip("needs a git checkout to copy")
    command = Path("README.md").read_text().split("```sh\n")[1].split("```")[0]
    folder = Path(session.create_tmp())
    home, copy = folder / "home", folder / "copy"
    shutil.rmtree(folder, ignore_errors=True)
    home.mkdir(parents=True)
    session.run("git", "clone", "--quiet", ".", str(copy), external=True)
    session.chdir(copy)
    session.run("sh", "-euc", command, external=True, env={"HOME": str(home)})
