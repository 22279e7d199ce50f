"""Streaming code from a real sandbox."""

from __future__ import annotations

from agb import (
    AsyncAGB,
    AsyncSession,
    EndEvent,
    ErrorEvent,
    ResultEvent,
    StderrEvent,
    StdoutEvent,
)
from agb.exceptions import CommandError, CommandTimeoutError, SessionNotFoundError


async def test_output_while_the_code_runs(session: AsyncSession) -> None:
    """Output arrives before the code has ended: here it waits for an answer to what it wrote."""
    source = (
        "import os, time\nprint('are you there?')\n"
        "while not os.path.exists('answer') or not os.path.getsize('answer'): time.sleep(0.01)\n"
        "print(open('answer').read())"
    )
    heard = []
    async with session.code.stream(source, "python") as stream:
        async for event in stream:
            if event == StdoutEvent("are you there?\n"):
                assert (await session.file_system.write_file("answer", "yes ü")).success
            heard.append(event)

    assert [type(event) for event in heard] == [StdoutEvent, StdoutEvent, EndEvent]
    assert heard[1].text == "yes ü\n"
    assert stream.result.logs.stdout == ["are you there?\nyes ü\n"]
    assert stream.result.success
    assert stream.result.execution_count == 1
    assert stream.result.execution_time > 0


async def test_all_that_a_cell_tells(session: AsyncSession) -> None:
    """Both outputs, what is displayed and the value of the last line are events."""
    source = (
        "import sys\nfrom IPython.display import HTML\n"
        "print('out')\nprint('err', file=sys.stderr)\ndisplay(HTML('<b>'))\n6 * 7"
    )
    events = []
    async with session.code.stream(source, "python") as stream:
        async for event in stream:
            events.append(event)

    kinds = [type(event) for event in events]
    assert sorted(kind.__name__ for kind in kinds[:2]) == ["StderrEvent", "StdoutEvent"]
    assert kinds[2:] == [ResultEvent, ResultEvent, EndEvent]
    assert events[2].result.html == "<b>"
    assert events[3].result.is_main_result
    assert events[4].result.result == "42"
    assert (await session.code.run(source, "python")).logs == stream.result.logs


async def test_code_that_fails(session: AsyncSession) -> None:
    """Code that fails is told with its traceback, and is a failed result."""
    events = []
    async with session.code.stream("print('before')\n1 / 0", "python") as stream:
        async for event in stream:
            events.append(event)

    assert [type(each) for each in events] == [StdoutEvent, StderrEvent, ErrorEvent, EndEvent]
    assert events[2].error.name == "ZeroDivisionError"
    assert "Traceback" in events[2].error.traceback
    result = stream.result
    assert not result.success
    assert result.error_message == "ZeroDivisionError: division by zero"
    assert type(result.exception) is CommandError
    assert result.result == "before\n"


async def test_callbacks(session: AsyncSession) -> None:
    """Each callback gets what it is for, and the result is that of a call without callbacks."""
    out, err, errors, shown = [], [], [], []
    source = "import sys\nprint('é')\nprint('err', file=sys.stderr)\n[1]"
    result = await session.code.run_code(
        source,
        "python",
        on_stdout=out.append,
        on_stderr=err.append,
        on_error=errors.append,
        on_result=shown.append,
    )
    failed = await session.code.run("raise KeyError('x')", "py", on_error=errors.append)
    plain = await session.code.run(source, "python")

    assert ("".join(out), "".join(err)) == ("é\n", "err\n")
    assert [item.text for item in shown] == ["[1]"]
    assert (result.success, result.result) == (True, plain.result)
    assert (result.logs, result.results) == (plain.logs, plain.results)
    assert [error.name for error in errors] == ["KeyError"]
    assert not failed.success


async def test_streaming_without_a_callback(session: AsyncSession) -> None:
    """`stream_beta` alone streams as well; state is shared with calls that do not stream."""
    await session.code.run("kept = 5", "python", stream_beta=True)

    assert (await session.code.run("kept", "python")).result == "5"


async def test_a_time_limit(session: AsyncSession) -> None:
    """A stream over its time limit ends with what was told until then; variables are kept."""
    out = []
    late = await session.code.run(
        "kept = 1\nprint('begun')\nwhile True: pass", "python", 1, on_stdout=out.append
    )
    after = await session.code.run("kept", "python")

    assert type(late.exception) is CommandTimeoutError
    assert (out, late.result) == (["begun\n"], "begun\n")
    assert after.result == "1"


async def test_a_long_output(session: AsyncSession) -> None:
    """Every character arrives, whatever the length; the result keeps the beginning."""
    size = 6_000_000
    heard = 0
    async with session.code.stream(f"print('é' * {size})", "python") as stream:
        async for event in stream:
            if isinstance(event, StdoutEvent):
                assert set(event.text) <= {"é", "\n"}
                heard += len(event.text)

    assert heard == size + 1
    assert "output truncated" in stream.result.logs.stdout[0]
    assert len(stream.result.logs.stdout[0]) < size


async def test_javascript(session: AsyncSession) -> None:
    """JavaScript is streamed; without Node.js the error says what to install."""
    out = []
    result = await session.code.run("console.log('hi'); 6 * 7", "js", on_stdout=out.append)

    if not result.success:
        assert "Node.js" in result.error_message
        return
    assert out == ["hi\n"]
    assert result.result == "42"


async def test_leaving_a_stream_interrupts_the_code(session: AsyncSession) -> None:
    """Code whose stream is left is interrupted at once; a later cell sees its variables."""
    source = (
        "import time\nstate = 'running'\ntry:\n    print(state)\n    time.sleep(300)\n"
        "except KeyboardInterrupt:\n    state = 'interrupted'\n"
    )
    async with session.code.stream(source, "python", 300) as stream:
        async for event in stream:
            assert event == StdoutEvent("running\n")
            break
    # Its turn comes when the first one is over.
    after = await session.code.run("state", "python")

    assert after.result == "'interrupted'"


async def test_a_session_found_by_its_id(agb: AsyncAGB, session: AsyncSession) -> None:
    """A session that was found, or made by hand, can be streamed, too."""
    found = (await agb.get(session.session_id)).unwrap()
    by_hand = AsyncSession(agb, session.session_id)
    for each in (found, by_hand):
        assert (await each.code.run("print(1)", "python", stream_beta=True)).success
    assert by_hand.ws_url == found.ws_url == session.ws_url
    assert by_hand.get_token() == session.get_token()


async def test_a_session_that_is_gone(agb: AsyncAGB) -> None:
    """A stream in a session that was deleted fails by name."""
    session = (await agb.create()).unwrap()
    await session.delete()
    heard = []
    result = await session.code.run("1", "python", on_error=heard.append)

    assert type(result.exception) is SessionNotFoundError
    assert [error.name for error in heard] == ["SessionNotFoundError"]
