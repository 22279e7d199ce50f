"""JavaScript cells in a real sandbox."""

from __future__ import annotations

import asyncio
import shutil
import time

import pytest

from ..support.processes import GONE_S

pytestmark = [
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.skipif(shutil.which("node") is None, reason="needs Node.js"),
]


@pytest.fixture
def javascript(tool):
    """Run a cell in the shared sandbox."""

    async def run(code, timeout_s=30):
        return await tool("run_code", code=code, language="javascript", timeout_s=timeout_s)

    return run


@pytest.fixture
def own_javascript(own_tool):
    """Run a cell in a sandbox of the test's own."""

    async def run(code, timeout_s=30):
        return await own_tool("run_code", code=code, language="javascript", timeout_s=timeout_s)

    return run


def texts(reply):
    return [item["text/plain"] for item in reply["result"]]


async def test_state_and_redeclaration(javascript):
    """Declarations live on and can be made again; the last expression is the result."""
    await javascript(
        "const a = 1; let b = 2; class C { m() { return 3 } }; function f() { return 4 }"
    )

    assert texts(await javascript("a + b + new C().m() + f()")) == ["10"]
    assert texts(await javascript("const a = 5; class C {}; a")) == ["5"]
    assert texts(await javascript("let nothing = 1")) == []


async def test_values(javascript):
    """Any value is shown as node shows it."""
    for code, shown in (
        ("({a: [1, {b: new Map([[1, 2]])}]})", "{ a: [ 1, { b: [Map] } ] }"),
        ("'text'", "'text'"),
        ("10n", "10n"),
        ("-0", "-0"),
        ("NaN", "NaN"),
        ("null", "null"),
        ("Symbol('s')", "Symbol(s)"),
    ):
        assert texts(await javascript(code)) == [shown]


async def test_await(javascript):
    """A cell may await; a promise as value is waited for."""
    reply = await javascript("const late = await new Promise(r => setTimeout(r, 5, 'x')); late")

    assert texts(reply) == ["'x'"]
    reply = await javascript("(async () => { await null; console.log('done'); return 9 })()")
    assert (texts(reply), reply["stdout"]) == (["9"], ["done\n"])


async def test_output(javascript):
    """`console.log` is standard output, `console.error` standard error, in order with children."""
    reply = await javascript(
        "console.log('one'); require('child_process').execSync('echo two', {stdio: 'inherit'});"
        "console.log('three'); console.error('err')"
    )

    assert reply["stdout"] == ["one\ntwo\nthree\n"]
    assert reply["stderr"] == ["err\n"]


async def test_modules(tool, javascript):
    """`require` starts at home, `import()` and node's modules work."""
    await tool("write_file", path="beside.js", content="module.exports = 7", mode="overwrite")

    assert texts(await javascript("require('./beside.js')")) == ["7"]
    assert texts(await javascript("require('node:path').basename('/a/b')")) == ["'b'"]
    await tool("write_file", path="esm.mjs", content="export default 8", mode="overwrite")
    for code, value in (
        ("(await import('node:path')).basename('/a/b')", "'b'"),
        ("(await import('./esm.mjs')).default", "8"),
        ("'import(x)'", "'import(x)'"),
    ):
        assert texts(await javascript(code)) == [value]


async def test_errors(javascript):
    """An error has name, value and stack, without a line of ours; anything can be thrown."""
    error = (await javascript("function f() { null.x }\nf()"))["error"]

    assert error["name"] == "TypeError"
    assert error["value"].startswith("Cannot read properties of null")
    assert "at f (" in error["traceback"]
    assert "agb" not in error["traceback"]
    assert "inspector" not in error["traceback"]
    assert (await javascript("let ("))["error"]["name"] == "SyntaxError"
    assert (await javascript("throw 42"))["error"]["value"] == "42"
    assert (await javascript("await Promise.reject(new RangeError('r'))"))["error"]["name"] == (
        "RangeError"
    )


async def test_late_errors(javascript):
    """An error in a timer or a forgotten promise is written to standard error, no more."""
    await javascript("var kept = 1; Promise.reject(new Error('forgotten'))")
    reply = await javascript(
        "setTimeout(() => { throw new Error('late') });"
        "await new Promise(r => setTimeout(r, 20)); kept"
    )

    assert texts(reply) == ["1"]
    assert "late" in "".join(reply["stderr"])


async def test_time_out(javascript):
    """A loop, a promise and a child process without an end are interrupted; state is kept."""
    await javascript("var kept = 'yes'")
    for code in (
        "while (true) {}",
        "await new Promise(() => {})",
        "require('child_process').execSync('sleep 43.5')",
    ):
        began = time.monotonic()
        reply = await javascript(code, timeout_s=0.3)
        assert time.monotonic() - began < GONE_S
        assert reply["error"]["name"] == "TimeoutError"
        assert "variables are kept" in reply["error"]["value"]
        assert texts(await javascript("kept")) == ["'yes'"]


async def test_cancelling(own_tool, own_javascript, beside):
    """Cancelling the call ends a loop within a second and keeps the state."""
    await own_javascript("var kept = 5")
    code = "require('fs').writeFileSync('begun', ''); while (true) {}"
    call = beside(own_javascript(code))
    await own_tool("shell", command="while ! test -e begun; do sleep 0.01; done")
    call.cancel()
    with pytest.raises(asyncio.CancelledError):
        await call
    began = time.monotonic()

    assert texts(await own_javascript("kept")) == ["5"]
    assert time.monotonic() - began < GONE_S


async def test_death(own_javascript):
    """A process that ends in a cell is reported and replaced."""
    reply = await own_javascript("process.exit(3)")
    assert "ended (exit code 3)" in reply["error"]["value"]

    assert texts(await own_javascript("1")) == ["1"]


async def test_beside_python(own_tool, own_javascript, beside):
    """Languages of one session run side by side."""
    python = beside(own_tool("run_code", code="import os\nwhile not os.path.exists('go'): pass"))
    await own_javascript("require('fs').writeFileSync('go', '')")

    assert (await python)["error"] is None
