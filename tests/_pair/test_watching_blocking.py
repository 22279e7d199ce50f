"""Watching a directory in a thread, against a service in this process."""

from __future__ import annotations

import logging
import subprocess
import sys
import threading
from queue import Queue

import anyio
import pytest

from agb import AGB, Config, DirectoryWatcher, FileChangeEvent, InvalidArgumentError, Session

EVENTS = [FileChangeEvent("create", f"/w/{number}", "file") for number in range(4)]
CONFIG = Config(endpoint="https://api.test")
TOOL = "get_file_change"
SOON = 0.001  # seconds from poll to poll


def polls(service, *found):
    """Prepare what each poll finds, by the numbers of the events; the last one for good."""
    service.on(TOOL, *(service.changes(*(EVENTS[n] for n in numbers)) for numbers in found))


@pytest.fixture
def session(service):
    """A session of the blocking client, whose directory is quiet."""
    service.labels["s-1"] = {}
    polls(service, [])
    with AGB("test-key", CONFIG, transport=service.transport) as agb:
        yield Session(agb, "s-1")


def watched(session, callback, **more):
    """Start a watcher, and wait until it is ready."""
    watcher = session.file_system.watch_directory("/w", callback, SOON, **more)
    watcher.start()
    watcher.ready_event.wait()
    return watcher


class Waits(threading.Event):
    """An event that never waits, but writes down for how long it should have; set at last."""

    def __init__(self, times):
        super().__init__()
        self.seconds = []
        self._times = times

    def wait(self, timeout=None):
        self.seconds.append(timeout)
        if len(self.seconds) > self._times:
            self.set()
        return self.is_set()


def test_the_thread(session, service):
    """It is an unstarted daemon thread with two events, and nothing has been sent."""
    watcher = session.file_system.watch_directory("/w", print)

    assert isinstance(watcher, DirectoryWatcher)
    assert isinstance(watcher, threading.Thread)
    assert watcher.daemon is True
    assert watcher.ident is None
    assert (watcher.stop_event.is_set(), watcher.ready_event.is_set()) == (False, False)
    assert service.requests == []


def test_changes_reach_the_callback(session, service):
    """The callback gets what is new, never an empty list, and not what the first poll found."""
    seen = Queue()
    polls(service, [0], [], [1, 2], [], [3], [])

    watcher = watched(session, seen.put)
    found = [seen.get(), seen.get()]
    watcher.stop_event.set()
    watcher.join()

    assert found == [EVENTS[1:3], EVENTS[3:4]]
    assert seen.empty()
    assert set(service.seen) == {TOOL}


def test_a_first_poll_that_fails(session, service):
    """It is ready only when a poll has succeeded, and what came before is not told."""
    seen = Queue()
    failure = service.refused("out of breath", status=503)
    service.on(TOOL, *[failure] * 9, service.changes(EVENTS[0]), service.changes(EVENTS[1]))

    watcher = watched(session, seen.put)
    first = seen.get()
    watcher.stop_event.set()
    watcher.join()

    assert first == EVENTS[1:2]


def test_an_event_of_the_program_stops_it(session):
    """A program may bring its own event."""
    stop = threading.Event()
    watcher = watched(session, print, stop_event=stop)

    stop.set()
    watcher.join()

    assert watcher.stop_event is stop


def test_an_event_that_is_set_before_the_start(session, service):
    """A watcher that is stopped before it begins asks nothing, and nobody waits for it."""
    stop = threading.Event()
    stop.set()

    watched(session, print, stop_event=stop).join()

    assert service.requests == []


def test_a_callback_that_fails(session, service, caplog):
    """An exception of the callback is logged with its traceback, and watching goes on."""
    seen = Queue()
    polls(service, [], [1], [2], [])

    def callback(events):
        seen.put(events)
        raise ValueError("of the callback")

    watcher = watched(session, callback)
    found = [seen.get(), seen.get()]
    watcher.stop_event.set()
    watcher.join()

    assert found == [EVENTS[1:2], EVENTS[2:3]]
    assert [record.levelno for record in caplog.records] == [logging.ERROR] * 2
    assert "ValueError: of the callback" in caplog.text


def test_no_poll_while_the_callback_runs(session, service):
    """The next poll waits for the callback."""
    polls(service, [], [1])
    entered, go_on = threading.Event(), threading.Event()

    def callback(events):
        entered.set()
        go_on.wait()

    watcher = watched(session, callback)
    entered.wait()
    so_far = len(service.requests)
    watcher.stop_event.set()
    go_on.set()
    watcher.join()

    assert so_far == len(service.requests) == 2


def test_what_comes_after_the_stop_is_not_handed_over(session, service):
    """A callback does not begin once the watcher is stopped, whatever the poll found."""
    seen = []
    stop = threading.Event()

    def answer(request):
        stop.set()
        return service.changes(EVENTS[1])

    service.on(TOOL, service.changes(), answer)

    watched(session, seen.append, stop_event=stop).join()

    assert seen == []


def test_failed_polls_grow_apart(session, service):
    """Polls that fail come at growing pauses, are logged, and do not set the ready event."""
    stop = Waits(5)
    quiet = service.changes()
    refused = service.refused("why")
    service.on(TOOL, refused, refused, quiet, refused, quiet)

    watched(session, print, stop_event=stop).join()

    assert stop.seconds == [0, 2 * SOON, 4 * SOON, SOON, 2 * SOON, SOON]


def test_it_ends_with_the_session(session, service):
    """When the session is gone the thread ends, after one more poll."""
    watcher = watched(session, print)
    service.on(TOOL, service.refused("Session not found", "InvalidSession.NotFound"))

    watcher.join()

    assert watcher.stop_event.is_set() is False


def test_a_session_that_was_gone_before(session, service):
    """Nobody waits forever for a watcher that never gets ready."""
    service.on(TOOL, service.refused("Session not found", "InvalidSession.NotFound"))

    watched(session, print).join()

    assert len(service.requests) == 1


def test_it_ends_with_the_client(session):
    """When the client is closed the thread ends."""
    watcher = watched(session, print)

    session.agb.close()

    watcher.join()


def test_a_client_that_is_closed_before_the_start(session, service):
    """A watcher of a closed client asks nothing, and nobody waits for it to get ready."""
    session.agb.close()

    watched(session, print).join()

    assert service.requests == []


def test_a_program_may_just_end(served, service):
    """A program that ends while it watches does so at once and in silence."""
    service.labels["s-1"] = {}
    polls(service, [])
    program = f"""
from agb import AGB, Config, Session
session = Session(AGB("key", Config(endpoint={served!r})), "s-1")
watcher = session.file_system.watch_directory("/w", print, {SOON})
watcher.start()
watcher.ready_event.wait()
"""

    command = [sys.executable, "-W", "error", "-X", "dev", "-c", program]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)

    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "", "")


@pytest.mark.parametrize(
    "arguments",
    [
        ("", print),
        ("/w", None),
        ("/w", "print"),
        ("/w", print, 0),
        ("/w", print, float("nan")),
        ("/w", print, 1, "event"),
        ("/w", print, 1, anyio.Event()),
    ],
)
def test_arguments_are_checked_at_the_call(session, service, arguments):
    """What can't be used raises at the call, where there is no result to say it in."""
    with pytest.raises(InvalidArgumentError):
        session.file_system.watch_directory(*arguments)

    assert service.requests == []
