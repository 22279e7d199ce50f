"""A guard of the run; a service in this process, for the tests of the clients in both colours."""

from __future__ import annotations

import gc
import itertools
import json
import os
import socket
import threading
from collections.abc import Callable, Generator, Iterator, Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import httpx
import pytest
import stamina
from hypothesis import HealthCheck, settings

from agb import FileChangeEvent

from . import guard

Answer = httpx.Response | Exception | Callable[[httpx.Request], httpx.Response]


# A busy machine is no failure.
settings.register_profile("untimed", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("untimed")


def pytest_configure(config: pytest.Config) -> None:
    """Have a guard clear up after the run, however that ends; workers belong to their run."""
    # Set in many containers. What programs print is buffered for nearly everybody else.
    os.environ.pop("PYTHONUNBUFFERED", None)
    if guard.can_watch() and not hasattr(config, "workerinput"):
        guard.watch()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, object, object]:
    """Collect no garbage while a report is made.

    The report parses the source, and what is collected may do so, too: a task that nobody asked
    writes its traceback to the log. Some releases of CPython 3.11 and 3.12 then fail with "AST
    constructor recursion depth mismatch" (python/cpython#106905), and pytest with them.
    """
    collects = gc.isenabled()
    gc.disable()
    try:
        return (yield)
    finally:
        if collects:
            gc.enable()


class Service:
    """Speaks the wire protocol: keeps sessions and labels, and every request for the test to see.

    An endpoint is named by its path, a tool by its name, all of them by `*`. `on` puts prepared
    answers in place of what the service would do: one a request, the last of them for good.
    """

    def __init__(self) -> None:
        self.requests: list[httpx.Request] = []
        self.connections = 0
        self.labels: dict[str, dict[str, str]] = {}
        self.transport = httpx.MockTransport(self.handle)
        self._answers: dict[str, list[Answer]] = {}
        self._numbers = itertools.count(1)

    # What the test prepares and looks at.

    def on(self, endpoint: str, *answers: Answer) -> None:
        self._answers[endpoint] = list(answers)

    @property
    def seen(self) -> list[str]:
        """The endpoints and tools asked for, in order."""
        return [self._endpoint(request) for request in self.requests]

    def query(self, index: int = -1) -> dict[str, str]:
        return dict(self.requests[index].url.params)

    def body(self, index: int = -1) -> Any:
        return json.loads(self.requests[index].content)

    def arguments(self, index: int = -1) -> Any:
        """The arguments of a tool call."""
        return json.loads(self.body(index)["args"])

    # Answers in the form of the protocol.

    def ok(self, data: object = None, **siblings: object) -> httpx.Response:
        return self.envelope(200, success=True, code="ok", data=data, **siblings)

    def refused(
        self, message: str, code: str = "Refused", status: int = 400, **more: object
    ) -> httpx.Response:
        return self.envelope(status, success=False, code=code, message=message, **more)

    def tool(self, text: str, *, is_error: bool = False) -> httpx.Response:
        return self.ok({"content": [{"type": "text", "text": text}], "isError": is_error})

    def changes(self, *events: FileChangeEvent) -> httpx.Response:
        """The answer to `get_file_change`."""
        return self.tool(json.dumps([event.to_dict() for event in events]))

    def envelope(self, status: int, **fields: object) -> httpx.Response:
        return httpx.Response(status, json={"requestId": "R", "message": None, **fields})

    # The service itself.

    def handle(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        endpoint = self._endpoint(request)
        answers = self._answers.get(endpoint) or self._answers.get("*")
        if answers is None:
            return self._work(endpoint, request)
        answer = answers.pop(0) if len(answers) > 1 else answers[0]
        if isinstance(answer, Exception):
            raise answer
        if callable(answer):
            return answer(request)
        # A fresh one each time: a client closes what it has read.
        return httpx.Response(answer.status_code, headers=answer.headers, content=answer.content)

    def _endpoint(self, request: httpx.Request) -> str:
        path = request.url.path
        return json.loads(request.content)["name"] if path == "/mcp" else path

    def _work(self, endpoint: str, request: httpx.Request) -> httpx.Response:
        fields = {**(json.loads(request.content or b"{}")), **request.url.params}
        session_id = fields.get("sessionId", "")
        if endpoint == "/mcp/createSession":
            session_id = f"s-{next(self._numbers)}"
            self.labels[session_id] = json.loads(fields.get("labels", "{}"))
            return self.ok({"sessionId": session_id, "resourceUrl": f"https://res/{session_id}"})
        if endpoint == "/sdk/ListSession":
            wanted = json.loads(fields["labels"]).items()
            ids = [key for key, labels in self.labels.items() if wanted <= labels.items()]
            return self.ok([{"sessionId": key} for key in ids], count=len(ids))
        if session_id not in self.labels:
            return self.refused("session not found", "InvalidMcpSession.NotFound")
        if endpoint == "/mcp/releaseSession":
            del self.labels[session_id]
            return self.ok()
        if endpoint == "/sdk/SetLabel":
            self.labels[session_id] = json.loads(fields["Labels"])
            return self.ok()
        if endpoint == "/sdk/GetLabel":
            labels = self.labels[session_id]
            return self.ok({"labels": json.dumps(labels)} if labels else {})
        if endpoint in ("/mcp/getSession", "/mcp/getMcpResource"):
            return self.ok({"sessionId": session_id, "resourceUrl": f"https://res/{session_id}"})
        return self.tool(f"done: {endpoint}")


@pytest.fixture(autouse=True)
def no_pauses() -> Iterator[None]:
    """No test waits between two attempts of a call; how many there are stays as it is."""
    with stamina.set_testing(True, attempts=100, cap=True):
        yield


@pytest.fixture
def service() -> Service:
    """A service that is asked by `transport=service.transport`."""
    return Service()


@pytest.fixture
def served(service: Service, no_proxy: None) -> Iterator[str]:
    """The URL under which `service` listens on a real port of this machine."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"  # keeps connections open
        disable_nagle_algorithm = True  # head and body are two packets

        def setup(self) -> None:
            service.connections += 1
            super().setup()

        def do_POST(self) -> None:
            length = int(self.headers.get("content-length", "0"))
            url = f"http://{self.headers['host']}{self.path}"
            headers = dict(self.headers.items())
            asked = httpx.Request(
                self.command, url, headers=headers, content=self.rfile.read(length)
            )
            answer = service.handle(asked)
            self.send_response(answer.status_code)
            self.send_header("Content-Length", str(len(answer.content)))
            self.end_headers()
            self.wfile.write(answer.content)

        do_GET = do_POST

        def log_message(self, format: str, *args: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.block_on_close = False  # a client may leave its connections open
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


@pytest.fixture
def nowhere(no_proxy: None) -> Iterator[str]:
    """A URL on this machine where nothing listens, and where nothing else can begin to."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{taken.getsockname()[1]}"


@pytest.fixture
def no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    """An environment whose proxy, if any, is not used for this machine."""
    for name in ("no_proxy", "NO_PROXY"):
        monkeypatch.setenv(name, "127.0.0.1")


@pytest.fixture
def no_settings(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    """An environment without settings of this package, and a directory without `.env`."""
    for name in ("AGB_API_KEY", "AGB_ENDPOINT", "AGB_TIMEOUT_MS"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def spans(monkeypatch: pytest.MonkeyPatch) -> Callable[[], Sequence[Any]]:
    """The spans that a program with OpenTelemetry gets."""
    from opentelemetry import trace
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import SimpleSpanProcessor
    from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

    exporter = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    monkeypatch.setattr(trace, "get_tracer", provider.get_tracer)
    return exporter.get_finished_spans


def shown(span: Any) -> str:
    """Everything that a span carries, as text."""
    events = [(event.name, dict(event.attributes or {})) for event in span.events]
    return f"{span.name} {dict(span.attributes)} {span.status.description} {events}"
