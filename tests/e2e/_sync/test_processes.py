"""Processes that go on by themselves, in a real sandbox."""

from __future__ import annotations

import pytest

from agb import (
    AGB,
    CommandError,
    CommandTimeoutError,
    ProcessOutput,
    Session,
    SessionError,
)

GONE = "while pgrep -f '^sleep {}'; do sleep 0.01; done"


def test_output_in_order(session: Session) -> None:
    """Both streams come apart, in the order of their writing, until the process ends."""
    command = "for n in 1 2; do echo out$n; echo err$n >&2; done; exit 3"
    process = (session.command.start(command)).unwrap()

    pieces = [(piece.stream, piece.text) for piece in process]

    assert pieces == [
        ("stdout", "out1\n"),
        ("stderr", "err1\n"),
        ("stdout", "out2\n"),
        ("stderr", "err2\n"),
    ]
    assert process.exit_code == 3
    done = process.wait()
    assert (done.stdout, done.stderr) == ("out1\nout2\n", "err1\nerr2\n")
    assert isinstance(done.exception, CommandError)


def test_a_conversation(session: Session) -> None:
    """What is sent comes back, at once, while the process runs."""
    with (session.command.start("cat")).unwrap() as process:
        for said in ("first\n", "zweité\n"):
            (process.send_stdin(said)).raise_for_error()
            heard = ""
            for piece in process:
                heard += piece.text
                if heard == said:
                    break
        (process.close_stdin()).raise_for_error()
        done = process.wait()

    assert (done.exit_code, done.stdout) == (0, "first\nzweité\n")
    late = process.send_stdin("more")
    assert "has ended" in late.error_message


def test_bytes(session: Session) -> None:
    """Bytes that are no text go in and come out as they are."""
    data = bytes(range(256)) * 2000
    process = (session.command.start("cat")).unwrap()
    (process.send_stdin(data)).raise_for_error()
    process.close_stdin()

    echoed = b"".join([piece.data for piece in process])

    assert echoed == data


def test_a_block_kills_the_group(session: Session) -> None:
    """At the end of the block the process and all that it started are gone."""
    with (session.command.start("sleep 71.5 & sleep 71.5 & wait")).unwrap() as process:
        assert process.exit_code is None

    assert (session.command.execute(GONE.format("71.5"), 5000)).success
    assert (process.wait()).exit_code == 137


def test_waiting_with_a_limit(session: Session) -> None:
    """A wait that takes too long ends, and the process goes on."""
    with (session.command.start("echo begun; sleep 72")).unwrap() as process:
        for _ in process:
            break
        late = process.wait(timeout_s=0.1)
        running = (session.command.list()).unwrap()

    assert isinstance(late.exception, CommandTimeoutError)
    assert (late.exit_code, late.stdout) == (None, "begun\n")
    assert [(info.process_id, info.is_running) for info in running] == [(process.process_id, True)]


def test_found_again(agb: AGB, session: Session) -> None:
    """Another client finds the process by its id or number, and reads all from its beginning."""
    started = (session.command.start("echo kept; cat")).unwrap()
    for _ in started:
        break

    with AGB.local() as other:
        elsewhere = (other.get(session.session_id)).unwrap()
        for key in (started.process_id, started.pid):
            found = (elsewhere.command.connect(key)).unwrap()
            assert (found.process_id, found.pid) == (started.process_id, started.pid)
        (found.send_stdin("from afar\n")).raise_for_error()
        (found.close_stdin()).raise_for_error()
        assert "".join([piece.text for piece in found]) == "kept\nfrom afar\n"

    assert (started.wait()).success
    missing = session.command.connect("process-99")
    assert "process-99" in missing.error_message


def test_output_nobody_reads(session: Session) -> None:
    """What nobody reads neither stops the process nor fills the memory, and is counted."""
    flood = "head -c 40000000 /dev/zero | tr '\\0' x"
    process = (session.command.start(flood)).unwrap()
    done = process.wait()
    seen: list[ProcessOutput] = []
    for piece in process:
        seen.append(piece)
        break
    metrics = (session.get_metrics()).unwrap()

    assert (done.exit_code, done.truncated) == (0, True)
    assert 0 < len(done.stdout) < 4_000_000
    assert seen[0].dropped_bytes + len(done.stdout) == 40_000_000
    assert metrics.mem_used < 150_000_000


def test_output_that_is_read_is_whole(session: Session) -> None:
    """A reader gets every byte of what is written faster than it reads."""
    flood = "head -c 10000000 /dev/zero | tr '\\0' x"
    process = (session.command.start(flood)).unwrap()

    length, dropped = 0, 0
    for piece in process:
        length, dropped = length + len(piece.data), dropped + piece.dropped_bytes

    assert (length, dropped) == (10_000_000, 0)


def test_nothing_is_kept(session: Session) -> None:
    """A process whose output is not kept runs the same, and has none."""
    started = session.command.start("echo x; exit 4", keep_output=False, stdin=False)

    done = started.unwrap().wait()

    assert (done.exit_code, done.stdout, done.truncated) == (4, "", False)


def test_where_and_with_what(session: Session) -> None:
    """A process starts where and with what it is told."""
    started = session.command.start('pwd; echo "$A"', cwd="/tmp", envs={"A": "é"})

    assert (started.unwrap().wait()).stdout == "/tmp\né\n"
    nowhere = session.command.start("true", cwd="/nowhere")
    assert "/nowhere" in nowhere.error_message


def test_it_ends_with_its_session(agb: AGB) -> None:
    """A session takes its processes with it, and a reader hears of that."""
    session = (agb.create()).unwrap()
    process = (session.command.start("sleep 73")).unwrap()
    (session.delete(wait=True)).raise_for_error()

    done = process.wait()
    assert isinstance(done.exception, SessionError)
    with pytest.raises(SessionError):
        for _ in process:
            pass
    process.close()


def test_input_and_check(session: Session) -> None:
    """A command takes input, and raises its failure if it is asked to."""
    assert (session.command.execute("sort", input="b\na\n")).stdout == "a\nb\n"
    assert (session.command.execute("od -An -tx1", input=b"\0\xff")).stdout == " 00 ff\n"
    with pytest.raises(CommandTimeoutError):
        session.command.execute("sleep 30", timeout_s=0.2, check=True)
    with pytest.raises(CommandError, match="exit code 5"):
        session.command.execute("exit 5", check=True)


def test_a_flood_is_said_to_be_cut(session: Session) -> None:
    """A command whose output was cut says so, and no other does."""
    flood = session.command.execute("yes | head -c 9000000", 30_000)

    assert (flood.success, flood.truncated) == (True, True)
    assert not (session.command.execute("true")).truncated


def test_a_cell_that_takes_too_long(session: Session) -> None:
    """A cell that was stopped at its limit has a type of its own; one that raises has not."""
    late = session.code.run("import time; time.sleep(30)", "python", 1)
    raised = session.code.run("raise TimeoutError('own')", "python")

    assert type(late.exception) is CommandTimeoutError
    assert type(raised.exception) is CommandError
