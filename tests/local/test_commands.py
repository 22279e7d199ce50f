"""The command line of the server: what it prints, and how it ends."""

import json
import logging
import os
import re
import socket
import subprocess
import sys

import httpx
import pytest

from agb.local import logs

AGB = [sys.executable, "-m", "agb.local"]
SERVE = [*AGB, "serve"]


def run(*command: str, **variables: str) -> subprocess.CompletedProcess[str]:
    environment = {name: value for name, value in os.environ.items() if name != "AGB_API_KEY"}
    return subprocess.run(
        command, capture_output=True, text=True, timeout=60, env={**environment, **variables}
    )


def test_the_first_line_is_json_and_the_last(start_server):
    """With --json, stdout is one line: endpoint, key and process; the log says the tier."""
    server = start_server(stderr=subprocess.PIPE)

    assert set(server.ready) == {"endpoint", "api_key", "pid"}
    assert server.ready["pid"] == server.process.pid
    assert server.ready["endpoint"].startswith("http://127.0.0.1:")
    assert server.create()
    server.process.terminate()
    assert server.process.stdout.read() == ""
    (line,) = server.process.stderr.read().splitlines()
    assert re.search(r" INFO isolation: (full|standard) \(.*bubblewrap", line)


def test_the_key_is_random_unless_it_is_given(start_server, monkeypatch):
    """Two servers have two keys; AGB_API_KEY names one."""
    monkeypatch.delenv("AGB_API_KEY", raising=False)
    keys = {start_server().ready["api_key"] for _ in range(2)}
    monkeypatch.setenv("AGB_API_KEY", "my-key")

    assert len(keys) == 2
    assert all(len(key) >= 32 for key in keys)
    assert start_server().ready["api_key"] == "my-key"


def test_without_json_the_text_says_how_to_use_it(start_server, monkeypatch):
    """The text names endpoint and key in the form a shell takes."""
    monkeypatch.delenv("AGB_API_KEY", raising=False)
    process = subprocess.Popen([*SERVE, "--port", "0"], stdout=subprocess.PIPE, text=True)
    exports = {}
    for line in process.stdout:
        if line.strip().startswith("export "):
            name, _, value = line.strip().removeprefix("export ").partition("=")
            exports[name] = value
        if "Ctrl+C" in line:
            break

    response = httpx.post(
        f"{exports['AGB_ENDPOINT']}/mcp/listTools",
        headers={"authorization": f"Bearer {exports['AGB_API_KEY']}"},
    )

    process.terminate()
    process.stdout.close()
    process.wait(30)
    assert response.json()["success"] is True


def test_a_given_key_is_not_shown(start_server):
    """A key that the user has set does not appear on the screen."""
    process = subprocess.Popen(
        [*SERVE, "--port", "0"],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "AGB_API_KEY": "secret-key"},
    )
    lines = []
    for line in process.stdout:
        lines.append(line)
        if "Ctrl+C" in line:
            break

    process.terminate()
    process.stdout.close()
    process.wait(30)
    assert lines
    assert "secret-key" not in "".join(lines)


def test_a_taken_port_is_one_clear_line(start_server):
    """A server that can't listen says why in one line and exits with 1."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]

        ended = run(*SERVE, "--port", str(port))

    assert ended.returncode == 1
    assert ended.stdout == ""
    assert ended.stderr.count("\n") == 1
    assert f"127.0.0.1 port {port}" in ended.stderr
    assert "in use" in ended.stderr


@pytest.mark.parametrize("host", ["no.such.host.invalid", "256.1.1.1", ""])
def test_a_host_that_does_not_exist_is_one_clear_line(host):
    """An address that can't be resolved is named, without a traceback."""
    ended = run(*SERVE, "--host", host, "--port", "0")

    assert ended.returncode == 1
    assert ended.stderr.count("\n") == 1
    assert "Traceback" not in ended.stderr


@pytest.mark.parametrize(
    "options", [("serve", "--port", "0", "--json"), ("doctor", "--json"), ("doctor",)]
)
def test_what_cannot_be_printed_is_one_line_and_a_failure(options):
    """A server whose stdout is gone ends, as nobody would learn its address; so does the doctor."""
    with open("/dev/full", "w") as full:
        ended = subprocess.run(
            [*AGB, *options],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            timeout=60,
        )

    assert ended.returncode == 1
    (said,) = [line for line in ended.stderr.splitlines() if " INFO " not in line]
    assert "No space left" in said


def test_an_owner_that_cannot_be_watched_is_one_clear_line():
    """A server that could not notice the end of its owner does not start."""
    ended = run(*SERVE, "--port", "0", "--json", "--owner-fd", "999")

    assert (ended.returncode, ended.stdout) == (1, "")
    assert ended.stderr.count("\n") == 1


@pytest.mark.parametrize("options", [["--port", "x"], ["--port", "70000"], ["--nope"], ["extra"]])
def test_wrong_options_are_usage_errors(options):
    """What the command line does not know ends with 2 and says what is wrong."""
    ended = run(*SERVE, *options)

    assert ended.returncode == 2
    assert ended.stdout == ""
    assert "Error" in ended.stderr


def test_help_names_the_options_for_people_only():
    """`agb serve --help` shows host, port and --json, not the options of the embedded mode."""
    ended = run(*SERVE, "--help", COLUMNS="200", TERM="dumb")

    assert ended.returncode == 0
    assert all(option in ended.stdout for option in ("--host", "--port", "--json"))
    assert "owner" not in ended.stdout


def test_an_unfit_machine_is_told_apart():
    """A machine that can't run sandboxes: the paragraph on stderr, exit code 3, no ready line."""
    ended = run(*SERVE, "--port", "0", "--json", AGB_LOCAL_BWRAP="/nonexistent/bwrap")

    assert ended.returncode == 3
    assert ended.stdout == ""
    assert "/nonexistent/bwrap" in ended.stderr
    assert "Traceback" not in ended.stderr


def test_listening_to_other_machines_is_warned_about(start_server):
    """An address that others can reach works, with a warning on stderr."""
    server = start_server("--host", "0.0.0.0", stderr=subprocess.PIPE)

    assert server.create()
    assert server.ready["endpoint"].startswith("http://127.0.0.1:")
    server.process.terminate()
    assert "other machines" in server.process.stderr.read()


def test_ipv6_works(start_server):
    """An IPv6 address is written in brackets."""
    if not socket.has_ipv6:
        pytest.skip("no IPv6 here")
    server = start_server("--host", "::1")

    response = httpx.post(
        f"{server.ready['endpoint']}/mcp/listTools",
        headers={"authorization": f"Bearer {server.ready['api_key']}"},
    )

    assert server.ready["endpoint"].startswith("http://[::1]:")
    assert response.json()["success"] is True


def test_the_log_shows_no_key_and_no_code(start_server):
    """Whatever goes wrong, neither the key nor a body is written to stderr."""
    server = start_server(stderr=subprocess.PIPE)
    session_id = server.create()
    server.tool(session_id, "run_code", '{"code": "s3cret + 1", "language": "python"}')
    server.tool(session_id, "nope", '{"password": "s3cret"}')
    server.raw(b"GARBAGE\r\n\r\n")
    server.raw(b"GET /s3cret HTTP/1.1\r\n\r\n")
    server.process.terminate()

    log = server.process.stderr.read()

    assert server.ready["api_key"] not in log
    assert "s3cret" not in log


@pytest.mark.parametrize(
    "request_bytes",
    [
        b"GARBAGE\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\nbad header\r\n\r\n",
        b"POST /mcp HTTP/1.1\r\nHost: x\r\nContent-Length: x\r\n\r\n",
        b"GET /" + b"x" * 500_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n",
    ],
)
def test_t31_what_is_not_http_is_answered_in_an_envelope(server, request_bytes):
    """T31: even a request that can't be parsed, or whose head is too long, is answered in JSON."""
    response, body = server.raw(request_bytes)

    envelope = json.loads(body)
    assert response.status == envelope["httpStatusCode"] == 400
    assert (envelope["success"], envelope["code"]) == (False, "InvalidRequest")
    assert response.headers["x-request-id"] == envelope["requestId"]


@pytest.mark.parametrize("chunked", [False, True])
def test_an_oversized_body_is_refused_over_a_socket(server, chunked):
    """A body beyond 32 MiB is 413; the client gets to read the reply."""
    size = 33 * 1024 * 1024

    def pieces():
        for _ in range(size // 65536):
            yield b" " * 65536

    response = httpx.post(
        f"{server.ready['endpoint']}/mcp",
        headers={"authorization": f"Bearer {server.ready['api_key']}"},
        content=pieces() if chunked else b" " * size,
        timeout=60,
    )

    assert response.status_code == 413
    assert response.json()["code"] == "RequestTooLarge"


def test_t11_a_large_write_is_accepted(server):
    """T11: a body of several megabytes is written in one call."""
    session_id = server.create()
    content = "é" * 2_000_000

    server.text(session_id, "write_file", json.dumps({"path": "big", "content": content}))

    info = server.text(session_id, "get_file_info", '{"path": "big"}')
    assert "size: 4000000" in info.split("\n")


def test_without_the_extra_the_command_says_what_to_install():
    """Without typer, `agb` prints the one line that helps and exits with 2."""
    code = "import sys; sys.modules['typer'] = None; from agb.__main__ import main; main()"

    ended = run(sys.executable, "-c", code, "serve")

    assert ended.returncode == 2
    assert ended.stderr == "The command line needs: pip install 'agb[local]'\n"


def test_a_missing_module_of_its_own_is_not_blamed_on_the_extra():
    """A module that is missing for another reason shows as what it is."""
    code = (
        "import sys; sys.modules['agb.local.commands'] = None;"
        " from agb.__main__ import main; main()"
    )

    ended = run(sys.executable, "-c", code)

    assert ended.returncode == 1
    assert "agb.local.commands" in ended.stderr


def test_a_log_file_begins_again_when_it_is_too_long(tmp_path, monkeypatch):
    """Behind an embedded server the log never grows much beyond its limit."""
    path = tmp_path / "log"
    with path.open("a") as file:
        monkeypatch.setattr(sys, "stderr", file)
        handler = logs.StandardError(max_bytes=1000)
        for number in range(200):
            handler.emit(logging.LogRecord("x", 30, "", 0, f"line {number}", None, None))

    text = path.read_text()

    assert len(text) < 1100
    assert text.endswith("line 199\n")


def test_a_log_that_is_no_file_is_left_alone(monkeypatch):
    """A terminal or a pipe has no length to bound."""
    reading, writing = os.pipe()
    with os.fdopen(reading) as log, os.fdopen(writing, "w") as stderr:
        monkeypatch.setattr(sys, "stderr", stderr)
        handler = logs.StandardError(max_bytes=1)
        for text in ("one", "two"):
            handler.emit(logging.LogRecord("x", 30, "", 0, text, None, None))

        assert [log.readline(), log.readline()] == ["one\n", "two\n"]
