"""What only the blocking client has: threads, forks, and an interpreter that just ends."""

from __future__ import annotations

import asyncio
import gc
import os
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from agb import AGB, Config

BEGIN = """
import atexit, os, sys
from agb import AGB, Config
agb = AGB("test-key", Config(endpoint=sys.argv[1]))
"""


def run(program, endpoint):
    """Run a program in an interpreter of its own that takes warnings for errors."""
    command = [sys.executable, "-W", "error", "-X", "dev", "-c", BEGIN + program, endpoint]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    return ended.returncode, ended.stdout, ended.stderr


def test_many_threads_share_a_client(served, service):
    """32 threads that begin at once use one client, and each sees its own session only."""
    together = threading.Barrier(32, timeout=30)

    def work(number):
        together.wait()
        seen = []
        for turn in range(5):
            with agb.open_session() as session:
                session.set_labels({"thread": f"{number}", "turn": f"{turn}"})
                seen.append(session.get_labels().data)
        return seen

    with AGB("test-key", Config(endpoint=served)) as agb, ThreadPoolExecutor(32) as pool:
        seen = list(pool.map(work, range(32)))

    assert seen == [
        [{"thread": f"{number}", "turn": f"{turn}"} for turn in range(5)] for number in range(32)
    ]
    assert len(service.requests) == 32 * 5 * 4
    assert service.connections <= 32
    assert service.labels == {}


def test_a_running_loop_does_not_matter(service):
    """Blocking calls work in a thread that runs an event loop."""

    async def program():
        with AGB("test-key", transport=service.transport) as agb, agb.open_session() as session:
            return session.info()

    result = asyncio.run(program())

    assert result.success is True
    assert service.labels == {}


def test_a_client_that_is_dropped_is_silent(served):
    """A client that is never closed leaves no connection open once it is gone."""
    agb = AGB("test-key", Config(endpoint=served))
    agb.create().raise_for_error()

    del agb

    assert gc.collect() >= 0  # an open socket would be reported here, and fail the test


def test_an_open_client_is_silent_at_exit(served):
    """An interpreter that ends with an open client writes nothing, warnings being errors."""
    ended = run("print(agb.create().success)", served)

    assert ended == (0, "True\n", "")


def test_retries_are_silent(nowhere):
    """A program that asked for no logs sees nothing of calls that are sent again."""
    ended = run("print(agb.create().exception.retryable); agb.close()", nowhere)

    assert ended == (0, "True\n", "")


def test_a_closed_client_is_silent_at_exit(served):
    """An interpreter that ends after its client was closed writes nothing either."""
    ended = run("print(agb.create().success); agb.close()", served)

    assert ended == (0, "True\n", "")


def test_an_exit_handler_can_still_call(served, service):
    """A session can be deleted by an exit handler, even one that was registered before any call."""
    ended = run(
        """
atexit.register(lambda: (print(session.delete().success), agb.close()))
session = agb.create().session
""",
        served,
    )

    assert ended == (0, "True\n", "")
    assert service.labels == {}


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")
def test_a_forked_child_has_its_own_connection(served, service):
    """After a fork the child makes a connection of its own, and the parent's stays usable."""
    ended = run(
        """
first = agb.create()
agb.client._connections._lock.acquire()  # as if another thread were just making a connection
child = os.fork()
if child == 0:
    second = agb.create()
    agb.close()
    os._exit(0 if second.success else 1)
_, status = os.waitpid(child, 0)
print(first.success, os.waitstatus_to_exitcode(status), agb.create().success)
""",
        served,
    )

    assert ended == (0, "True 0 True\n", "")
    assert service.connections == 2
    assert len(service.requests) == 3


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")
def test_processes_of_multiprocessing(served, service):
    """Workers that multiprocessing forks after a call have connections of their own."""
    ended = run(
        """
import multiprocessing
first = agb.create().success
def work(number):
    return agb.create().success
with multiprocessing.get_context("fork").Pool(2) as pool:
    print(first, set(pool.map(work, range(20))), agb.create().success)
""",
        served,
    )

    assert ended == (0, "True {True} True\n", "")
    assert len(service.requests) == 22
    assert service.connections <= 3


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")
def test_a_forked_child_leaves_the_parents_connection_alone(served, service):
    """A child that closes a client of its parent does not touch the parent's connections."""
    ended = run(
        """
import httpx

class Transport(httpx.HTTPTransport):
    def close(self):
        print("closed by the", "child" if os.getpid() == child else "parent", flush=True)
        super().close()

child = -1
agb = AGB("test-key", Config(endpoint=sys.argv[1]), transport=Transport())
agb.create()
if os.fork() == 0:
    child = os.getpid()
    agb.close()
    os._exit(0)
os.wait()
print(agb.create().success)
agb.close()
""",
        served,
    )

    assert ended == (0, "True\nclosed by the parent\n", "")
    assert service.connections == 1
