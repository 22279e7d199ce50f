"""A web server in a session, opened from outside through its link."""

from __future__ import annotations

from collections.abc import Iterator
from hashlib import sha256

import httpx
import pytest

from agb import AGB, Session

SERVER = "python3 -u -m http.server 8000 --bind 127.0.0.1"


@pytest.fixture
def visitor() -> Iterator[httpx.Client]:
    """Who opens pages, and keeps cookies as a browser does."""
    with httpx.Client(timeout=30) as client:
        yield client


def serve(session: Session) -> str:
    """Start a web server, wait until it listens, and return its link."""
    process = (session.command.start(SERVER)).unwrap()
    for piece in process:
        if "Serving HTTP" in piece.text:
            break
    return (session.get_link(port=8000)).unwrap()


def test_a_page(session: Session, visitor: httpx.Client) -> None:
    """Pages of a web server in the session are there, by addresses of either kind."""
    session.file_system.write_file("index.html", "<script src='/app.js'></script>")
    session.file_system.write_file("app.js", "// Grüße")
    link = serve(session)

    page = visitor.get(link)
    beside = visitor.get(f"{link}app.js")
    from_the_root = visitor.get(httpx.URL(link).join("/app.js"))
    without_cookie = httpx.get(httpx.URL(link).join("/app.js"))

    assert "src='/app.js'" in page.text
    assert beside.content.decode() == from_the_root.content.decode() == "// Grüße"
    assert without_cookie.status_code == 404


def test_a_large_file(session: Session, visitor: httpx.Client) -> None:
    """A file of many megabytes arrives whole."""
    session.command.execute_command("seq 3000000 > large; sha256sum < large > sum", 30_000)
    link = serve(session)

    large = visitor.get(f"{link}large")
    checksum = visitor.get(f"{link}sum")

    assert sha256(large.content).hexdigest() == checksum.text.split()[0]


def test_nothing_listens(session: Session, visitor: httpx.Client) -> None:
    """A link may be asked for before its program runs; the page says what is missing."""
    link = (session.get_link(port=8000)).unwrap()

    before = visitor.get(link)
    same = serve(session)
    after = visitor.get(link)

    assert (before.status_code, after.status_code) == (502, 200)
    assert "listens on port 8000" in before.text
    assert same == link


def test_links_end_with_their_session(agb: AGB, visitor: httpx.Client) -> None:
    """After its session nobody listens at a link; the link of another session lives on."""
    first, second = (agb.create()).unwrap(), (agb.create()).unwrap()
    links = [serve(first), serve(second)]
    (first.delete()).raise_for_error()

    with pytest.raises(httpx.ConnectError):
        visitor.get(links[0])
    still = visitor.get(links[1])
    (second.delete()).raise_for_error()

    assert still.status_code == 200


def test_a_link_needs_a_port(session: Session) -> None:
    """Without a port there is nothing to link to, and the message says what to ask for."""
    result = session.get_link()

    assert result.success is False
    assert "port is required" in result.error_message
