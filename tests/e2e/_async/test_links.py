"""A web server in a session, opened from outside through its link."""

from __future__ import annotations

from collections.abc import AsyncIterator
from hashlib import sha256

import httpx
import pytest

from agb import AsyncAGB, AsyncSession

SERVER = "python3 -u -m http.server 8000 --bind 127.0.0.1"


@pytest.fixture
async def visitor() -> AsyncIterator[httpx.AsyncClient]:
    """Who opens pages, and keeps cookies as a browser does."""
    async with httpx.AsyncClient(timeout=30) as client:
        yield client


async def serve(session: AsyncSession) -> str:
    """Start a web server, wait until it listens, and return its link."""
    process = (await session.command.start(SERVER)).unwrap()
    async for piece in process:
        if "Serving HTTP" in piece.text:
            break
    return (await session.get_link(port=8000)).unwrap()


async def test_a_page(session: AsyncSession, visitor: httpx.AsyncClient) -> None:
    """Pages of a web server in the session are there, by addresses of either kind."""
    await session.file_system.write_file("index.html", "<script src='/app.js'></script>")
    await session.file_system.write_file("app.js", "// Grüße")
    link = await serve(session)

    page = await visitor.get(link)
    beside = await visitor.get(f"{link}app.js")
    from_the_root = await visitor.get(httpx.URL(link).join("/app.js"))
    without_cookie = httpx.get(httpx.URL(link).join("/app.js"))

    assert "src='/app.js'" in page.text
    assert beside.content.decode() == from_the_root.content.decode() == "// Grüße"
    assert without_cookie.status_code == 404


async def test_a_large_file(session: AsyncSession, visitor: httpx.AsyncClient) -> None:
    """A file of many megabytes arrives whole."""
    await session.command.execute_command("seq 3000000 > large; sha256sum < large > sum", 30_000)
    link = await serve(session)

    large = await visitor.get(f"{link}large")
    checksum = await visitor.get(f"{link}sum")

    assert sha256(large.content).hexdigest() == checksum.text.split()[0]


async def test_nothing_listens(session: AsyncSession, visitor: httpx.AsyncClient) -> None:
    """A link may be asked for before its program runs; the page says what is missing."""
    link = (await session.get_link(port=8000)).unwrap()

    before = await visitor.get(link)
    same = await serve(session)
    after = await visitor.get(link)

    assert (before.status_code, after.status_code) == (502, 200)
    assert "listens on port 8000" in before.text
    assert same == link


async def test_links_end_with_their_session(agb: AsyncAGB, visitor: httpx.AsyncClient) -> None:
    """After its session nobody listens at a link; the link of another session lives on."""
    first, second = (await agb.create()).unwrap(), (await agb.create()).unwrap()
    links = [await serve(first), await serve(second)]
    (await first.delete()).raise_for_error()

    with pytest.raises(httpx.ConnectError):
        await visitor.get(links[0])
    still = await visitor.get(links[1])
    (await second.delete()).raise_for_error()

    assert still.status_code == 200


async def test_a_link_needs_a_port(session: AsyncSession) -> None:
    """Without a port there is nothing to link to, and the message says what to ask for."""
    result = await session.get_link()

    assert result.success is False
    assert "port is required" in result.error_message
