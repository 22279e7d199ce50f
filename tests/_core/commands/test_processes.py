"""Processes that go on by themselves: what is sent, and what follows from the answers."""

import base64
import json
import signal

import pytest

from agb._core.commands import processes
from agb._core.commands.process_output import Unread
from agb._core.commands.process_results import ProcessInfo, ProcessOutput
from agb._core.exceptions import (
    APIConnectionError,
    APIError,
    CommandError,
    CommandTimeoutError,
    SessionNotFoundError,
    UnsupportedError,
)
from agb._core.tools import tool_calls
from agb._core.tools.offers import Offers, Place
from agb._core.wire import replies, retry

from ..scripted import DEAD_SESSION, PLACE, assert_refused, envelope, play, tool_failure, tool_text

NAMES = [
    "start_process",
    "list_processes",
    "read_process_output",
    "wait_process",
    "write_process_stdin",
    "close_process_stdin",
    "signal_process",
]
FACTS = {"process_id": "process-1", "pid": 7, "command": "true", "exit_code": None}
INFO = ProcessInfo("process-1", 7, "true")


@pytest.fixture
def place():
    """A session of a service that is known to have the tools."""
    offers = Offers("https://api.test")
    listed = play(offers.require("i", NAMES[0]), envelope([{"name": name} for name in NAMES]))
    assert len(listed.calls) == 1
    return Place("s-1", "i", offers)


def told(**facts):
    return tool_text(json.dumps({**FACTS, **facts}))


def output(*pieces, cursor, dropped=0, exit_code=None, end=False):
    listed = [{"stream": s, "data": base64.b64encode(data).decode()} for s, data in pieces]
    facts = {"cursor": cursor, "dropped": dropped, "exit_code": exit_code, "end": end}
    return tool_text(json.dumps({"output": listed, **facts}))


def start(place, command="true", cwd=None, envs=None, stdin=True, keep_output=True):
    return processes.start(place, command, cwd, envs, stdin, keep_output, lambda info: info)


OPERATIONS = {
    "start_process": lambda place: start(place),
    "list_processes": lambda place: processes.list_all(place),
    "connect": lambda place: processes.connect(place, "p", lambda info: info),
    "wait_process": lambda place: processes.wait(place, "p", None),
    "write_process_stdin": lambda place: processes.send_stdin(place, "p", "x", None),
    "close_process_stdin": lambda place: processes.close_stdin(place, "p"),
    "signal_process": lambda place: processes.send_signal(place, "p", "KILL"),
}
every_operation = pytest.mark.parametrize("operation", OPERATIONS.values(), ids=OPERATIONS)


@every_operation
def test_a_service_without_processes_is_not_called(operation):
    """Where a tool is missing the call fails before anything is run."""
    fresh = Place("s-1", "", Offers("https://api.test"))
    played = play(operation(fresh), envelope('[{"name": "shell"}]'))

    assert [call.path for call in played.calls] == ["/mcp/listTools"]
    assert type(played.result.exception) is UnsupportedError
    assert "https://api.test" in played.result.error_message


@every_operation
@pytest.mark.parametrize("failed", [tool_failure, lambda text: envelope_of_failure(text)])
def test_an_unknown_tool_is_not_supported(place, operation, failed):
    """A service that lists a tool and then does not know it does not support it."""
    tool = play(operation(place), DEAD_SESSION).calls[0].name

    result = play(operation(place), failed(f"Unknown tool {tool!r}.")).result

    assert type(result.exception) is UnsupportedError
    assert (result.exception.tool, result.exception.endpoint) == (tool, "https://api.test")


def envelope_of_failure(text):
    return envelope(None, success=False, message=text)


@every_operation
@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (tool_failure("no"), CommandError),
        (DEAD_SESSION, SessionNotFoundError),
        (APIConnectionError("gone"), APIConnectionError),
    ],
)
def test_a_failure_is_a_failed_result(place, operation, answer, kind):
    """Whatever goes wrong, the result says so, and with its type."""
    result = play(operation(place), answer).result

    assert (result.success, type(result.exception)) == (False, kind)


def test_start_sends_what_it_is_given(place):
    """A start has the command line, its place, and what becomes of input and output."""
    played = play(
        start(place, "x", "/tmp", {"A": "1"}, stdin=False, keep_output=False), told(command="x")
    )

    assert played.arguments == [
        {
            "command": "x",
            "cwd": "/tmp",
            "envs": {"A": "1"},
            "stdin": False,
            "keep_output": False,
        }
    ]
    assert played.result.unwrap() == ProcessInfo("process-1", 7, "x")


@pytest.mark.parametrize(
    ("given", "phrase"),
    [
        ({"command": ""}, "command"),
        ({"command": "a\0"}, "NUL"),
        ({"command": b"x"}, "command"),
        ({"cwd": ""}, "cwd"),
        ({"envs": {"A": 1}}, "envs"),
    ],
    ids=str,
)
def test_start_is_checked_before_anything_is_sent(given, phrase):
    """Arguments that can't be used fail without a request."""
    assert_refused(play(start(PLACE, **given)), phrase)


@pytest.mark.parametrize("text", ["", "no JSON", "[]", "{}", '{"process_id": "p"}', '{"pid": 1}'])
def test_a_start_without_an_id_is_a_failure(place, text):
    """A process that can't be found again was not started."""
    assert type(play(start(place), tool_text(text)).result.exception) is APIError


def test_list(place):
    """Processes are listed as they come, running or not."""
    listed = tool_text(json.dumps({"processes": [FACTS, {**FACTS, "pid": 8, "exit_code": 3}]}))

    result = play(processes.list_all(place), listed).result

    assert [*result] == result.unwrap() == [INFO, ProcessInfo("process-1", 8, "true", 3)]
    assert [info.is_running for info in result] == [True, False]


@pytest.mark.parametrize(
    ("wanted", "found"), [("b", "b"), (7, "b"), (8, "c"), ("7", None), (9, None)]
)
def test_connect(place, wanted, found):
    """A process is found by its id or its number, which belongs to the newest that has it."""
    facts = [{"process_id": name, "pid": pid} for name, pid in (("a", 7), ("b", 7), ("c", 8))]
    listed = tool_text(json.dumps({"processes": facts}))

    result = play(processes.connect(place, wanted, lambda info: info), listed).result

    assert (result.process.process_id if result.success else None) == found
    assert result.success or repr(wanted) in result.error_message


@pytest.mark.parametrize("process_id", ["", " ", None, 0, True, 1.5])
def test_connect_is_checked(process_id):
    """What can't be an id fails without a request."""
    played = play(processes.connect(PLACE, process_id, lambda info: info))

    assert_refused(played, "process_id")


def read_all(place, unread, *script):
    """Read until there is nothing more; the last piece is None."""

    def whole():
        pieces = []
        while not pieces or pieces[-1] is not None:
            pieces.append((yield from processes.read(place, "p", unread)))
        return pieces

    return play(whole(), *script)


def test_reading_asks_from_where_it_is(place):
    """Each question names the position after the last answer, and waits a bounded time."""
    played = read_all(
        place,
        Unread(),
        output(("stdout", b"ab"), ("stderr", b"c"), cursor=3),
        output(cursor=3),
        output(("stdout", b"d"), cursor=4, exit_code=0, end=True),
    )

    assert [piece and piece.text for piece in played.result] == ["ab", "c", "d", None]
    assert [given["cursor"] for given in played.arguments] == [0, 3, 3]
    assert {given["wait_s"] for given in played.arguments} == {20.0}
    assert {call.time_limit_s for call in played.calls} == {20.0}
    assert played.pauses == [0.1]  # after the one that brought nothing


def test_an_error_while_reading_is_raised_and_loses_nothing(place):
    """There is no result to say it in; the next attempt goes on where this one failed."""
    unread = Unread()
    with pytest.raises(APIConnectionError):
        read_all(place, unread, APIConnectionError("gone"))

    played = read_all(place, unread, output(("stdout", b"a"), cursor=1, exit_code=0, end=True))
    assert played.result == [ProcessOutput("stdout", "a", b"a"), None]


def test_of_two_readers_of_a_handle_each_piece_goes_to_one(place):
    """A reader whose question was overtaken by another one's drops the answer."""
    unread = Unread()
    slow = processes.read(place, "p", unread)
    asked = next(slow)
    answer = output(("stdout", b"a"), cursor=1)
    fast = play(processes.read(place, "p", unread), answer)
    assert fast.result == ProcessOutput("stdout", "a", b"a")

    asked_next = slow.send(replies.read(asked, 200, "", answer.content))

    assert asked_next.arguments["cursor"] == 1


def test_wait_collects_what_was_kept(place):
    """A process that ended gives its exit code and its output, also if it was read before."""
    played = play(
        processes.wait(place, "p", None),
        told(),
        told(exit_code=0),
        output(("stdout", b"a\xc3"), ("stderr", b"w"), cursor=3),
        output(("stdout", b"\xa9"), cursor=4, exit_code=0, end=True),
    )

    result = played.result
    assert (result.success, result.exit_code, result.stdout, result.stderr) == (True, 0, "aé", "w")
    assert (result.output, result.error_message, result.truncated) == ("aéw", "", False)
    assert played.pauses == [0.1]


def test_wait_for_a_failure(place):
    """A process that failed is a failed result with its standard error as the reason."""
    for stderr, reason in ((b"why\n", "why"), (b"", "The command ended with exit code 3")):
        result = play(
            processes.wait(place, "p", 5),
            told(exit_code=3),
            output(("stderr", stderr), cursor=len(stderr), exit_code=3, end=True),
        ).result

        assert (result.success, result.exit_code, result.error_message) == (False, 3, reason)
        assert type(result.exception) is CommandError


def test_wait_says_that_output_is_missing(place):
    """Output that made room for later output is told by `truncated`."""
    result = play(
        processes.wait(place, "p", None),
        told(exit_code=0),
        output(("stdout", b"end"), cursor=103, dropped=100, exit_code=0, end=True),
    ).result

    assert (result.stdout, result.truncated) == ("end", True)


def test_wait_with_a_limit(place):
    """A process that goes on beyond the limit is a failed result, with its output so far."""
    played = play(
        processes.wait(place, "p", 25.5),
        told(),
        told(),
        output(("stdout", b"so far"), cursor=6),
        output(cursor=6),
    )

    assert [given["wait_s"] for given in played.arguments[:2]] == [20.0, 5.5]
    result = played.result
    assert (result.success, result.exit_code, result.stdout) == (False, None, "so far")
    assert type(result.exception) is CommandTimeoutError
    assert result.error_message == "p has not ended within 25.5 s; it goes on"


@pytest.mark.parametrize("timeout_s", [0, -1, True, "1", float("nan")])
def test_limits_are_checked(timeout_s):
    """A limit that can't be waited for fails without a request."""
    assert_refused(play(processes.wait(PLACE, "p", timeout_s)), "timeout_s")
    assert_refused(play(processes.send_stdin(PLACE, "p", "x", timeout_s)), "timeout_s")


def written(number):
    return tool_text(json.dumps({"written": number}))


def sent(played):
    return [base64.b64decode(given["data"]) for given in played.arguments]


@pytest.mark.parametrize(
    ("data", "expected"),
    [("é\n", b"\xc3\xa9\n"), (b"\0\xff", b"\0\xff"), (bytearray(b"x"), b"x"), ("", b"")],
)
def test_input_travels_as_bytes(place, data, expected):
    """Text is sent as UTF-8, bytes as they are."""
    played = play(processes.send_stdin(place, "p", data, None), written(len(expected)))

    assert played.result.success
    assert sent(played) == [expected]


@pytest.mark.parametrize("data", [None, 5, ["x"], "\ud800"])
def test_input_must_be_text_or_bytes(data):
    """What is neither fails without a request."""
    assert_refused(play(processes.send_stdin(PLACE, "p", data, None)), "data")


def test_long_input_is_sent_in_pieces(place):
    """Input is sent piece by piece, and what was not taken is sent again."""
    data = bytes(range(256)) * 2000
    played = play(
        processes.send_stdin(place, "p", data, None),
        written(1 << 18),
        written(1000),
        written(len(data) - (1 << 18) - 1000),
    )

    assert played.result.success
    assert b"".join(sent(played)[:1]) + sent(played)[1][:1000] + sent(played)[2] == data
    assert played.pauses == [0.1]


def test_closing_the_input(place):
    """The end of the input is one call."""
    played = play(processes.close_stdin(place, "p"), tool_text("ok"))

    assert (played.result.success, played.arguments) == (True, [{"process_id": "p"}])


def test_input_that_is_not_taken_in_time(place):
    """A process that reads too little is named with what it took."""
    played = play(processes.send_stdin(place, "p", b"12345", 21), written(2), written(0))

    assert [given["wait_s"] for given in played.arguments] == [20.0, 1.0]
    assert type(played.result.exception) is CommandTimeoutError
    assert "took 2 of 5 bytes within 21 s" in played.result.error_message


@pytest.mark.parametrize("number", [None, -1, 2, "1", 0.5])
def test_an_impossible_number_of_bytes_is_refused(place, number):
    """A service can't have taken more than it was sent, nor less than nothing."""
    result = play(processes.send_stdin(place, "p", "x", None), written(number)).result

    assert type(result.exception) is APIError


@pytest.mark.parametrize(
    ("given", "name"),
    [
        ("KILL", "KILL"),
        ("sigterm", "TERM"),
        (9, "KILL"),
        (2, "INT"),
        (signal.SIGINT, "INT"),
        (signal.SIGTERM, "TERM"),
    ],
)
def test_signals_travel_by_name(place, given, name):
    """A signal is named as one likes, and sent by its name."""
    played = play(processes.send_signal(place, "p", given), told())

    assert played.arguments == [{"process_id": "p", "signal": name}]


@pytest.mark.parametrize("given", ["", "SEGV", 11, 0, None, 1.5, signal.SIGSEGV])
def test_other_signals_are_refused(given):
    """A signal that can't be sent fails without a request and names those that can."""
    assert_refused(play(processes.send_signal(PLACE, "p", given)), "signal", "TERM")


def test_what_may_be_asked_again():
    """Reading, waiting and listing change nothing; what does is never repeated."""
    repeated = {name for name in NAMES if retry.only_reads(tool_calls.tool("s-1", name, {}))}

    assert repeated == {"read_process_output", "wait_process", "list_processes"}
