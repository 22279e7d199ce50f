"""How calls of tools run in a session."""

import asyncio

import pytest

from agb.local.failures import SandboxError, ToolError

from ..support.answers import CELL, OK


async def test_t03_a_tool_that_says_no_is_an_error_with_a_null_message(api, fake_sandboxes):
    """T3: the tool's own words are in the content; the envelope's message does not hide them."""
    fake_sandboxes.answers["read_file"] = ToolError("No such file or directory: '/tmp/x'")
    session_id = await api.create()

    response = await api.tool(session_id, "read_file", path="/tmp/x")

    body = response.json()
    assert response.status_code == 200
    assert (body["success"], body["code"], body["message"]) == (True, "ok", None)
    assert body["data"] == {
        "content": [{"type": "text", "text": "No such file or directory: '/tmp/x'"}],
        "isError": True,
    }


@pytest.mark.parametrize("name", ["rm", "Shell", "call", "../shell", "x" * 1000])
async def test_an_unknown_tool_is_an_error_that_lists_the_known_ones(api, name):
    """A tool that this server lacks is never mistaken for one that worked."""
    session_id = await api.create()

    text, is_error = await api.tool_text(session_id, name)

    assert is_error
    assert "Unknown tool" in text
    assert "read_file" in text
    assert len(text) < 1000


async def test_a_fault_of_the_sandbox_is_told(api, fake_sandboxes):
    """A sandbox that could not do it at all fails the call with its own words."""
    fake_sandboxes.answers["shell"] = SandboxError("bad bytes")
    session_id = await api.create()

    response = await api.tool(session_id, "shell", command="true")

    assert response.json()["message"] == "bad bytes"


async def test_cells_of_one_language_run_one_after_the_other(api, fake_sandboxes):
    """A second python cell waits for the first, javascript and commands do not."""
    fake_sandboxes.answers.update(run_code=CELL, shell=OK)
    session_id = await api.create()
    sandbox = fake_sandboxes.opened[0]
    sandbox.may_answer.clear()
    cells = [
        asyncio.create_task(api.tool(session_id, "run_code", code=code, language="python"))
        for code in ("1", "2")
    ]
    await sandbox.started.wait()

    others = [
        asyncio.create_task(api.tool(session_id, "run_code", code="3", language="javascript")),
        asyncio.create_task(api.tool(session_id, "shell", command="true")),
    ]
    while len(sandbox.calls) < 3:
        await asyncio.sleep(0)

    assert {params.get("code") for _, params, _ in sandbox.calls} == {"1", "3", None}
    sandbox.may_answer.set()
    await asyncio.gather(*cells, *others)
    assert sandbox.calls[-1][1]["code"] == "2"


async def test_waiting_counts_against_the_limit_of_a_cell(api, fake_sandboxes):
    """A cell whose turn does not come within its own limit is answered and not run."""
    fake_sandboxes.answers["run_code"] = CELL
    session_id = await api.create()
    sandbox = fake_sandboxes.opened[0]
    sandbox.may_answer.clear()
    first = asyncio.create_task(api.tool(session_id, "run_code", code="1", language="python"))
    await sandbox.started.wait()

    text, is_error = await api.tool_text(
        session_id, "run_code", code="2", language="python", timeout_s=0.05
    )

    assert is_error
    assert text.startswith("Not run")
    sandbox.may_answer.set()
    await first
    assert len(sandbox.calls) == 1


async def test_a_file_operation_has_a_limit_of_its_own(make_api, fake_sandboxes):
    """A file operation that takes too long is cancelled inside and says so."""
    api = make_api(file_timeout_s=0.05)
    session_id = await api.create()
    sandbox = fake_sandboxes.opened[0]
    sandbox.may_answer.clear()

    text, is_error = await api.tool_text(session_id, "read_file", path="/slow")

    assert (text, is_error) == ("Timed out: read_file took longer than 0.05 s.", True)
    assert sandbox.cancelled == ["read_file"]


async def test_t08_the_sandbox_gets_time_beyond_the_limit_to_answer(make_api, fake_sandboxes):
    """T8: the sandbox enforces the limit; only silence well beyond it counts as a fault."""
    fake_sandboxes.answers["shell"] = OK
    api = make_api(reply_margin_s=7)
    session_id = await api.create()

    await api.tool(session_id, "shell", command="x", timeout_ms=2000)

    assert fake_sandboxes.opened[0].calls[0][2] == 9
