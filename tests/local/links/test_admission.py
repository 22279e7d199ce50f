"""Who may use a link, and what the program behind it gets to see of that."""

from __future__ import annotations

import h11
import pytest

from agb.local.links.admission import Admission, upgrade_of, without_hop_by_hop


@pytest.fixture
def admission() -> Admission:
    return Admission()


def ask(target: str, **headers: str) -> h11.Request:
    named = [(name.replace("_", "-"), value) for name, value in headers.items()]
    return h11.Request(method="GET", target=target, headers=[("host", "here.test:5"), *named])


def cookie(admission: Admission) -> str:
    """The cookie that a browser keeps after its first visit."""
    admitted = admission.admit(ask(f"/{admission.secret}/"))
    assert admitted is not None
    ((_name, value),) = admitted.headers
    return value.decode().partition(";")[0]


@pytest.mark.parametrize(
    ("asked", "passed_on"),
    [
        ("/SECRET/", b"/"),
        ("/SECRET/a/b?c=/d", b"/a/b?c=/d"),
        ("/SECRET//double", b"//double"),
        ("/SECRET/SECRET/", b"/SECRET/"),
    ],
)
def test_secret_lets_in(admission, asked, passed_on):
    """The secret lets in, and is not passed on."""
    admitted = admission.admit(ask(asked.replace("SECRET", admission.secret, 1)))

    assert admitted.target == passed_on


@pytest.mark.parametrize(
    "asked",
    [
        "/",
        "/SECRET",
        "/SECRETx/",
        "/xSECRET/",
        "/SECRET?a",
        "/a/SECRET/",
        "*",
        "//SECRET/",
        "SECRET/",
        "http://here.test:5/SECRET/",
        "/secret/",
        "/%2e/SECRET/",
    ],
)
def test_anything_else_does_not(admission, asked):
    """Without a cookie only the secret at its place lets in."""
    assert admission.admit(ask(asked.replace("SECRET", admission.secret))) is None


def test_missing_slash_is_told_apart(admission):
    """The address without its slash is not let in, but recognized."""
    assert admission.is_without_slash(ask(f"/{admission.secret}"))
    assert not admission.is_without_slash(ask(f"/{admission.secret}/"))
    assert not admission.is_without_slash(ask("/"))


def test_first_visit_sets_a_cookie(admission):
    """The cookie is for this host only, out of reach of scripts, and not sent from other sites."""
    ((name, value),) = admission.admit(ask(f"/{admission.secret}/")).headers

    assert name == b"set-cookie"
    assert value.decode().split("; ")[1:] == ["Path=/", "HttpOnly", "SameSite=Strict"]


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"sec_fetch_site": "same-origin"},
        {"sec_fetch_site": "none"},
        {"origin": "http://here.test:5"},
    ],
)
def test_cookie_lets_in(admission, headers):
    """With the cookie any path is let in, as the pages of the program ask for them."""
    admitted = admission.admit(ask("/static/app.js", cookie=f"a=b; {cookie(admission)}", **headers))

    assert (admitted.target, admitted.headers) == (b"/static/app.js", [])


@pytest.mark.parametrize(
    "headers",
    [
        {"sec_fetch_site": "same-site"},
        {"sec_fetch_site": "cross-site"},
        {"origin": "http://here.test:6"},
        {"origin": "null"},
    ],
)
def test_cookie_does_not_let_others_in(admission, headers):
    """A page of another session is at the same host and sends the cookie, but is not let in."""
    assert admission.admit(ask("/", cookie=cookie(admission), **headers)) is None


def test_cookie_of_another_link_lets_nobody_in(admission):
    """Each link has a cookie and a secret of its own."""
    other = Admission()
    mixed = cookie(admission).partition("=")[0] + "=" + other.secret

    assert admission.admit(ask("/", cookie=cookie(other))) is None
    assert admission.admit(ask("/", cookie=mixed)) is None


def test_what_the_program_sees(admission):
    """The program sees its own cookies and who asked, but no secret of any link."""
    secret = admission.secret
    request = ask(
        f"/{secret}/page",
        cookie=f"own=1; {cookie(admission)}; {cookie(Admission())}; other=2",
        referer=f"http://here.test:5/{secret}/start",
        connection="keep-alive, x-named",
        keep_alive="timeout=5",
        x_named="hop",
        x_forwarded_for="6.6.6.6",
        forwarded="for=6.6.6.6",
        te="trailers",
        accept="text/html",
    )

    seen = admission.passed_on(request, "127.0.0.1")

    assert seen == [
        (b"host", b"here.test:5"),
        (b"cookie", b"own=1; other=2"),
        (b"referer", b"http://here.test:5/start"),
        (b"accept", b"text/html"),
        (b"x-forwarded-host", b"here.test:5"),
        (b"x-forwarded-for", b"127.0.0.1"),
        (b"x-forwarded-proto", b"http"),
    ]


def test_no_empty_cookie_header(admission):
    """Where only links had cookies the program sees no header at all."""
    seen = admission.passed_on(ask("/", cookie=cookie(admission)), "127.0.0.1")

    assert b"cookie" not in dict(seen)


def test_hop_by_hop_headers_stay_behind():
    """What concerns one connection is left out, in any case of its letters."""
    headers = [
        (b"transfer-encoding", b"chunked"),
        (b"connection", b"X-Own, close"),
        (b"x-own", b""),
    ]

    assert without_hop_by_hop([*headers, (b"etag", b"e")]) == [(b"etag", b"e")]


@pytest.mark.parametrize(
    ("connection", "upgrade", "kept"),
    [
        ("Upgrade", "websocket", True),
        ("keep-alive, Upgrade", "websocket", True),
        ("keep-alive", "websocket", False),
        ("upgrade", None, False),
        ("not-upgrade", "websocket", False),
    ],
)
def test_upgrade(connection, upgrade, kept):
    """An upgrade is one only where both headers say so."""
    headers = [(b"connection", connection.encode())]
    headers += [(b"upgrade", upgrade.encode())] if upgrade else []

    assert bool(upgrade_of(headers)) is kept
