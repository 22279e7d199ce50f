"""Python cells in a real sandbox."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import importlib.util
import time
import venv

import pytest

from agb.local.failures import ToolError
from agb.local.sandboxes.sandboxes import Sandboxes
from agb.local.settings import Settings

from ..support.processes import GONE_S

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest.fixture
def python(tool):
    """Run a cell in the shared sandbox."""

    async def run(code, timeout_s=30):
        return await tool("run_code", code=code, language="python", timeout_s=timeout_s)

    return run


@pytest.fixture
def own_python(own_tool):
    """Run a cell in a sandbox of the test's own."""

    async def run(code, timeout_s=30):
        return await own_tool("run_code", code=code, language="python", timeout_s=timeout_s)

    return run


def texts(reply):
    return [item.get("text/plain") for item in reply["result"]]


async def test_state(python):
    """Variables live on, the last expression is the main result, cells are counted."""
    first = await python("x = 20\nx + 1")
    second = await python("x * 2")

    assert first["result"] == [{"text/plain": "21", "isMainResult": True}]
    assert texts(second) == ["40"]
    assert second["execution_count"] == first["execution_count"] + 1
    assert first["error"] is None
    assert 0 < first["execution_time"] < 30


async def test_output_in_order(python):
    """What Python, child processes and C code write comes in the order it was written."""
    reply = await python(
        "import os, subprocess, ctypes\n"
        "print('python'); subprocess.run(['echo', 'child']); os.system('echo shell')\n"
        "os.write(1, b'raw\\n'); ctypes.CDLL(None).puts(b'c'); print('no newline', end='')\n"
        "import sys; print('err', file=sys.stderr)\n"
    )

    assert reply["stdout"] == ["python\nchild\nshell\nraw\nno newlinec\n"]
    assert reply["stderr"] == ["err\n"]


async def test_magics_and_shell_escapes(python):
    """`!command` writes to the cell's output, `%magics` work."""
    assert (await python("!echo escaped"))["stdout"] == ["escaped\n"]
    assert texts(await python("out = !echo a; echo b\nlist(out)")) == ["['a', 'b']"]
    assert (await python("%cd /tmp"))["error"] is None
    await python("%cd ~")


async def test_rich_results(python):
    """`display` and the last expression give all their representations; bytes come as base64."""
    reply = await python(
        "from IPython.display import HTML, display\n"
        "class Both:\n"
        "    def _repr_html_(self): return '<b>x</b>'\n"
        "    def _repr_png_(self): return b'\\x89PNG'\n"
        "    def _repr_json_(self): return {'a': [1]}\n"
        "    def __repr__(self): return 'Both'\n"
        "display(HTML('<i>h</i>'))\nBoth()"
    )

    shown, main = reply["result"]
    assert shown["text/html"] == "<i>h</i>"
    assert not shown["isMainResult"]
    assert main["isMainResult"]
    assert main["text/plain"] == "Both"
    assert main["text/html"] == "<b>x</b>"
    assert base64.b64decode(main["image/png"]) == b"\x89PNG"
    assert main["application/json"] == {"a": [1]}


@pytest.mark.skipif(not importlib.util.find_spec("matplotlib"), reason="needs matplotlib")
async def test_figures(python):
    """Figures that are open at the end of a cell are images."""
    reply = await python("import matplotlib.pyplot as plt\nplt.plot([1, 2]);", timeout_s=100)

    assert reply["stderr"] == []
    images = [item["image/png"] for item in reply["result"] if "image/png" in item]
    assert len(images) == 1
    assert base64.b64decode(images[0]).startswith(b"\x89PNG")


@pytest.mark.skipif(not importlib.util.find_spec("pandas"), reason="needs pandas")
async def test_tables(python):
    """A DataFrame is a table in HTML and in plain text."""
    reply = await python("import pandas\npandas.DataFrame({'a': [1, 2]})", timeout_s=100)

    (shown,) = reply["result"]
    assert "<table" in shown["text/html"]
    assert shown["text/plain"].split() == ["a", "0", "1", "1", "2"]


async def test_errors(python):
    """An error has name, value and a plain traceback; what was printed before is kept."""
    reply = await python("print('before')\ndef f():\n    return 1 / 0\nf()")

    assert reply["stdout"] == ["before\n"]
    assert reply["error"]["name"] == "ZeroDivisionError"
    assert reply["error"]["value"] == "division by zero"
    assert "return 1 / 0" in reply["error"]["traceback"]
    assert "\x1b" not in reply["error"]["traceback"]
    assert reply["stderr"] == []


async def test_other_errors(python):
    """Syntax errors, failing `__str__` and failing representations are reported, not fatal."""
    assert (await python("1 +"))["error"]["name"] == "SyntaxError"
    bad = "class E(Exception):\n    def __str__(self): raise RuntimeError\nraise E"
    assert (await python(bad))["error"]["name"] in ("E", "RuntimeError")
    reply = await python("class R:\n    def __repr__(self): raise ValueError('r')\nR()")
    assert "ValueError: r" in "".join(reply["stderr"])
    assert texts(await python("1")) == ["1"]


async def test_warnings(python):
    """What a cell sets about warnings holds in later cells; IPython's own are not shown."""
    await python("import warnings; warnings.filterwarnings('ignore', message='hidden')")
    reply = await python("warnings.warn('hidden'); warnings.warn('shown')")
    assert "shown" in reply["stderr"][0]
    assert "UserWarning: hidden" not in reply["stderr"][0]

    for _ in range(50):
        assert (await python("'a result'"))["stderr"] == []


async def test_exit(python):
    """`sys.exit` ends the cell and not the process; only 0 is success."""
    await python("kept = 1")
    fine = await python("import sys; print('x'); sys.exit(0)")
    bad = await python("sys.exit(3)")

    assert (fine["error"], fine["stdout"], fine["stderr"]) == (None, ["x\n"], [])
    assert (bad["error"]["name"], bad["error"]["value"], bad["stderr"]) == ("SystemExit", "3", [])
    assert texts(await python("kept")) == ["1"]


async def test_input(python):
    """`input` says that there is nobody to ask."""
    error = (await python("input('name? ')"))["error"]

    assert error["name"] == "EOFError"
    assert "no keyboard" in error["value"]


async def test_top_level_await(python):
    """A cell may await; `asyncio.run` works as well."""
    reply = await python("import asyncio\nawait asyncio.sleep(0, 'awaited')")
    assert texts(reply) == ["'awaited'"]

    assert texts(await python("asyncio.run(asyncio.sleep(0, 'run'))")) == ["'run'"]


async def test_home_stays_clean(own_tool, own_python):
    """Running cells leaves nothing in the home directory."""
    await own_python("1")

    assert (await own_tool("list_directory", path="."))["entries"] == []


async def test_looks_like_plain_python(own_tool, own_python):
    """Modules beside the program are found, `__main__` is the cell's, nothing of ours shows."""
    await own_tool("write_file", path="beside.py", content="value = 7", mode="overwrite")
    reply = await own_python(
        "import sys, os, __main__, beside\n"
        "here = 1\n"
        "(beside.value, __main__.here, __name__, sys.argv, sys.path[0], os.getcwd(),"
        " [n for n in os.environ if 'AGB' in n or n == 'IPYTHONDIR'])"
    )

    assert texts(reply) == ["(7, 1, '__main__', [''], '', '/home/user', [])"]


async def test_multiprocessing_and_threads(python):
    """Processes and threads started by a cell work, and a forked cell answers once."""
    reply = await python(
        "import multiprocessing, threading\n"
        "with multiprocessing.get_context('fork').Pool(2) as pool: r = pool.map(abs, [-1, 2])\n"
        "t = threading.Thread(target=print, args=['thread']); t.start(); t.join()\nr"
    )
    assert (texts(reply), reply["stdout"]) == (["[1, 2]"], ["thread\n"])
    await python("import os\npid = os.fork()\nif pid: os.waitpid(pid, 0)")

    assert texts(await python("'only one'")) == ["'only one'"]


async def test_time_out_keeps_state(python):
    """A cell that takes too long is interrupted; variables are kept and so is the output."""
    await python("kept = 'yes'")
    began = time.monotonic()
    reply = await python("print('before')\nwhile True: pass", timeout_s=0.3)

    assert time.monotonic() - began < GONE_S
    assert reply["error"]["name"] == "TimeoutError"
    assert "0.3 s" in reply["error"]["value"]
    assert "variables are kept" in reply["error"]["value"]
    assert reply["stdout"] == ["before\n"]
    assert texts(await python("kept")) == ["'yes'"]


async def test_time_out_in_child_process_and_in_await(python):
    """A cell that waits for a child process or awaits is interrupted as well."""
    for code in ("import os; os.system('sleep 41.5')", "import asyncio; await asyncio.sleep(41)"):
        reply = await python(code, timeout_s=0.3)
        assert "variables are kept" in reply["error"]["value"]
    reply = await python("import asyncio; await asyncio.sleep(0.01); print('mine')")

    assert reply["stdout"] == ["mine\n"]


async def test_time_out_that_kills(own_python):
    """A cell that cannot be interrupted costs its process; the next cell is told so, once."""
    await own_python("lost = 1")
    reply = await own_python(
        "import time\nwhile True:\n"
        "  try:\n    while True: time.sleep(9)\n  except BaseException: pass",
        timeout_s=0.3,
    )
    assert "did not stop when interrupted" in reply["error"]["value"]
    told = await own_python("'lost' in globals()")

    assert texts(told) == ["False"]
    assert "variables are gone" in "".join(told["stderr"])
    assert (await own_python("1"))["stderr"] == []


async def test_death_in_a_cell(own_python):
    """A process that dies in a cell is reported, and replaced at the next one."""
    reply = await own_python("import os\nprint('last words')\nos.kill(os.getpid(), 9)")

    assert reply["error"]["value"] == (
        "The python process of this session ended (signal 9); its variables are gone"
    )
    assert reply["stdout"] == ["last words\n"]
    again = await own_python("1")
    assert (texts(again), again["execution_count"], again["stderr"]) == (["1"], 1, [])


async def test_death_between_cells(own_tool, own_python):
    """A process that dies between two cells is replaced, and the next cell is told so."""
    pid = texts(await own_python("import os; os.getpid()"))[0]
    await own_tool("shell", command=f"kill -9 {pid}; while kill -0 {pid} 2>&-; do sleep 0.01; done")
    reply = await own_python("2")

    assert texts(reply) == ["2"]
    assert "signal 9" in "".join(reply["stderr"])


async def test_misused_descriptors(own_python):
    """A program that closes or scribbles on the kernel's pipes loses its process, no more."""
    reply = await own_python(
        "import os\nfor fd in range(3, 40):\n"
        "  try: os.write(fd, b'\\xff' * 64)\n  except OSError: pass"
    )
    assert reply["error"]["name"] == "KernelEnded"
    reply = await own_python("import os; os.closerange(3, 40)", timeout_s=2)
    assert reply["error"]["name"] in ("KernelEnded", "TimeoutError")

    assert texts(await own_python("1")) == ["1"]


async def test_cancelling(own_tool, own_python, beside):
    """Cancelling the call interrupts the cell within a second and keeps the variables."""
    await own_python("kept = 5")
    code = (
        "import time; open('begun', 'w').close()\n"
        "try:\n  while True: time.sleep(9)\nfinally: open('ended', 'w').close()"
    )
    call = beside(own_python(code))
    await own_tool("shell", command="while ! test -e begun; do sleep 0.01; done")
    call.cancel()
    with pytest.raises(asyncio.CancelledError):
        await call

    ended = await own_tool(
        "shell", command="while ! test -e ended; do sleep 0.01; done", timeout_ms=int(GONE_S * 1000)
    )
    assert not ended["timed_out"]
    assert texts(await own_python("kept")) == ["5"]


async def test_one_at_a_time(own_tool, own_python, beside):
    """A cell waits for the one before it; a waiting cell can be cancelled."""
    first = beside(
        own_python(
            "import os\nopen('begun', 'w').close()\nwhile not os.path.exists('go'): pass\nv = 1"
        )
    )
    await own_tool("shell", command="while ! test -e begun; do sleep 0.01; done")
    second = beside(own_python("v"))
    third = beside(own_python("open('never', 'w')"))
    await own_tool("shell", command="true")
    third.cancel()
    # The agent is told in this order, too.
    with contextlib.suppress(asyncio.CancelledError):
        await third
    await own_tool("write_file", path="go", content="", mode="overwrite")
    await first

    assert texts(await second) == ["1"]
    listing = await own_tool("list_directory", path=".")
    assert [entry["name"] for entry in listing["entries"]] == ["begun", "go"]


async def test_flood(python):
    """Output beyond the limit is cut and named; large results are handed over whole."""
    reply = await python("print('x' * 9_000_000)\n'y' * 3_000_000")

    assert reply["stdout"][0].endswith("more bytes]\n")
    assert len(reply["result"][0]["text/plain"]) == 3_000_002


async def test_result_too_large(python):
    """Of a result beyond the limit the beginning is shown, and how much is not; all lives on."""
    reply = await python("big = 1\n'z' * 40_000_000")

    (result,) = reply["result"]
    assert result["isMainResult"] is True
    assert result["text/plain"].startswith("'zzz")
    assert result["text/plain"].endswith(
        "[result too large: 40000002 characters of text/plain left out]"
    )
    assert len(result["text/plain"]) < 1100
    assert "40000002 characters of text/plain left out" in reply["stderr"][0]
    assert texts(await python("big")) == ["1"]


async def test_surrogates(python):
    """Half characters in output and results do not break the reply."""
    reply = await python("print('\\ud800'); __import__('IPython').display.HTML('\\ud800')")

    assert reply["stdout"] == ["\\ud800\n"]
    assert reply["result"][0]["text/html"] == "\N{REPLACEMENT CHARACTER}"


async def test_background_thread_output(own_python):
    """What a thread writes between two cells comes with the next cell, and never blocks it."""
    await own_python(
        "import threading, sys, os\n"
        "def write():\n  for _ in range(300): print('b' * 999)\n  open('done', 'w').close()\n"
        "threading.Timer(0.05, write).start()"
    )
    reply = await own_python("import os, time\nwhile not os.path.exists('done'): time.sleep(.01)")

    assert "".join(reply["stdout"]).count("b") == 300 * 999


async def test_another_python(tmp_path):
    """Cells run in the Python that is named; one without IPython says what to install."""
    tmp_path.chmod(0o755)
    venv.create(tmp_path / "bare")
    python = str(tmp_path / "bare" / "bin" / "python")
    sandboxes = await Sandboxes.start(Settings(python=python))
    sandbox = await sandboxes.open("x")
    for _ in range(2):
        with pytest.raises(ToolError, match=r"need IPython.*pip install ipython"):
            await sandbox.call(
                "run_code", {"code": "1", "language": "python", "timeout_s": 9}, timeout_s=40
            )
    which = {"command": "python -c 'import sys; print(sys.prefix)'", "timeout_ms": 9000}
    result = await sandbox.call("shell", which, timeout_s=10)
    await sandboxes.aclose()

    assert result["stdout"] == f"{tmp_path}/bare\n"


@pytest.mark.parametrize("module", ["numpy", "pandas"])
async def test_heavy_modules(python, module):
    """Large libraries start under the limits of a session."""
    if importlib.util.find_spec(module) is None:
        pytest.skip(f"needs {module}")
    reply = await python(f"import {module} as m\nm.array([1, 2]).sum()", timeout_s=100)

    assert reply["error"] is None
