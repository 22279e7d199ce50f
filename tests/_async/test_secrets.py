"""The API key: in the request, and nowhere else."""

from __future__ import annotations

import logging
import pickle
from collections.abc import Mapping

import httpx
import pytest

from agb import AsyncAGB, AsyncSession, Config, SessionResult

KEY = "planted-secret-key"


def kinds(base):
    """Every error that httpx raises on the way to a reply."""
    yield from (kind for child in base.__subclasses__() for kind in (child, *kinds(child)))


ERRORS = sorted(set(kinds(httpx.RequestError)), key=lambda kind: kind.__name__)


def shows_key(thing, seen=None):
    """Tell whether the key can be reached from a thing: texts, attributes, items and causes."""
    seen = {} if seen is None else seen
    if isinstance(thing, (str, bytes)):
        return KEY in thing if isinstance(thing, str) else KEY.encode() in thing
    if id(thing) in seen or isinstance(thing, (type, int, float)) or callable(thing):
        return False
    seen[id(thing)] = thing
    parts = [repr(thing), str(thing), getattr(thing, "__dict__", None)]
    parts += [getattr(thing, name, None) for name in getattr(thing, "__slots__", ())]
    if isinstance(thing, BaseException):
        parts += [thing.args, thing.__cause__, thing.__context__]
    if isinstance(thing, Mapping):
        parts += [*thing.keys(), *thing.values()]
    elif isinstance(thing, (list, tuple, set)):
        parts += list(thing)
    return any(shows_key(part, seen) for part in parts)


@pytest.fixture
async def keyed(service):
    """A client with the planted key."""
    config = Config(endpoint="https://api.test")
    async with AsyncAGB(KEY, config, transport=service.transport) as client:
        yield client


def test_the_search_finds_a_key():
    """The search of these tests finds the key where httpx keeps it: in the request of an error."""
    request = httpx.Request("GET", "https://api.test", headers={"Authorization": f"Bearer {KEY}"})
    outer = ValueError("outer")
    outer.__cause__ = httpx.ConnectError("inner", request=request)

    assert shows_key(outer)


@pytest.mark.parametrize("kind", ERRORS)
async def test_no_error_shows_the_key(kind, call, keyed, service):
    """Whatever breaks on the way, the key is nowhere in the result, its error or their causes."""
    service.on("*", kind("it broke"))

    result = await call(keyed, AsyncSession(keyed, "s-1"))

    assert service.requests[0].headers["authorization"] == f"Bearer {KEY}"
    assert result.exception.__cause__ is not None
    assert not shows_key(result)
    assert not shows_key(result.exception)


async def test_a_real_broken_connection_does_not_show_the_key(call, nowhere):
    """The key is not in the causes of a connection that the machine refused."""
    async with AsyncAGB(KEY, Config(endpoint=nowhere)) as agb:
        result = await call(agb, AsyncSession(agb, "s-1"))

    assert result.exception.__cause__.__dict__.get("_request") is None
    assert not shows_key(result.exception)


async def test_no_result_shows_the_key(call, keyed):
    """The key is not in the text of a result, whether it is a success or not."""
    result = await call(keyed, AsyncSession(keyed, "s-1"))

    assert KEY not in repr(result)
    assert KEY not in str(result)


async def test_a_pickled_failure_does_not_hold_the_key(call, keyed, service):
    """A failed result can be pickled and read again, equal and without the key."""
    service.on("*", httpx.ConnectError("it broke"))
    result = await call(keyed, AsyncSession(keyed, "s-1"))

    pickled = pickle.dumps(result)

    assert KEY.encode() not in pickled
    assert pickle.loads(pickled) == result
    assert str(pickle.loads(pickled).exception) == result.error_message


async def test_a_session_cannot_be_pickled(no_settings):
    """A result that holds a session can't be pickled: its client would take the key along."""
    agb = AsyncAGB(KEY)
    result = SessionResult("R", True, "", AsyncSession(agb, "s-1"))

    with pytest.raises((TypeError, AttributeError, pickle.PicklingError)):
        pickle.dumps(result)


async def test_no_object_shows_the_key(keyed):
    """The key is not in the text of clients, sessions, modules and settings."""
    session = AsyncSession(keyed, "s-1")
    things = [keyed, keyed.client, keyed.config, session, session.code, keyed.open_session()]

    assert [thing for thing in things if KEY in f"{thing!r} {thing!s}"] == []


async def test_no_log_record_shows_the_key(served, service, caplog):
    """The key is in no log record of any library, of calls that succeed, fail and break."""
    caplog.set_level(logging.DEBUG)
    service.on("/sdk/GetLabel", service.refused("busy"))
    client = AsyncAGB(KEY, Config(endpoint=served))
    async with client as agb, agb.open_session() as session:
        await session.get_labels()
        await session.command.execute_command("echo hi")

    assert {"agb", "httpx"} <= {record.name for record in caplog.records}
    assert not [record for record in caplog.records if shows_key(record)]
    assert KEY not in caplog.text


@pytest.mark.parametrize("key", [f"{KEY}\n{KEY}", f"{KEY}é"])
def test_a_key_that_cannot_be_sent_is_not_shown(key):
    """A key that no header can carry is refused by the constructor, without showing it."""
    with pytest.raises(ValueError, match="API key") as caught:
        AsyncAGB(key, Config(endpoint="https://api.test"))

    assert not shows_key(caught.value)
