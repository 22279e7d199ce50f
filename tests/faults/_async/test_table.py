"""Every cell of the table of `docs/reliability.md`."""

from __future__ import annotations

import logging

import pytest

from agb import AsyncAGB, AsyncSession, Config
from agb._async.pool import AsyncPool

from ..table import OPERATIONS

CALLS = {
    "create": lambda agb, session: agb.create(),
    "delete": lambda agb, session: session.delete(),
    "set_labels": lambda agb, session: session.set_labels({"a": "b"}),
    "run_code": lambda agb, session: session.code.run_code("1", "python", 1),
    "execute_command": lambda agb, session: session.command.execute_command("ls", 100),
    "write_file": lambda agb, session: session.file_system.write_file("/a", "x"),
    "get": lambda agb, session: agb.get("s-1"),
    "list": lambda agb, session: agb.list(),
    "info": lambda agb, session: session.info(),
    "get_labels": lambda agb, session: session.get_labels(),
    "read_file": lambda agb, session: session.file_system.read_file("/a"),
    "list_directory": lambda agb, session: session.file_system.list_directory("/"),
}


def attempts(caplog):
    """How often the last call was sent, by the debug lines."""
    lines = [record.getMessage() for record in caplog.records if record.name == "agb"]
    return int(lines[-1].rpartition("attempt ")[2])


def test_every_operation_is_called():
    """The table's operations are those that these tests know how to call."""
    assert CALLS.keys() == OPERATIONS.keys()


@pytest.fixture
def time_to_connect(monkeypatch):
    """Connections that may take their time, as on a busy machine: it is the reply that is late."""
    build = AsyncPool.build_request

    def build_request(pool, *args, timeout, **more):
        return build(pool, *args, timeout=(30.0, *timeout[1:]), **more)

    monkeypatch.setattr(AsyncPool, "build_request", build_request)


@pytest.mark.usefixtures("short_margin", "time_to_connect")
async def test_fault(case, serve, caplog):
    """A fault that stays: the caller gets what the table says, after that many attempts."""
    caplog.set_level(logging.DEBUG, logger="agb")
    server, endpoint = serve(case.fault)
    config = Config(endpoint=endpoint, timeout_ms=case.timeout_ms)
    async with AsyncAGB("test-key", config) as agb:
        session = AsyncSession(agb, "s-1")
        if getattr(server.fault, "needs_served", False):
            await agb.list()

        result = await CALLS[case.operation](agb, session)

    expected = case.expected
    error = result.exception
    assert type(error).__name__ == (expected.error or "NoneType"), result.error_message
    assert attempts(caplog) == expected.attempts
    if error is not None:
        assert error.retryable is expected.retryable
        assert error.outcome_unknown is expected.outcome_unknown
        assert bool(error.retry_after) is ("with `Retry-After`" in case.fault)


async def test_what_passes_is_survived(case, serve):
    """A fault that happens once, to a call that may be made again, is not seen by the caller."""
    _server, endpoint = serve(case.fault, 1)
    config = Config(endpoint=endpoint, timeout_ms=30_000)
    async with AsyncAGB("test-key", config) as agb:
        result = await CALLS[case.operation](agb, AsyncSession(agb, "s-1"))

    assert result.error_message == ""
    assert result.success is True


async def test_no_retries_at_all(serve, caplog):
    """With `max_retries=0` nothing is sent twice, whatever it is."""
    caplog.set_level(logging.DEBUG, logger="agb")
    server, endpoint = serve("answers 503 with `Retry-After`")
    async with AsyncAGB("test-key", Config(endpoint=endpoint), max_retries=0) as agb:
        result = await agb.list()

    assert result.exception.retryable is True
    assert server.requests == ["ListSession"]


async def test_as_many_retries_as_asked_for(serve):
    """`max_retries` is how often a call is sent again."""
    server, endpoint = serve("answers 429 with `Retry-After`")
    async with AsyncAGB("test-key", Config(endpoint=endpoint), max_retries=5) as agb:
        await agb.create()

    assert server.requests == ["createSession"] * 6


async def test_a_wait_beyond_the_deadline_is_not_waited_for(serve):
    """A server that asks for more patience than the call has is not asked again."""
    server, endpoint = serve("answers 503 with `Retry-After`")
    async with AsyncAGB("test-key", Config(endpoint=endpoint, timeout_ms=900)) as agb:
        result = await agb.list()

    assert result.exception.retry_after == 1.0
    assert server.requests == ["ListSession"]


@pytest.mark.parametrize("max_retries", [-1, 1.5, True, None])
def test_a_number_of_retries_that_is_none(max_retries):
    """A number of retries that is none is refused by the constructor."""
    with pytest.raises(ValueError, match="max_retries"):
        AsyncAGB("test-key", max_retries=max_retries)
