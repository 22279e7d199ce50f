"""Connections of the blocking colour: shared by threads, and never those of another process."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace

import pytest

from agb._pair.connections import Connections


class Made:
    """What connections make: it is closed, or not."""

    def __init__(self):
        self.is_closed = False

    def close(self):
        self.is_closed = True


@pytest.fixture
def become(monkeypatch):
    """Makes this process look like another one, as after a fork."""

    def become(process):
        system = SimpleNamespace(getpid=lambda: process)
        monkeypatch.setattr("agb._pair.connections.os", system)

    become(1)
    return become


def test_a_forked_child_makes_its_own(become):
    """A child leaves what its parent made open, though a thread of the parent held the lock."""
    connections = Connections(Made)
    of_parent = connections.client()
    assert connections.client() is of_parent
    connections._lock.acquire()

    become(2)
    of_child = connections.client()
    connections.close()

    assert of_child is not of_parent
    assert (of_parent.is_closed, of_child.is_closed) == (False, True)


def test_a_forked_child_that_only_closes(become):
    """What the parent made is not the child's to close."""
    connections = Connections(Made)
    of_parent = connections.client()

    become(2)
    connections.close()

    assert not of_parent.is_closed


def test_threads_that_begin_together_share_what_is_made():
    """A thread that has waited for another one's takes that, and makes none itself."""
    at_the_lock = threading.Semaphore(0)

    class Lock:
        def __init__(self):
            self._lock = threading.Lock()

        def __enter__(self):
            at_the_lock.release()
            self._lock.acquire()

        def __exit__(self, *_):
            self._lock.release()

    def make():
        for _ in range(2):
            assert at_the_lock.acquire(timeout=30)
        return Made()

    connections = Connections(make)
    connections._lock = Lock()
    with ThreadPoolExecutor(2) as threads:
        first, second = threads.map(lambda _: connections.client(), range(2))

    assert first is second
