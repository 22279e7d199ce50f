"""Streams of a real server, frame by frame (wire-protocol 2.5, traps T27 and T28)."""

from __future__ import annotations

import contextlib
import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from ..support.servers import Server
from ..support.websocket import Refused, WebSocket, run_code

Connect = Callable[[], WebSocket]

# What the wire tells of a session that runs 0.12.0.
DIRECT_ROUTE = ("linkUrl", "LinkUrl")


@pytest.fixture(scope="module")
def created(server: Server) -> dict[str, str]:
    """What createSession tells of the session that the tests of this file share."""
    return server.send("POST /mcp/createSession?sdkStats=%7B%22sdk_version%22%3A%220.12.0%22%7D")[
        "data"
    ]


@pytest.fixture
def connect(server: Server, created: dict[str, str]) -> Iterator[Connect]:
    """Open sockets to the shared session; they are closed after the test."""
    opened: list[WebSocket] = []

    def connect_one() -> WebSocket:
        path = urlsplit(created["wsUrl"]).path
        opened.append(WebSocket(server.address, path, created["token"]))
        return opened[-1]

    yield connect_one
    for socket in opened:
        socket.socket.close()


def text_of(told: list[dict], kind: str) -> str:
    return "".join(data["chunk"] for data in told if data.get("eventType") == kind)


def error_of(told: list[dict]) -> dict[str, str]:
    """The error of a stream that failed; what ends it says the same."""
    (error,) = [data["error"] for data in told if data.get("eventType") == "error"]
    assert told[-1]["status"] == "failed"
    assert told[-1]["executionError"] == error["message"]
    assert error["traceId"]
    return error


def test_t27_what_a_session_tells(server, created):
    """T27: a session tells address and token of its streams, its tools, and no direct route."""
    found = server.send("POST /mcp/getSession", json.dumps({"sessionId": created["sessionId"]}))

    for data in (created, found["data"]):
        assert data["wsUrl"].startswith(f"ws://{server.address}/")
        assert len(data["token"]) > 40
        assert {"name": "run_code", "server": "local"} in json.loads(data["toolList"])
        assert not data.keys() & set(DIRECT_ROUTE)


def test_a_stream(connect):
    """Output comes while the code runs, then what it showed, its value and its end."""
    socket = connect()
    socket.send(
        run_code(
            "a",
            "import sys, time\n"
            "print('é')\n"
            "while not __import__('os').path.exists('go'): time.sleep(0.01)\n"
            "sys.stderr.write('err')\n"
            "from IPython.display import HTML\n"
            "display(HTML('<b>x</b>'))\n"
            "42",
        )
    )

    first = socket.receive()
    assert first == {
        "invocationId": "a",
        "source": "wuying_codespace",
        "target": "SDK",
        "data": {"phase": "event", "seq": 1, "eventType": "stdout", "chunk": "é\n"},
    }
    helper = connect()
    helper.send(run_code("b", "require('fs').writeFileSync('go', '')", language="javascript"))
    if shutil.which("node") is None:
        assert "Node.js" in error_of(helper.until_end("b"))["message"]
        return
    helper.until_end("b")
    told = socket.until_end("a")
    assert text_of(told, "stderr") == "err"
    assert [data["seq"] for data in told[:-1]] == list(range(2, len(told) + 1))
    html, value = [data["result"] for data in told if data.get("eventType") == "result"]
    assert (html["isMainResult"], html["mime"]["text/html"]) == (False, "<b>x</b>")
    assert value == {"isMainResult": True, "mime": {"text/plain": "42"}}
    end = told[-1]
    assert (end["status"], end["executionError"]) == ("finished", None)
    assert end["executionCount"] == 1
    assert end["executionTime"] > 0


def test_t28_code_that_fails(connect):
    """T28: an error is an object; the traceback is on stderr; the end says why."""
    socket = connect()
    socket.send(run_code("a", "print('before')\n1 / 0"))

    told = socket.until_end("a")

    error = error_of(told)
    assert (error["code"], error["message"]) == (
        "ExecutionError",
        "ZeroDivisionError: division by zero",
    )
    assert text_of(told, "stdout") == "before\n"
    assert "Traceback" in text_of(told, "stderr")


def test_a_time_limit(connect):
    """A cell that takes too long is interrupted; what it wrote, and its variables, are kept."""
    socket = connect()
    socket.send(run_code("a", "kept = 7\nprint('begun')\nwhile True: pass", timeoutS=1))
    told = socket.until_end("a")
    socket.send(run_code("b", "print(kept)"))

    assert "took longer than 1 s" in error_of(told)["message"]
    assert text_of(told, "stdout") == "begun\n"
    assert text_of(socket.until_end("b"), "stdout") == "7\n"


def test_streams_share_a_socket(connect):
    """Streams of one socket run at once, each under the name that the client gave it."""
    socket = connect()
    names = ["a", "b", "c"]
    for name in names:
        socket.send(run_code(name, f"print('{name}')"))
    frames = []
    while sum(frame["data"]["phase"] == "end" for frame in frames) < len(names):
        frames.append(socket.receive())

    for name in names:
        told = [frame["data"] for frame in frames if frame["invocationId"] == name]
        assert text_of(told, "stdout") == f"{name}\n"
        assert told[-1]["status"] == "finished"


def test_closing_the_socket_ends_its_cells(connect, server, created):
    """A cell whose socket was closed is interrupted; the session and its variables go on."""
    socket = connect()
    socket.send(
        run_code(
            "a",
            "import time\nmark = 'running'\n"
            "try:\n    print(mark)\n    time.sleep(300)\n"
            "except KeyboardInterrupt:\n    mark = 'interrupted'\n",
        )
    )
    assert socket.receive()["data"]["chunk"] == "running\n"
    socket.socket.close()

    text = server.text(
        created["sessionId"], "run_code", '{"code": "mark", "language": "python", "timeout_s": 30}'
    )
    assert "interrupted" in text


def test_a_reader_that_does_not_read(connect, server, created):
    """A cell that floods a reader waits for it; meanwhile other calls of the session are served."""
    socket = connect()
    size = 40_000_000
    socket.send(run_code("a", f"import sys\nwritten = sys.stdout.write('x' * {size})"))
    for number in range(20):
        text = server.text(created["sessionId"], "shell", '{"command": "echo ok"}')
        assert "ok" in text, number

    told = socket.until_end("a")
    assert len(text_of(told, "stdout")) == size
    assert told[-1]["status"] == "finished"


def memory_of(pid: int) -> int:
    """The bytes of memory that a process has for itself."""
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.split("RssAnon:")[1].split()[0]) * 1024


def test_a_flood_that_nobody_reads(connect, server, created):
    """A cell that floods an absent reader costs the server no memory, and ends at its limit."""
    socket = connect()
    before = memory_of(server.pid)
    socket.send(run_code("a", "while True: print('x' * 1000)", timeoutS=1))
    # It gets its turn when the flood has ended.
    server.tool(created["sessionId"], "run_code", '{"code": "1", "language": "python"}')
    grown = memory_of(server.pid) - before

    told = socket.until_end("a")

    assert grown < 30_000_000
    assert "took longer than 1 s" in error_of(told)["message"]
    assert text_of(told, "stdout").startswith("x" * 1000 + "\n")


@pytest.mark.parametrize(
    ("frame", "code"),
    [
        (b"\0\1", 1003),
        ("not JSON", 1003),
        ("[1]", 1003),
        ("[" * 100_000, 1003),
        ("{}", 1008),
        ('{"invocationId": 5}', 1008),
        ('{"invocationId": ""}', 1008),
        (json.dumps({"invocationId": "x" * 201}), 1008),
    ],
)
def test_frames_of_no_stream(connect, frame, code):
    """A frame that belongs to no stream closes the socket, with a code and a reason."""
    socket = connect()
    socket.send(frame)

    ended, reason = socket.closing()
    assert ended == code
    assert reason


def test_a_name_in_use(connect):
    """A second stream of the same name closes the socket: nobody could tell them apart."""
    socket = connect()
    socket.send(run_code("a", "import time; time.sleep(60)"))
    socket.send(run_code("a", "1"))

    assert socket.closing() == (1008, "invocationId is in use")


def test_a_frame_that_is_too_long(server, connect):
    """A frame over the limit of a request is refused before all of it has come."""
    socket = connect()
    # A text frame of 64 MiB, masked with zeros.
    head = b"\x81\xff" + (64 << 20).to_bytes(8, "big") + bytes(4)
    with contextlib.suppress(ConnectionError):
        socket.socket.sendall(head + b"x" * (33 << 20))
        assert socket.closing()[0] == 1009
    assert server.send("GET /sdk/ListSession")["success"]


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (None, "data must be a JSON object"),
        ("{", "data is not valid JSON"),
        ({}, "method must be one of"),
        ({"method": "shell"}, "method must be one of"),
        ({"method": ["run_code"]}, "method must be one of"),
        ({"method": "run_code", "mode": "once"}, "mode must be"),
        ({"method": "run_code"}, "params must be a JSON object"),
        ({"method": "run_code", "params": {}}, "code is required"),
        ({"method": "run_code", "params": {"code": 1, "language": "python"}}, "code"),
        ({"method": "run_code", "params": {"code": "1", "language": "cobol"}}, "language"),
        (
            {"method": "run_code", "params": {"code": "1", "language": "python", "timeoutS": "x"}},
            "timeout_s",
        ),
    ],
)
def test_requests_that_are_refused(connect, data, said):
    """What a stream can't do is told in that stream; the socket goes on."""
    socket = connect()
    socket.send({"invocationId": "a", "data": data})
    told = socket.until_end("a")
    socket.send(json.dumps({**run_code("b", "1"), "data": json.dumps(run_code("b", "1")["data"])}))

    assert said in error_of(told)["message"]
    assert socket.until_end("b")[-1]["status"] == "finished"


def test_who_may_not_connect(server, created):
    """Without the session's own token nobody streams in it; an unknown session is not found."""
    path = urlsplit(created["wsUrl"]).path
    other = server.send("POST /mcp/createSession")["data"]
    for token in (None, "", "wrong", other["token"], server.ready["api_key"], "é"):
        with pytest.raises(Refused) as refused:
            WebSocket(server.address, path, token)
        assert refused.value.status == 401
        assert refused.value.envelope["code"] == "InvalidToken"
    with pytest.raises(Refused) as refused:
        WebSocket(server.address, "/stream/session-of-nobody", created["token"])
    assert refused.value.status == 400
    assert refused.value.envelope["code"] == "InvalidSession.NotFound"
    with pytest.raises(Refused):
        WebSocket(server.address, "/elsewhere", created["token"])


def test_a_session_that_ends_under_a_stream(server):
    """The streams of a session that is released end with it, and say so; so do later ones."""
    made = server.send("POST /mcp/createSession")["data"]
    with WebSocket(server.address, urlsplit(made["wsUrl"]).path, made["token"]) as socket:
        socket.send(run_code("a", "print('begun')\nimport time; time.sleep(60)"))
        assert socket.receive()["data"]["chunk"] == "begun\n"
        server.send("POST /mcp/releaseSession", json.dumps({"sessionId": made["sessionId"]}))
        ended = error_of(socket.until_end("a"))
        socket.send(run_code("b", "1"))
        later = error_of(socket.until_end("b"))

    assert ended["code"] == later["code"] == "InvalidSession.NotFound"


def test_more_streams_than_one_socket_has(connect):
    """One socket has a limited number of streams; one too many is told so."""
    socket = connect()
    code = "import time; time.sleep(60)"
    for number in range(65):
        socket.send(run_code(str(number), code))

    told = socket.until_end("64")
    assert error_of(told)["code"] == "TooManyStreams"
