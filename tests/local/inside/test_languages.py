"""What all languages have in common, in a real sandbox; and Java and R."""

from __future__ import annotations

import asyncio

import pytest

from agb.local.failures import ToolError
from agb.local.inside.failures import ToolFailure
from agb.local.inside.languages import commands

from ..support.languages import HERE, every_language, needs

pytestmark = pytest.mark.asyncio(loop_scope="module")

BEGUN_AND_ENDLESS = {
    "python": "open('python', 'w').close()\nwhile True: pass",
    "javascript": "require('fs').writeFileSync('javascript', ''); while (true) {}",
    "java": 'new File("java").createNewFile();\nwhile (true) {}',
    "r": "invisible(file.create('r'))\nwhile (TRUE) {}",
}
ASSIGN = {"python": "x = 6", "javascript": "var x = 6", "java": "int x = 6;", "r": "x <- 6"}
EXIT = {
    "python": "import os; os._exit(3)",
    "javascript": "process.exit(3)",
    "java": "System.exit(3);",
    "r": "quit(status = 3)",
}


@pytest.fixture
def run(tool):
    """Run a cell in the shared sandbox."""

    async def call(language, code, timeout_s=30):
        return await tool("run_code", code=code, language=language, timeout_s=timeout_s)

    return call


def text(reply):
    (item,) = reply["result"]
    return item["text/plain"]


async def test_unknown_language(refusal):
    """A language the server does not run is refused, with those it does."""
    message = await refusal("run_code", code="1", language="cobol", timeout_s=1)

    assert message == (
        "Unknown language: 'cobol'; the local server runs python, javascript, java, r"
    )


@pytest.mark.parametrize(
    ("language", "program", "package"),
    [
        ("javascript", "node", "nodejs"),
        ("java", "jshell", "default-jdk-headless"),
        ("r", "Rscript", "r-base-core"),
    ],
)
async def test_language_that_is_missing(language, program, package):
    """The message names the program and what to install."""
    with pytest.raises(ToolFailure) as caught:
        commands((), "/nowhere", 1)[language]()

    assert f"no `{program}` on its PATH" in str(caught.value)
    assert f"`apt install {package}`" in str(caught.value)


@every_language
async def test_death_is_told(own_tool, language):
    """A process that ends in a cell is replaced, and the result says what is gone."""
    await own_tool("run_code", code=ASSIGN[language], language=language)
    ended = await own_tool("run_code", code=EXIT[language], language=language)
    after = await own_tool("run_code", code="x", language=language)

    assert ended["error"]["value"].endswith("ended (exit code 3); its variables are gone")
    assert after["error"]["name"] != "KernelEnded"
    fine = await own_tool("run_code", code="1 + 1", language=language)
    assert text(fine).endswith("2")


async def test_all_at_once_and_each_cancelled_alone(own_tool, beside):
    """Cells of all languages run side by side, commands beside them; one is cancelled alone."""
    cells = {}
    for language in HERE:
        await own_tool("run_code", code=ASSIGN[language], language=language)
        cell = own_tool("run_code", code=BEGUN_AND_ENDLESS[language], language=language)
        cells[language] = beside(cell)
    begun = " && ".join(f"test -e {language}" for language in HERE)
    await own_tool("shell", command=f"until {begun}; do sleep 0.05; done")
    while cells:
        language, cell = cells.popitem()
        cell.cancel()
        with pytest.raises(asyncio.CancelledError):
            await cell
        kept = await own_tool("run_code", code="x", language=language)

        assert text(kept).endswith("6")
        assert not any(other.done() for other in cells.values())


@needs("java")
async def test_java_values_and_output(run):
    """State is kept, a last expression is the result, output comes from children as well."""
    reply = await run(
        "java", 'int a = 20; String s = "é\\"";\nint twice(int n) {\n  return n * 2;\n}'
    )
    assert reply["result"] == []
    assert text(await run("java", "class A { int b() { return 1; } }\ntwice(a) + new A().b()")) == (
        "41"
    )
    assert text(await run("java", "s")) == '"é\\""'
    reply = await run(
        "java",
        'System.out.println("ü"); System.err.println("err");\n'
        'new ProcessBuilder("echo", "child").inheritIO().start().waitFor();',
    )
    assert reply["stdout"] == ["ü\nchild\n"]
    assert reply["stderr"] == ["err\n"]
    assert (await run("java", "// nothing"))["error"] is None


@needs("java")
async def test_java_errors(run):
    """What is thrown has its stack, what does not compile the compiler's message."""
    code = 'int f() {\n  throw new IllegalStateException("no");\n}\nf()'
    error = (await run("java", code))["error"]
    assert (error["name"], error["value"]) == ("IllegalStateException", "no")
    assert "at .f(" in error["traceback"]
    assert "jdk.jshell" not in error["traceback"]
    for code, message in (
        ('int i = "a";', "incompatible types"),
        ("1 +", "reached end of file"),
        ("unheard", "cannot find symbol"),
    ):
        error = (await run("java", code))["error"]
        assert error["name"] == "CompilationError"
        assert message in error["value"]


@needs("r")
async def test_r_values_and_output(run):
    """State is kept; the last visible value is the result, those before it are printed."""
    assert (await run("r", "a <- 20"))["result"] == []
    reply = await run("r", "'é\"'\na + 1")
    assert (text(reply), reply["stdout"]) == ("[1] 21", ['[1] "é\\""\n'])
    reply = await run("r", "system('echo child'); cat('ü\\n'); message('m'); warning('w')")
    assert reply["stdout"] == ["child\nü\n"]
    assert reply["stderr"] == ["m\nWarning: w\n"]
    assert "1 x" in text(await run("r", "data.frame(a = 1, b = 'x')"))
    assert (await run("r", "plot(1:3)"))["error"] is None
    assert text(await run("r", "list.files(pattern = 'pdf')")) == "character(0)"


@needs("r")
async def test_r_errors(run):
    """An error has its message and the calls that led there."""
    error = (await run("r", "f <- function(a) stop('no')\nf(1)"))["error"]

    assert error == {
        "name": "Error",
        "value": "no",
        "traceback": 'Error in f(1): no\n    f(1)\n    stop("no")',
    }
    assert "unexpected end of input" in (await run("r", "1 +"))["error"]["value"]
    assert (await run("r", "unheard"))["error"]["value"] == "object 'unheard' not found"


@pytest.mark.parametrize(
    ("language", "code"),
    [
        pytest.param("java", "while (true) {}", marks=needs("java")),
        pytest.param("java", "Thread.sleep(100_000);", marks=needs("java")),
        pytest.param("r", "while (TRUE) {}", marks=needs("r")),
        pytest.param("r", "system('sleep 43.5')", marks=needs("r")),
    ],
)
async def test_time_out(run, language, code):
    """A cell without an end is interrupted, and variables are kept."""
    await run(language, ASSIGN[language])
    reply = await run(language, code, timeout_s=0.3)

    assert reply["timed_out"]
    assert "was interrupted; variables are kept" in reply["error"]["value"]
    assert text(await run(language, "x")).endswith("6")


async def test_only_cells_of_python_wait_for_python(sandboxes, monkeypatch):
    """The first cell of Python, streamed or not, takes its turn to start it; no other cell does."""
    # Nothing else starts it meanwhile.
    monkeypatch.setattr(sandboxes._warming, "wants", lambda sandbox: False)
    sandbox = await sandboxes.open("x")
    turns = []

    async def take_turn(sandbox):
        turns.append(sandbox)

    monkeypatch.setattr(sandboxes._warming, "before_first_cell", take_turn)
    cell = {"code": "1", "timeout_s": 30}
    with pytest.raises(ToolError):
        await sandbox.call("run_code", {**cell, "language": "cobol"}, timeout_s=60)
    await sandbox.call("shell", {"command": "true", "timeout_ms": 9000}, timeout_s=60)
    assert turns == []

    cell["language"] = "python"
    for method in ("stream_code", "run_code"):
        await sandbox.call(method, cell, timeout_s=60, on_event=lambda event: event.passed_on())
    await sandbox.aclose()

    assert turns == [sandbox]
