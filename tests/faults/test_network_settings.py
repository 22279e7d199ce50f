"""Certificates and proxies: by the environment, and by an HTTP client of the program."""

from __future__ import annotations

import os
import ssl
import subprocess
import sys

import httpx
import pytest

from agb import AGB, APIConnectionError, AsyncAGB, Config, __version__

SERVICE = "http://service.test"  # a name that nobody can look up

PROGRAMS = {
    "blocking": """
import sys
from agb import AGB, Config
with AGB("test-key", Config(endpoint=sys.argv[1])) as agb:
    print(agb.get("s-1").error_message or "succeeded")
""",
    "async": """
import asyncio, sys
from agb import AsyncAGB, Config
async def main():
    async with AsyncAGB("test-key", Config(endpoint=sys.argv[1])) as agb:
        print((await agb.get("s-1")).error_message or "succeeded")
asyncio.run(main())
""",
}


def run(colour, endpoint, **environment):
    """Run a program in an interpreter of its own, in an environment with these settings."""
    command = [sys.executable, "-W", "error", "-c", PROGRAMS[colour], endpoint]
    clean = {name: value for name, value in os.environ.items() if "proxy" not in name.lower()}
    ended = subprocess.run(
        command,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env={**clean, **environment},
    )
    assert ended.stderr == ""
    return ended.stdout.strip()


@pytest.fixture
def certificate(authority, tmp_path):
    """The file of an authority that signed the server's certificate."""
    path = tmp_path / "authority.pem"
    authority.cert_pem.write_to_path(str(path))
    return str(path)


@pytest.fixture
def secure(serve, certified):
    """A server with TLS that works."""
    _server, endpoint = serve("has a certificate that nobody trusts")
    return endpoint


@pytest.mark.parametrize("colour", PROGRAMS)
def test_an_authority_of_the_environment(colour, secure, certificate):
    """`SSL_CERT_FILE` names the authority to trust."""
    assert run(colour, secure, SSL_CERT_FILE=certificate) == "succeeded"


def test_an_authority_of_the_program(secure, certificate):
    """A transport of the program brings its own authority."""
    context = ssl.create_default_context(cafile=certificate)
    transport = httpx.HTTPTransport(verify=context)

    with AGB("test-key", Config(endpoint=secure), transport=transport) as agb:
        result = agb.get("s-1")

    assert result.error_message == ""


async def test_an_authority_of_an_async_program(secure, certificate):
    """A transport of the program brings its own authority, in the async colour as well."""
    context = ssl.create_default_context(cafile=certificate)
    transport = httpx.AsyncHTTPTransport(verify=context)

    async with AsyncAGB("test-key", Config(endpoint=secure), transport=transport) as agb:
        result = await agb.get("s-1")

    assert result.error_message == ""


def test_a_certificate_that_nobody_trusts_is_named(secure):
    """The message of a refused certificate says so, and nothing was sent."""
    with AGB("test-key", Config(endpoint=secure)) as agb:
        result = agb.create()

    assert type(result.exception) is APIConnectionError
    assert "CERTIFICATE_VERIFY_FAILED" in result.error_message
    assert result.exception.outcome_unknown is False


@pytest.mark.parametrize("colour", PROGRAMS)
def test_a_proxy_of_the_environment(colour, serve):
    """`HTTP_PROXY` names a proxy that knows the way."""
    proxy, address = serve("")

    assert run(colour, SERVICE, HTTP_PROXY=address) == "succeeded"
    assert proxy.requests == ["getSession"]


@pytest.mark.parametrize("colour", PROGRAMS)
def test_what_needs_no_proxy(colour, serve):
    """`NO_PROXY` names what is reached without it."""
    _server, address = serve("")
    there = address.removeprefix("http://").partition(":")[0]

    told = run(colour, address, HTTP_PROXY="http://127.0.0.1:9", NO_PROXY=there)

    assert told == "succeeded"


def test_an_http_client_of_the_program(serve):
    """An HTTP client of the program brings its own proxy; the key and our name still go along."""
    proxy, address = serve("")

    with httpx.Client(proxy=address, trust_env=False) as http_client:
        result = AGB("test-key", Config(endpoint=SERVICE), http_client=http_client).get("s-1")

    assert result.error_message == ""
    assert proxy.headers["authorization"] == "bearer test-key"
    assert proxy.headers["user-agent"] == f"agb-python/{__version__}"


@pytest.mark.usefixtures("no_proxy")
@pytest.mark.parametrize("part", ["head of the reply", "body"])
@pytest.mark.parametrize("given", ["http_client", "transport"])
def test_a_transport_of_the_program_keeps_to_the_deadline(serve, given, part):
    """A reply that drips, from its first byte on, is given up in time on a foreign transport."""
    _server, endpoint = serve(f"drips the {part}")
    config = Config(endpoint=endpoint, timeout_ms=100)
    make = {"http_client": httpx.Client, "transport": httpx.HTTPTransport}[given]

    with make() as foreign:
        result = AGB("test-key", config, **{given: foreign}).list()

    assert type(result.exception).__name__ == "APITimeoutError"
