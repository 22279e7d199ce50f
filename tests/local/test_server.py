"""How a real server begins and ends, and what it leaves: nothing."""

import json
import os
import resource
import signal
import subprocess
import sys
import textwrap
import time

import pytest

from .support.processes import GONE_S

BLOCK = 'open("started", "w").close(); import time; time.sleep(4711)'
AWAIT_START = '{"command": "until [ -e started ]; do sleep 0.01; done", "timeout_ms": 20000}'


def shell(command: str) -> str:
    return json.dumps({"command": command, "timeout_ms": 60_000})


def begin(server, session_id: str, tool: str, arguments: str):
    """Send a tool call and leave its reply unread; return the connection once the work runs."""
    body = json.dumps({"args": arguments, "sessionId": session_id, "name": tool}).encode()
    connection = server.connect()
    connection.sendall(server.head("POST /mcp", body) + body)
    server.text(session_id, "shell", AWAIT_START)
    return connection


def busy_session(server) -> str:
    """A session with a command at work, a background process and a python with state."""
    session_id = server.create()
    server.text(session_id, "run_code", '{"code": "x = 1", "language": "python"}')
    server.text(session_id, "shell", shell("sleep 4712 & disown; setsid sleep 4713 &"))
    return session_id


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_the_server_with_all_its_sandboxes(start_server, family, monkeypatch, number):
    """SIGTERM and SIGINT: exit code 0, no process left, and soon."""
    monkeypatch.setenv("AGB_LOCAL_DRAIN", "0.1")
    server = start_server()
    busy_session(server)
    connection = begin(server, server.create(), "shell", shell("touch started; sleep 4711"))
    everyone = family(server.pid)
    assert len(everyone.pidfds) > 6

    os.kill(server.pid, number)

    assert everyone.alive_after(5) == []
    assert server.process.wait(1) == 0
    connection.close()


def test_a_call_in_flight_is_finished_before_the_end(start_server):
    """A server that is told to stop lets a call of a second come to its end."""
    server = start_server()
    connection = begin(server, server.create(), "shell", shell("touch started; sleep 1; echo x"))

    server.process.terminate()

    answer = b""
    while piece := connection.recv(65536):
        answer += piece
    connection.close()
    envelope = json.loads(answer.partition(b"\r\n\r\n")[2])
    assert json.loads(envelope["data"]["content"][0]["text"])["stdout"] == "x\n"


def test_a_call_in_flight_is_answered_at_the_end(start_server, monkeypatch):
    """A server that ends answers the calls it cuts off, in an envelope."""
    monkeypatch.setenv("AGB_LOCAL_DRAIN", "0.1")
    server = start_server()
    session_id = server.create()
    connection = begin(server, session_id, "shell", shell("touch started; sleep 4711"))

    server.process.terminate()

    answer = b""
    while piece := connection.recv(65536):
        answer += piece
    connection.close()
    envelope = json.loads(answer.partition(b"\r\n\r\n")[2])
    assert (envelope["success"], envelope["code"]) == (False, "ServerEnding")


def test_a_killed_server_leaves_no_process(start_server, family):
    """SIGKILL of the server ends every process below it within a second."""
    server = start_server()
    busy_session(server)
    connection = begin(server, server.create(), "shell", shell("touch started; sleep 4711"))
    everyone = family(server.pid)

    os.kill(server.pid, signal.SIGKILL)

    assert everyone.alive_after(GONE_S) == []
    connection.close()


OWNER = textwrap.dedent(
    """
    import os, subprocess, sys
    pidfd = os.pidfd_open(os.getpid())
    server = subprocess.Popen(
        [*sys.argv[1:], "--owner-fd", str(pidfd)], pass_fds=[pidfd], start_new_session=True
    )
    sys.stdin.read()
    """
)


def test_the_end_of_the_owner_ends_its_server(start_server, family, monkeypatch):
    """A server watches its owner by pidfd: soon after a SIGKILL nothing is left."""
    monkeypatch.setenv("AGB_API_KEY", "the key of a cloud account")
    serve = [sys.executable, "-m", "agb.local", "serve", "--port", "0", "--json"]
    owner = start_server(command=[sys.executable, "-c", OWNER, *serve], stdin=subprocess.PIPE)
    assert owner.pid != owner.process.pid
    assert owner.ready["api_key"] != os.environ["AGB_API_KEY"]
    busy_session(owner)
    everyone = family(owner.pid)
    assert owner.process.pid not in everyone.pidfds

    owner.process.kill()

    assert everyone.alive_after(GONE_S) == []


def test_the_end_of_standard_input_ends_an_owned_server(start_server, family):
    """Where there is no pidfd, the server ends with its standard input."""
    server = start_server("--owner-stdin", stdin=subprocess.PIPE)
    busy_session(server)
    everyone = family(server.pid)
    server.process.stdin.write("not the end yet\n")
    server.process.stdin.flush()
    server.create()

    server.process.stdin.close()

    assert everyone.alive_after(GONE_S) == []
    assert server.process.wait(1) == 0


def test_a_client_that_hangs_up_ends_its_command(start_server, family):
    """The processes of a command are gone within a second after its client; the session stays."""
    server = start_server()
    session_id = server.create()
    # After its first cell the session has all the processes that it keeps.
    server.text(session_id, "run_code", '{"code": "1", "language": "python"}')
    kept = family(server.pid)
    connection = begin(server, session_id, "shell", shell("touch started; sleep 4711 | cat"))
    started = family(server.pid).without(kept)
    assert len(started.pidfds) >= 2

    connection.close()

    assert started.alive_after(GONE_S) == []
    assert json.loads(server.text(session_id, "shell", shell("echo on")))["stdout"] == "on\n"


def test_a_client_that_hangs_up_interrupts_its_cell(start_server):
    """A cell ends within a second after its client, and the variables are kept."""
    server = start_server()
    session_id = server.create()
    server.text(session_id, "run_code", '{"code": "x = 41", "language": "python"}')
    code = json.dumps({"code": BLOCK, "language": "python", "timeout_s": 300})
    connection = begin(server, session_id, "run_code", code)

    connection.close()
    begun = time.monotonic()
    cell = server.text(session_id, "run_code", '{"code": "x + 1", "language": "python"}')

    assert time.monotonic() - begun < GONE_S
    assert '\\"42\\"' in cell


def test_memory_of_released_sessions_is_given_back(start_server):
    """A released session leaves no process and no open file in the server."""
    server = start_server()
    server.send("POST /mcp/releaseSession", json.dumps({"sessionId": server.create()}))
    before = len(os.listdir(f"/proc/{server.pid}/fd"))

    for _ in range(10):
        server.send("POST /mcp/releaseSession", json.dumps({"sessionId": server.create()}))

    # The last connections may not be closed on the server's side yet.
    assert len(os.listdir(f"/proc/{server.pid}/fd")) < before + 5


def test_many_connections_are_no_problem(start_server):
    """A server with few file descriptors goes on after it ran out of them."""
    server = start_server()
    resource.prlimit(server.pid, resource.RLIMIT_NOFILE, (40, 40))
    connections = [server.connect() for _ in range(60)]
    for connection in connections:
        connection.close()

    assert server.create()
