"""Replies of the store behind a pre-signed address: what each of them means."""

import contextlib
import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agb._core.exceptions import APIError, FileError
from agb._core.transfers import stores
from agb._core.transfers.stores import StoreReply

URL = "https://user:pw@store.test:444/bucket/file?signature=secret"
MD5 = hashlib.md5(b"content").hexdigest()


def reply(status=200, excerpt="", **headers):
    return StoreReply(
        status, {name.replace("_", "-"): value for name, value in headers.items()}, excerpt
    )


@pytest.mark.parametrize(
    ("etag", "found"),
    [
        (f'"{MD5}"', MD5),
        (MD5.upper(), MD5),
        (f'"{MD5}-3"', ""),
        (f'W/"{MD5}"', ""),
        ('"abc"', ""),
        ("", ""),
    ],
)
def test_a_checksum_is_recognised_by_its_form(etag, found):
    """32 hexadecimal digits are an MD5; the name of an object in parts is none."""
    assert reply(etag=etag).md5 == found


def test_the_name_of_an_encrypted_object_is_no_checksum():
    """With a key of a third party the name looks like an MD5 and is none."""
    encrypted = reply(etag=f'"{MD5}"', x_amz_server_side_encryption="aws:kms")

    assert encrypted.md5 == ""


@pytest.mark.parametrize("status", [200, 201, 204])
def test_what_a_store_says_to_a_file_it_takes(status):
    """Three statuses mean that the file was taken."""
    stores.check_taken(URL, reply(status))


@pytest.mark.parametrize(
    ("status", "kind", "retryable"),
    [
        (202, APIError, False),
        (206, APIError, False),
        (302, APIError, False),
        (400, APIError, False),
        (403, APIError, False),
        (404, FileError, False),
        (409, FileError, False),
        (413, FileError, False),
        (429, APIError, True),
        (500, APIError, True),
        (503, APIError, True),
        (507, FileError, False),
    ],
)
def test_what_a_store_says_to_a_file_it_refuses(status, kind, retryable):
    """Any other status is an error that says which, and whether to try again."""
    with pytest.raises(kind, match=f"HTTP {status}: why") as caught:
        stores.check_taken(URL, reply(status, "why\n"))

    assert caught.value.status_code == status
    assert caught.value.retryable is retryable
    assert "secret" not in str(caught.value)
    assert "pw" not in str(caught.value)


@pytest.mark.parametrize(
    ("excerpt", "shown"),
    [
        ("<Error><Message>Request has expired</Message></Error>", "HTTP 403: Request has expired"),
        ("<Error><StringToSign>secret</StringToSign></Error>", "HTTP 403"),
        ("", "HTTP 403"),
        ("x" * 1000, "HTTP 403: " + "x" * 200),
    ],
)
def test_the_reason_of_a_refusal(excerpt, shown):
    """Of XML only the message is shown, of anything else the beginning."""
    with pytest.raises(APIError) as caught:
        stores.check_taken(URL, reply(403, excerpt))

    assert str(caught.value).endswith(shown)


def test_how_long_a_store_asks_to_wait():
    """`Retry-After` travels with the error."""
    with pytest.raises(APIError) as caught:
        stores.check_taken(URL, reply(503, retry_after="7"))

    assert caught.value.retry_after == 7


@pytest.mark.parametrize(
    ("etag", "fits"), [(MD5, True), ("0" * 32, False), ("", True), ("x", True)]
)
def test_what_was_sent_is_what_is_there(etag, fits):
    """A checksum of the store has to be that of what was sent; without one nothing is known."""
    if fits:
        stores.check_same(URL, reply(etag=etag), MD5)
    else:
        with pytest.raises(APIError, match="got something else"):
            stores.check_same(URL, reply(etag=etag), MD5)


@pytest.mark.parametrize(
    ("answer", "received", "offset"),
    [
        (reply(200), 0, 0),
        (reply(200), 7, 0),
        (reply(206, content_range="bytes 7-9/10"), 7, 7),
        (reply(206, content_range="bytes 7-9/*"), 7, 7),
    ],
)
def test_where_a_body_belongs(answer, received, offset):
    """A whole file begins at 0, the rest of one where it was asked for."""
    assert stores.offset_of_body(URL, answer, received) == offset


@pytest.mark.parametrize(
    ("answer", "received"),
    [
        (reply(204), 0),
        (reply(206, content_range="bytes 0-9/10"), 0),
        (reply(206, content_range="bytes 3-9/10"), 7),
        (reply(206), 7),
        (reply(404), 0),
        (reply(416), 7),
    ],
)
def test_what_is_no_body_of_the_file(answer, received):
    """A part that was not asked for, and any other status, is an error."""
    with pytest.raises((APIError, FileError), match=f"HTTP {answer.status}"):
        stores.offset_of_body(URL, answer, received)


@pytest.mark.parametrize(
    ("answer", "length"),
    [
        (reply(content_length="10"), 10),
        (reply(206, content_length="3", content_range="bytes 7-9/10"), 10),
        (reply(206, content_length="3", content_range="bytes 7-9/*"), None),
        (reply(content_length="10", transfer_encoding="chunked"), None),
        (reply(content_length="-1"), None),
        (reply(), None),
    ],
)
def test_how_long_the_whole_file_is(answer, length):
    """The length is that of the file, not of the part."""
    assert stores.length(answer) == length


@pytest.mark.parametrize(
    ("answer", "problem"),
    [
        (reply(content_length="7", etag=MD5), None),
        (reply(), None),
        (reply(content_length="8"), "7 bytes instead of 8"),
        (reply(content_length="7", etag="0" * 32), "MD5"),
    ],
)
def test_what_came_is_what_the_store_has(answer, problem):
    """Length always, and the checksum if there is one."""
    if problem is None:
        stores.check_received(URL, answer, 7, MD5)
    else:
        with pytest.raises(APIError, match=problem):
            stores.check_received(URL, answer, 7, MD5)


@pytest.mark.parametrize(("etag", "can"), [('"a"', True), ('W/"a"', False), ("", False)])
def test_what_can_be_resumed(etag, can):
    """Only a strong name stands for the same bytes."""
    assert stores.can_resume(etag) is can


@pytest.mark.parametrize(
    ("answer", "target"),
    [
        (reply(307, location="https://other.test/x?y"), "https://other.test/x?y"),
        (reply(302, location="/x"), "https://user:pw@store.test:444/x"),
        (reply(307), None),
        (reply(303, location="/x"), None),
        (reply(200, location="/x"), None),
    ],
)
def test_where_a_store_sends_us(answer, target):
    """Redirects that keep the method are followed, also relative ones."""
    assert stores.redirect(URL, answer) == target


def test_a_redirect_keeps_the_encryption():
    """A way that leaves TLS is not taken."""
    with pytest.raises(APIError, match="without encryption"):
        stores.redirect(URL, reply(307, location="http://store.test/x"))


@pytest.mark.parametrize("url", [URL, "http://store.test:444/", "http://[bad/", "x"])
def test_only_the_host_of_an_address_is_shown(url):
    """No part of an address that is a key gets into a message."""
    assert stores.host(url) in ("store.test:444", "an address that is none", "")


def test_a_line_may_be_slow_but_not_dead():
    """The time that a file may take grows with what has passed."""
    assert stores.allowance_s(60, 0) == 60
    assert stores.allowance_s(60, 64 << 20) == 60 + 1024


@given(st.integers(100, 599), st.integers(0, 100), st.text(), st.text(), st.text())
def test_any_reply_is_a_body_or_an_error_of_this_package(status, received, a, b, c):
    """Whatever a store answers, nothing else comes of it."""
    answer = StoreReply(status, {"content-range": a, "content-length": b, "etag": c}, a)

    with contextlib.suppress(APIError, FileError):
        assert stores.offset_of_body(URL, answer, received) in (0, received)
    with contextlib.suppress(APIError):
        stores.check_received(URL, answer, received, MD5)
