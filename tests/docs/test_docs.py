"""What the documents say works: code blocks, examples, and the examples in docstrings."""

from __future__ import annotations

import ast
import asyncio
import doctest
import inspect
import io
import os
import re
import subprocess
import sys
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any

import pytest

import agb

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
BLOCKS = [
    pytest.param(block, id=f"{page.relative_to(ROOT)}:{number}")
    for page in PAGES
    for number, block in enumerate(
        re.findall(r"^```python\n(.*?)^```$", page.read_text(), re.MULTILINE | re.DOTALL), 1
    )
]


def run_local(*command: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "AGB_ENDPOINT": "local", "COLUMNS": "100"}
    return subprocess.run(
        [sys.executable, *command],
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
        env=environment,
        cwd=ROOT,
    )


@pytest.mark.parametrize("block", BLOCKS)
def test_code_block(block: str) -> None:
    """Each Python block of a page is a program that runs as it stands."""
    done = run_local("-W", "error", "-c", block)

    assert done.returncode == 0, done.stderr
    assert done.stderr == ""


def test_what_the_tour_of_the_readme_prints() -> None:
    """The first program of the README prints what its comments promise."""
    done = run_local("-c", BLOCKS[0].values[0])

    assert done.stdout.splitlines() == [
        "90",
        "0 hello",
        "",
        "kept",
        "False ZeroDivisionError: division by zero",
    ]


@pytest.mark.parametrize("example", sorted((ROOT / "examples").glob("*.py")), ids=lambda p: p.name)
def test_example(example: Path) -> None:
    """Each example runs to its end, in silence on standard error."""
    done = run_local("-W", "error", str(example))

    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stderr == ""
    assert done.stdout


def test_quickstart() -> None:
    """The quickstart shows the output of each module."""
    for name in ("quickstart.py", "quickstart_async.py"):
        shown = run_local(str(ROOT / "examples" / name)).stdout

        assert "Code output: Hello World" in shown
        assert "File content: Hello from a file" in shown


def own_members(class_: type) -> dict[str, Any]:
    bases = [base for base in class_.__mro__ if base.__module__.startswith("agb._")]
    return {name: member for base in [*bases, class_] for name, member in vars(base).items()}


def documented() -> list[Any]:
    """Collect every public object, and the public methods of every public class, once.

    What a class has from a base that is not public counts as its own.
    """
    found: dict[str, Any] = {}
    for name in agb.__all__:
        value = getattr(agb, name)
        if inspect.isclass(value):
            found[name] = value
            for attribute, member in own_members(value).items():
                if attribute.startswith("_"):
                    continue
                function = getattr(member, "fget", None) or getattr(member, "__func__", member)
                if inspect.isfunction(function):
                    found[f"{name}.{function.__name__}"] = function
    return [pytest.param(value, id=name) for name, value in found.items()]


def examples(value: Any) -> list[doctest.Example]:
    return doctest.DocTestParser().get_examples(inspect.getdoc(value) or "")


@pytest.mark.parametrize("value", documented())
def test_docstring(value: Any) -> None:
    """Every public class and method has a docstring that begins with a sentence."""
    first = (inspect.getdoc(value) or "").split("\n\n")[0]

    assert first.endswith((".", ":")), first


@pytest.mark.parametrize("value", documented())
def test_everything_shows_how(value: Any) -> None:
    """Every public class and method has an example."""
    assert examples(value)


@pytest.mark.parametrize("value", [case for case in documented() if examples(case.values[0])])
def test_docstring_example(value: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The example of a docstring runs and gives what it shows, in either colour."""
    monkeypatch.chdir(tmp_path)
    text = inspect.getdoc(value) or ""
    is_async = "await " in text or "async with" in text

    if is_async:
        asyncio.run(_run_async(examples(value)))
    else:
        _run_blocking(examples(value))


def _run_blocking(steps: list[doctest.Example]) -> None:
    with agb.AGB.local() as client, client.open_session() as session:
        names: dict[str, Any] = {"agb": client, "session": session}
        for step in steps:
            shown, value = _run(step, names)
            assert value is None
            assert shown == step.want


async def _run_async(steps: list[doctest.Example]) -> None:
    async with agb.AsyncAGB.local() as client, client.open_session() as session:
        names: dict[str, Any] = {"agb": client, "session": session}
        for step in steps:
            shown, value = _run(step, names)
            if inspect.iscoroutine(value):
                with redirect_stdout(io.StringIO()) as out:
                    await value
                shown = out.getvalue()
            assert shown == step.want


def _run(step: doctest.Example, names: dict[str, Any]) -> tuple[str, Any]:
    code = compile(step.source, "<example>", "single", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
    with redirect_stdout(io.StringIO()) as out:
        value = eval(code, names)
    return out.getvalue(), value
