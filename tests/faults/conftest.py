"""Makes the tests of the fault table: one for each fault and operation, in both colours."""

from __future__ import annotations

import ssl
from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest
import trustme

from .server import Fault, FaultyServer
from .table import FAULTS, cases


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "case" in metafunc.fixturenames:
        found = cases()
        if metafunc.function.__name__ == "test_what_passes_is_survived":
            found = [case for case in found if case.expected.attempts == 3 and case.fault in FAULTS]
        ids = [f"{case.fault}-{case.operation}" for case in found]
        metafunc.parametrize("case", found, ids=ids)


@pytest.fixture(scope="session")
def authority() -> trustme.CA:
    """A certificate authority that nobody knows."""
    return trustme.CA()


@pytest.fixture(scope="session")
def certified(authority: trustme.CA) -> ssl.SSLContext:
    """The TLS side of a server with a certificate of that authority."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    return context


@pytest.fixture
def serve(
    certified: ssl.SSLContext, nowhere: str, no_proxy: None
) -> Iterator[Callable[[str, int], tuple[FaultyServer, str]]]:
    """Start a server with a fault of the table; return it and its endpoint."""
    with ExitStack() as stack:

        def start(fault: str, times: int = -1) -> tuple[FaultyServer, str]:
            tls = certified if fault == "has a certificate that nobody trusts" else None
            server = FaultyServer(FAULTS.get(fault), tls)
            server.times = times
            stack.enter_context(server)
            if fault == "is not there":
                return server, nowhere
            secure = tls is not None or fault == "speaks no TLS where the endpoint says https"
            return server, f"{'https' if secure else 'http'}://{server.address}"

        yield start


@pytest.fixture
def play(no_proxy: None) -> Iterator[Callable[[Fault], FaultyServer]]:
    """Start a server that does the same with each connection."""
    with ExitStack() as stack:
        yield lambda fault: stack.enter_context(FaultyServer(fault))


@pytest.fixture
def short_margin(monkeypatch: pytest.MonkeyPatch) -> None:
    """A service that has to answer a tenth of a second after its own limit, not ten seconds."""
    monkeypatch.setattr("agb._core.wire.retry.ANSWER_MARGIN_S", 0.1)
