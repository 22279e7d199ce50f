"""The tools for processes, over a sandbox that pretends."""

import asyncio
import json

PROCESS = {"process_id": "process-1", "pid": 7, "command": "x", "exit_code": None, "more": 1}
OUTPUT = {
    "output": [{"stream": "stderr", "data": "eA==", "more": 1}],
    "cursor": 1,
    "dropped": 0,
    "exit_code": None,
    "end": False,
}


async def test_replies_are_json_objects_of_what_is_promised(api, fake_sandboxes):
    """What else a sandbox says of a process is not passed on."""
    fake_sandboxes.answers.update(
        start_process=PROCESS, list_processes={"processes": [PROCESS]}, read_process_output=OUTPUT
    )
    session_id = await api.create()
    described = {"process_id": "process-1", "pid": 7, "command": "x", "exit_code": None}

    async def reply(tool, **arguments):
        text, is_error = await api.tool_text(session_id, tool, **arguments)
        assert not is_error
        return json.loads(text)

    assert await reply("start_process", command="x") == described
    assert await reply("list_processes") == {"processes": [described]}
    assert await reply("read_process_output", process_id="process-1") == {
        **OUTPUT,
        "output": [{"stream": "stderr", "data": "eA=="}],
    }


async def test_those_that_wait_keep_no_others_waiting(make_api, fake_sandboxes):
    """Calls that wait for something have slots of their own by kind, as many as they may."""
    api = make_api(calls_per_session=1, waiting_calls_per_session=2)
    fake_sandboxes.answers.update(
        wait_process=PROCESS, list_processes={"processes": []}, write_process_stdin={"written": 0}
    )
    session_id = await api.create()
    sandbox = fake_sandboxes.opened[0]
    sandbox.may_answer.clear()
    waiting = [
        asyncio.create_task(api.tool(session_id, "wait_process", process_id="p", wait_s=20))
        for _ in range(3)
    ]
    while len(sandbox.calls) < 2:
        await asyncio.sleep(0)

    others = [
        asyncio.create_task(api.tool(session_id, "list_processes")),
        asyncio.create_task(api.tool(session_id, "write_process_stdin", process_id="p", data="")),
    ]
    while len(sandbox.calls) < 4:
        await asyncio.sleep(0)

    asked = sorted(method for method, *_ in sandbox.calls)
    assert asked == ["list_processes", "wait_process", "wait_process", "write_process_stdin"]
    sandbox.may_answer.set()
    await asyncio.gather(*others, *waiting)
    assert len(sandbox.calls) == 5


async def test_a_call_that_waited_for_its_turn_waits_no_longer(make_api, fake_sandboxes):
    """Waiting for a slot counts as waiting: the call then only looks."""
    api = make_api(waiting_calls_per_session=1)
    fake_sandboxes.answers["wait_process"] = PROCESS
    session_id = await api.create()
    sandbox = fake_sandboxes.opened[0]
    sandbox.may_answer.clear()
    first = asyncio.create_task(api.tool(session_id, "wait_process", process_id="first", wait_s=20))
    await sandbox.started.wait()
    second = asyncio.create_task(
        api.tool(session_id, "wait_process", process_id="second", wait_s=0.1)
    )
    # The point is that it waits for as long as it would have waited inside.
    await asyncio.sleep(0.25)
    sandbox.may_answer.set()
    await asyncio.gather(first, second)

    assert [params["wait_s"] for _, params, _ in sandbox.calls] == [20, 0]
