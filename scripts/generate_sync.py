"""Generate the blocking colour from the async one, or check that it is what would be generated.

    python scripts/generate_sync.py           write every _sync beside its _async
    python scripts/generate_sync.py --check   compare file sets and bytes, then look for leftovers

Runs in an environment that has `unasyncd` and `ruff` (`nox -s sync`).
"""

from __future__ import annotations

import argparse
import ast
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SOURCE = ROOT / "src/agb/_async"
PAIRS = tuple(
    (ROOT / folder / "_async", ROOT / folder / "_sync")
    for folder in ("src/agb", "tests", "tests/e2e", "tests/faults")
)
# Both colours by hand, side by side in each file.
PAIR = ROOT / "src/agb/_pair"

# What is not a class or function of ours, so it can't be derived.
LIBRARY_RULES = {
    "httpx.AsyncClient": "httpx.Client",
    "httpx.AsyncBaseTransport": "httpx.BaseTransport",
    "httpx.AsyncByteStream": "httpx.SyncByteStream",
    "httpx.AsyncHTTPTransport": "httpx.HTTPTransport",
    "httpcore.AsyncHTTPConnection": "httpcore.HTTPConnection",
    "httpcore.AsyncNetworkStream": "httpcore.NetworkStream",
    "httpcore.AsyncNetworkBackend": "httpcore.NetworkBackend",
    "httpcore.AnyIOBackend": "httpcore.SyncBackend",
    "aclose": "close",
    "aread": "read",
    "aiter_raw": "iter_raw",
    "handle_async_request": "handle_request",
    "agb._async": "agb._sync",
}


def derive_rules() -> dict[str, str]:
    """Derive a rule for every name of ours that exists in two colours."""
    rules = dict(LIBRARY_RULES)
    for path in sorted(SOURCE.glob("*.py")):
        for name in definitions(path):
            if (blocking := blocking_name(name)) is not None:
                rules[name] = blocking
                for module in (f".{path.stem}", f"agb._async.{path.stem}", "agb"):
                    target = module.replace("_async", "_sync")
                    rules[f"{module}.{name}"] = f"{target}.{blocking}"
    for path in sorted(PAIR.rglob("*.py")):
        module = ".".join(path.relative_to(PAIR.parent).with_suffix("").parts)
        for name in definitions(path):
            if (blocking := blocking_name(name)) is not None:
                rules[name] = blocking
                for qualifier in (f"..{module}", f"agb.{module}", "agb"):
                    rules[f"{qualifier}.{name}"] = f"{qualifier}.{blocking}"
    return rules


def definitions(path: Path) -> list[str]:
    """Return the names of the classes and functions of a file."""
    kinds = (ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    return [node.name for node in ast.parse(path.read_text()).body if isinstance(node, kinds)]


def blocking_name(name: str) -> str | None:
    """Return the blocking name of an async one, None for a name of no colour."""
    found = [name.removeprefix(prefix) for prefix in ("Async", "async_") if name.startswith(prefix)]
    return found[0] if found else None


def unpaired() -> list[str]:
    """Look for what a pair file has in the async colour only."""
    found = {path: definitions(path) for path in sorted(PAIR.rglob("*.py"))}
    return [
        f"{path.relative_to(ROOT)}: {name} has no blocking half"
        for path, names in found.items()
        for name in names
        if (half := blocking_name(name)) is not None and half not in names
    ]


def generate(pairs: list[tuple[Path, Path]]) -> None:
    """Generate every file of the first folder of each pair into the second."""
    rules = derive_rules()
    files = {
        str(path): str(target / path.relative_to(source))
        for source, target in pairs
        for path in sorted(source.rglob("*.py"))
    }
    table = "\n".join(f'"{old}" = "{new}"' for old, new in sorted(rules.items()))
    listing = "\n".join(f'"{old}" = "{new}"' for old, new in files.items())
    with tempfile.TemporaryDirectory() as folder:
        config = Path(folder, "unasyncd.toml")
        config.write_text(
            "[tool.unasyncd]\ntransform_docstrings = true\ncache = false\nforce_regen = true\n"
            f"[tool.unasyncd.add_replacements]\n{table}\n[tool.unasyncd.files]\n{listing}\n"
        )
        unasyncd = Path(sys.executable).with_name("unasyncd")
        for target in files.values():
            Path(target).unlink(missing_ok=True)
        # It exits with 1 whenever it wrote a file, so what counts is that every file is there.
        subprocess.run([unasyncd, "--config", config, "--quiet"], check=False)
        failed = [source for source, target in files.items() if not Path(target).is_file()]
        if failed:
            raise SystemExit(f"unasyncd wrote nothing for {', '.join(failed)}")
    ruff = [str(Path(sys.executable).with_name("ruff"))]
    settings = ["--config", str(ROOT / "pyproject.toml"), "--quiet", *files.values()]
    subprocess.run([*ruff, "check", "--select", "I,F401", "--fix", *settings], check=True)
    subprocess.run([*ruff, "format", *settings], check=True)


def contents(folder: Path) -> dict[str, bytes]:
    """Read every Python file below a folder."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*.py")}


def differences(committed: Path, fresh: Path) -> list[str]:
    """Compare two folders from both sides: files missing, files too many, other bytes."""
    ours, theirs = contents(committed), contents(fresh)
    return [
        f"{committed.relative_to(ROOT)}/{name}: "
        + ("missing" if name not in ours else "not generated" if name not in theirs else "differs")
        for name in sorted(ours.keys() | theirs.keys())
        if ours.get(name) != theirs.get(name)
    ]


def leftovers(folder: Path) -> list[str]:
    """Look for what must not be in blocking code."""
    return [
        f"{path.relative_to(ROOT)}:{getattr(node, 'lineno', 0)}: {found}"
        for path in sorted(folder.rglob("*.py"))
        for node in ast.walk(ast.parse(path.read_text()))
        if (found := _leftover(node))
    ]


def _leftover(node: ast.AST) -> str:
    if isinstance(node, (ast.AsyncFunctionDef, ast.AsyncFor, ast.AsyncWith, ast.Await)):
        return type(node).__name__
    if isinstance(node, (ast.Import, ast.ImportFrom)):
        names = [alias.name for alias in node.names] + [getattr(node, "module", None) or ""]
        roots = {name.split(".")[0] for name in names}
        return ", ".join(sorted(roots & {"anyio", "asyncio", "_async"}))
    name = getattr(node, "id", None) or getattr(node, "attr", None) or getattr(node, "name", None)
    if isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef)):
        docstring = ast.get_docstring(node) or ""
        found = [
            word for word in ("await ", "async with", "async for", "Async") if word in docstring
        ]
        return ", ".join(found) or (name if isinstance(name, str) and _is_async(name) else "")
    return name if isinstance(name, str) and _is_async(name) else ""


def _is_async(name: str) -> bool:
    return name.startswith(("Async", "async_")) or name == "aclose"


def main() -> int:
    """Generate or check; return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--check", action="store_true")
    pairs = [(source, target) for source, target in PAIRS if source.is_dir()]
    problems: list[str] = []
    if parser.parse_args().check:
        with tempfile.TemporaryDirectory(dir=ROOT, prefix=".sync-") as folder:
            fresh = [(source, Path(folder, str(index))) for index, (source, _) in enumerate(pairs)]
            generate(fresh)
            for (_, target), (_, made) in zip(pairs, fresh, strict=True):
                problems += differences(target, made)
    else:
        generate(pairs)
    problems += [line for _, target in pairs for line in leftovers(target)]
    problems += unpaired()
    print("\n".join(problems) or "The blocking colour is what the generator makes.")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
