"""The HTTP surface, fuzzed from its own description: every reply is an envelope, none a mistake."""

from __future__ import annotations

import errno
import http.client
import json
import os
from urllib.parse import urlencode

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ..support.pretending import API_KEY

EXAMPLES = 4000 if os.environ.get("AGB_ATTACKS") == "full" else 150

anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=30),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=6,
)
paths = st.sampled_from(
    [".", "f", "/etc/passwd", "/proc/self/mem", "../..", "~", "x" * 5000, "a\0b", "/dev/zero"]
)
# Quick ones only: a fuzzer must not wait for what it asked to wait.
KNOWN = {
    "timeout_ms": st.integers(1, 50) | st.floats(0.1, 50),
    "timeout_s": st.floats(0.01, 0.3),
    "wait_s": st.floats(0, 0.05),
    "path": paths,
    "source": paths,
    "destination": paths,
    "language": st.sampled_from(["python", "PYTHON", "javascript", "r", "java", "cobol"]),
}


def value_of(name, schema, session):
    """What to send for a parameter: what it should be, or anything at all."""
    if name == "sessionId":
        return st.sampled_from([session] * 6 + ["session-none", "", "\0"]) | anything
    if name in KNOWN:
        return KNOWN[name]
    if "enum" in schema:
        return st.sampled_from(schema["enum"]) | anything
    if schema.get("contentMediaType"):
        return anything.map(json.dumps) | anything
    kinds = {
        "string": st.text(max_size=40),
        "integer": st.integers(-5, 2**64),
        "number": st.floats(allow_nan=False),
        "boolean": st.booleans(),
        "array": st.lists(anything, max_size=3),
    }
    return kinds.get(schema.get("type"), anything) | anything


def parameters(schema, session):
    """Parameters of an endpoint or a tool, some left out and some nobody knows."""
    known = {
        name: value_of(name, inner, session) for name, inner in schema.get("properties", {}).items()
    }
    # A limit that is left out is a minute.
    needed = {name: known.pop(name) for name in ("timeout_ms", "timeout_s") if name in known}
    fitting = st.fixed_dictionaries(needed, optional=known)
    return fitting | st.builds(
        lambda given, more: {**more, **given}, fitting, st.dictionaries(st.text(), anything)
    )


class Wire:
    """One connection to a server, kept open."""

    def __init__(self, server):
        host, port = server.address.rsplit(":", 1)
        self.connection = http.client.HTTPConnection(host, int(port), timeout=30)

    def send(self, method, path, body="", key=API_KEY):
        headers = {"authorization": f"Bearer {key}", "content-type": "application/json"}
        self.connection.request(method, path, body, headers)
        response = self.connection.getresponse()
        return response, response.read()

    def envelope(self, method, path, body="", key=API_KEY):
        """Send something and check that what comes back is an envelope and no mistake."""
        response, answer = self.send(method, path, body, key)
        envelope = json.loads(answer)
        assert set(envelope) >= {"requestId", "success", "code", "message", "data"}
        assert envelope["httpStatusCode"] == response.status
        assert response.status < 500, (path, body, envelope)
        assert envelope["success"] is (response.status == 200)
        assert API_KEY not in answer.decode()
        return envelope


@pytest.fixture(scope="module")
def wire(server):
    opened = Wire(server)
    yield opened
    opened.connection.close()


@pytest.fixture(scope="module")
def description(wire):
    return json.loads(wire.send("GET", "/openapi.json")[1])


@pytest.fixture(scope="module")
def session(server):
    return server.create()


fuzzed = settings(
    max_examples=EXAMPLES,
    deadline=None,
    derandomize=os.environ.get("AGB_ATTACKS") != "full",
    database=None,
    suppress_health_check=list(HealthCheck),
)


def test_tools(wire, description, session):
    """Whatever arguments a tool is given, it answers; and the session lives on."""
    tools = {
        name: schema
        for name, schema in description["components"]["schemas"].items()
        if name != "Envelope"
    }

    @fuzzed
    @given(st.data())
    def fuzz(data):
        name = data.draw(st.sampled_from([*tools, "no_such_tool"]))
        arguments = data.draw(parameters(tools.get(name, {}), session))
        body = json.dumps({"sessionId": session, "name": name, "args": json.dumps(arguments)})
        reply = wire.envelope("POST", "/mcp", body)
        assert reply["success"] is True
        assert isinstance(reply["data"]["content"][0]["text"], str)

    fuzz()
    body = {"sessionId": session, "name": "shell", "args": {"command": "echo fine"}}
    assert "fine" in str(wire.envelope("POST", "/mcp", json.dumps(body)))


def test_endpoints(wire, description, server):
    """Whatever parameters an endpoint is given, it answers with an envelope."""
    operations = [
        (method.upper(), path, operation)
        for path, methods in description["paths"].items()
        for method, operation in methods.items()
        # These make and end sessions by the hundred; the session under fuzz has to stay.
        if path not in ("/mcp/createSession", "/mcp/releaseSession", "/mcp/releaseSessionAsync")
    ]
    session = server.create()

    @fuzzed
    @given(st.data())
    def fuzz(data):
        method, path, operation = data.draw(st.sampled_from(operations))
        if method == "GET":
            schema = {"properties": {p["name"]: p["schema"] for p in operation["parameters"]}}
            query = data.draw(parameters(schema, session))
            pairs = {str(name): str(value) for name, value in query.items()}
            encoded = urlencode(pairs, errors="surrogatepass")
            wire.envelope("GET", f"{path}?{encoded}")
        else:
            schema = operation["requestBody"]["content"]["application/json"]["schema"]
            wire.envelope("POST", path, json.dumps(data.draw(parameters(schema, session))))

    fuzz()


def test_creating(wire, description):
    """Whatever a session is to be created with, what comes of it is one session or a reason."""
    schema = description["paths"]["/mcp/createSession"]["post"]["requestBody"]["content"]
    schema = schema["application/json"]["schema"]

    @settings(fuzzed, max_examples=40)
    @given(st.data())
    def fuzz(data):
        body = json.dumps(data.draw(parameters(schema, "session-none")))
        reply = wire.envelope("POST", "/mcp/createSession", body)
        if reply["success"]:
            ended = json.dumps({"sessionId": reply["data"]["sessionId"]})
            assert wire.envelope("POST", "/mcp/releaseSession", ended)["success"]

    fuzz()


BODIES = [
    b"",
    b"null",
    b"[]",
    b'"text"',
    b"{",
    b"\xff\xfe\x00",
    b"{}" * 2,
    b'{"a": 1e999}',
    b'{"sessionId": NaN}',
    b"[" * 100_000,
    b'{"sessionId": "\\ud800"}',
    b'{"a":' * 5000 + b"1" + b"}" * 5000,
    b"1" * 5000,
]


@pytest.mark.parametrize("body", BODIES, ids=range(len(BODIES)))
def test_bodies(wire, body):
    """A body that is no JSON object is refused by an envelope."""
    wire.envelope("POST", "/mcp/getSession", body)


RAW = [
    b"",
    b"\r\n\r\n",
    b"\0" * 100,
    b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
    b"GET\r\n\r\n",
    b"GET / HTTP/9.9\r\n\r\n",
    b"GET " + b"a" * 300_000 + b" HTTP/1.1\r\n\r\n",
    b"POST /mcp HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n",
    b"POST /mcp HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello",
    b"POST /mcp HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
    b"POST /mcp HTTP/1.1\r\nHost: x\r\n" + b"X-Many: 1\r\n" * 30_000 + b"\r\n",
    b"POST /mcp HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999999999999\r\n\r\n",
    b"GET /mcp HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer \xff\xfe\r\n\r\n",
    b"OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n",
    b"GET http://elsewhere/ HTTP/1.1\r\nHost: x\r\n\r\n",
    b"GET /../../etc/passwd HTTP/1.1\r\nHost: x\r\n\r\n",
    b"GET /files/..%2f..%2fetc%2fpasswd HTTP/1.1\r\nHost: x\r\n\r\n",
    b"GET /files/%00 HTTP/1.1\r\nHost: x\r\n\r\n",
]


@pytest.mark.parametrize("request_", RAW, ids=range(len(RAW)))
def test_what_is_no_request(server, wire, request_):
    """Bytes that are no request get a refusal or nothing, and the server goes on."""
    with server.connect() as connection:
        connection.settimeout(20)
        answer = b""
        try:
            connection.sendall(request_)
            connection.shutdown(1)
            while piece := connection.recv(1 << 16):
                answer += piece
        except OSError as error:
            # It has hung up, as it may; that it stays silent is another matter.
            if not isinstance(error, ConnectionError) and error.errno != errno.ENOTCONN:
                raise

    assert not answer.startswith((b"HTTP/1.1 2", b"HTTP/1.1 5"))
    assert b"root:" not in answer
    assert wire.envelope("POST", "/mcp/listTools")["success"]


@pytest.mark.parametrize("key", ["", "x", API_KEY + "x", API_KEY[:-1], "\xff", API_KEY.upper()])
def test_keys(wire, key):
    """Another key is refused, however near it comes, before anything of the request is read."""
    reply = wire.envelope("POST", "/mcp/getSession", "{", key)

    assert (reply["httpStatusCode"], reply["code"]) == (401, "InvalidApiKey")
