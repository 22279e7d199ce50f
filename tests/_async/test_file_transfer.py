"""Whole files between this machine and a store that misbehaves, over real connections."""

from __future__ import annotations

import hashlib
import json
import logging
import re
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import httpx
import pytest

from agb import APIConnectionError, APIError, APITimeoutError, AsyncAGB, Config, FileError

from ..conftest import shown

CONTENT = bytes(range(256)) * 5_000  # 1.28 MB
MD5 = hashlib.md5(CONTENT).hexdigest()
KEY = "planted-api-key"


class Store:
    """Plays one answer after the other: a function of the request's handler, the last for good."""

    def __init__(self):
        self.answers = [whole]
        self.requests = []
        self.bodies = []
        self.finished = threading.Event()

    def answer(self, handler):
        size = int(handler.headers.get("content-length", 0))
        self.bodies.append(handler.rfile.read(size))
        self.requests.append((handler.command, handler.path, dict(handler.headers.items())))
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        answer(handler)


def respond(handler, status=200, content=b"", announced=None, **headers):
    handler.send_response(status)
    handler.send_header("Content-Length", str(len(content) if announced is None else announced))
    for name, value in headers.items():
        handler.send_header(name.replace("_", "-"), value)
    handler.end_headers()
    if handler.command != "HEAD":
        handler.wfile.write(content)


def whole(handler, etag=f'"{MD5}"'):
    """Take a file, or give it; the rest of it if that is asked for."""
    if handler.command == "PUT":
        respond(handler, 200, ETag=etag)
        return
    wanted = re.fullmatch(r"bytes=(\d+)-", handler.headers.get("range", ""))
    if wanted and handler.headers.get("if-range") == etag:
        begin, end = int(wanted[1]), len(CONTENT)
        part = f"bytes {begin}-{end - 1}/{end}"
        respond(handler, 206, CONTENT[begin:], ETag=etag, Content_Range=part)
    else:
        respond(handler, 200, CONTENT, ETag=etag)


def breaking_after(size, etag=f'"{MD5}"'):
    """Give the beginning of the file and hang up."""

    def answer(handler):
        begin = int(re.findall(r"\d+", handler.headers.get("range", "0"))[0])
        content = CONTENT[begin : begin + size]
        part = f"bytes {begin}-{len(CONTENT) - 1}/{len(CONTENT)}"
        status, more = (206, {"Content_Range": part}) if begin else (200, {})
        respond(handler, status, content, len(CONTENT) - begin, ETag=etag, **more)
        handler.close_connection = True

    return answer


def refusing(status, content=b"", **headers):
    return lambda handler: respond(handler, status, content, **headers)


def hanging_up(handler):
    handler.close_connection = True


@pytest.fixture
def store():
    return Store()


@pytest.fixture
def address(store, no_proxy):
    """Where the store listens."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True  # head and body are two packets

        def do_GET(self):
            store.answer(self)

        do_PUT = do_GET

        def log_message(self, format, *args):
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.block_on_close = False
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/files/a?signature=secret"
        store.finished.set()
        server.shutdown()
        thread.join()


@pytest.fixture
async def client(service, served, address):
    """A client whose service names the store, all over real connections."""
    service.on(
        "/sdk/GetAndLoadInternalContext",
        service.ok([{"contextId": "c", "contextType": "file_transfer"}]),
    )
    for word in ("Up", "Down"):
        service.on(f"/sdk/GetContextFile{word}loadUrl", service.ok({"url": address}))
    service.on("/sdk/SyncContext", service.ok())
    numbers = iter(range(1000))

    def tasks(request):
        fields = {"contextId": "c", "path": "/d", "status": "Success"}
        kinds = [{**fields, "taskType": k, "n": next(numbers)} for k in ("upload", "download")]
        return service.ok(
            {"contextStatus": json.dumps([{"type": "data", "data": json.dumps(kinds)}])}
        )

    service.on("/sdk/GetContextInfo", tasks)
    async with AsyncAGB(KEY, Config(endpoint=served, timeout_ms=5000)) as client:
        yield client


@pytest.fixture
async def file(client):
    """The files of a session of `client`."""
    return (await client.create()).unwrap().file


@pytest.fixture
def here(tmp_path):
    """A file to send."""
    path = tmp_path / "here"
    path.write_bytes(CONTENT)
    return path


@pytest.fixture
def place(tmp_path):
    """Where a file shall be, in a directory that holds nothing else."""
    return tmp_path / "got" / "there"


async def test_a_file_goes_up(file, store, here):
    """The bytes of the file, and no more headers than the protocol has: no key, no type."""
    sent = await file.upload(here, "/d/a")

    (method, path, headers) = store.requests[0]
    assert sent.success, sent.error_message
    assert sent.etag == f'"{MD5}"'
    assert store.bodies == [CONTENT]
    assert (method, path) == ("PUT", "/files/a?signature=secret")
    assert headers["Content-Length"] == str(len(CONTENT))
    assert not {"authorization", "content-type"} & {name.lower() for name in headers}
    assert KEY not in str(headers)


async def test_a_file_comes_down(file, store, place):
    """The bytes of the file, in directories that are made."""
    got = await file.download("/d/a", place)

    assert got.success, got.error_message
    assert place.read_bytes() == CONTENT
    assert list(place.parent.iterdir()) == [place]
    assert KEY not in str(store.requests)


async def test_an_empty_file_comes_down(file, store, place):
    """A file without a byte is there, and empty."""
    store.answers = [lambda handler: respond(handler, 200)]

    got = await file.download("/d/a", place)

    assert got.success, got.error_message
    assert place.read_bytes() == b""


async def test_the_media_type_is_that_of_the_caller(file, store, here):
    """A media type is sent if one is given."""
    await file.upload(str(here), "/d/a", content_type="text/plain; charset=utf-8")

    assert store.requests[0][2]["Content-Type"] == "text/plain; charset=utf-8"


async def test_progress_is_told(file, here, place):
    """The callback hears 0, then each block, and at last the size; also of an empty file."""
    up, down, empty = [], [], []
    nothing = here.with_name("nothing")
    nothing.touch()

    await file.upload(here, "/d/a", progress_cb=up.append)
    await file.download("/d/a", place, progress_cb=down.append)
    await file.upload(nothing, "/d/a", progress_cb=empty.append)

    for told in (up, down):
        assert told == sorted(told)
        assert (told[0], told[-1], len(told)) == (0, len(CONTENT), 3)
    assert empty == [0]


@pytest.mark.parametrize(
    "error", [KeyError("stop"), APIConnectionError("stop", retryable=True), TimeoutError("stop")]
)
async def test_what_the_callback_raises_is_raised(error, file, here, place):
    """An error of the program is its own, whatever it is; nothing is left behind."""

    def stop(done):
        if done >= 1 << 20:
            raise error

    with pytest.raises(type(error)) as up:
        await file.upload(here, "/d/a", progress_cb=stop)
    with pytest.raises(type(error)) as down:
        await file.download("/d/a", place, progress_cb=stop)

    assert up.value is down.value is error
    assert list(place.parent.iterdir()) == []


async def test_a_broken_download_goes_on_where_it_was(file, store, place):
    """What has come is not asked for again, as long as the store still has the same content."""
    store.answers = [breaking_after(500_000), breaking_after(500_000), whole]
    told = []

    got = await file.download("/d/a", place, progress_cb=told.append)

    asked = [headers.get("Range") for _, _, headers in store.requests]
    assert got.success, got.error_message
    assert asked == [None, "bytes=500000-", "bytes=1000000-"]
    assert store.requests[1][2]["If-Range"] == f'"{MD5}"'
    assert place.read_bytes() == CONTENT
    assert told == sorted(told)
    assert got.http_status == 206
    assert got.bytes_received == len(CONTENT)


async def test_a_download_begins_anew_if_the_content_has_changed(file, store, place):
    """A store with something else by now gives all of it."""
    store.answers = [breaking_after(1_000_000, etag='"old"'), whole]

    got = await file.download("/d/a", place)

    assert got.success, got.error_message
    assert place.read_bytes() == CONTENT


@pytest.mark.parametrize("etag", ["", 'W/"weak"'])
async def test_a_download_without_a_strong_name_begins_anew(etag, file, store, place):
    """Without a name for the same bytes the rest is not asked for."""
    store.answers = [breaking_after(1_000_000, etag=etag), whole]

    got = await file.download("/d/a", place)

    assert got.success, got.error_message
    assert "Range" not in store.requests[1][2]


async def test_tries_are_bounded(file, store, place):
    """A store that always hangs up is given up; the place stays what it was."""
    place.parent.mkdir()
    place.write_text("before")
    store.answers = [breaking_after(10)]

    got = await file.download("/d/a", place)

    assert not got.success
    assert type(got.exception) is APIConnectionError
    assert len(store.requests) == 3
    assert place.read_text() == "before"
    assert list(place.parent.iterdir()) == [place]


async def test_an_upload_that_is_cut_off_is_sent_again(file, store, here):
    """The whole file goes to the same address again, and progress begins anew."""
    store.answers = [hanging_up, refusing(503), whole]
    told = []

    sent = await file.upload(here, "/d/a", progress_cb=told.append)

    assert sent.success, sent.error_message
    assert store.bodies == [CONTENT] * 3
    assert told.count(0) == 3


@pytest.mark.parametrize("wrong", [f'"{"0" * 32}"', "0" * 32])
async def test_another_checksum_fails(wrong, file, store, here, place):
    """A checksum of the store that is not that of the file fails either way."""
    store.answers = [lambda handler: whole(handler, wrong)]

    sent, got = await file.upload(here, "/d/a"), await file.download("/d/a", place)

    assert "got something else" in sent.error_message
    assert "came changed" in got.error_message
    assert not place.exists()
    assert list(place.parent.iterdir()) == []


async def test_a_name_that_is_no_checksum_is_fine(file, store, here, place):
    """Other names of a content say nothing about its bytes."""
    store.answers = [lambda handler: whole(handler, f'"{"0" * 32}-2"')]

    sent, got = await file.upload(here, "/d/a"), await file.download("/d/a", place)

    assert sent.success
    assert got.success


async def test_refusals(file, store, here, place):
    """What the store says is in the message, the address is not."""
    store.answers = [refusing(403, b"<E><Message>Request has expired</Message></E>")]

    sent, got = await file.upload(here, "/d/a"), await file.download("/d/a", place)

    for result in (sent, got):
        assert result.http_status == 403
        assert "Request has expired" in result.error_message
        assert "secret" not in result.error_message
        assert type(result.exception) is APIError
    assert list(place.parent.iterdir()) == []


async def test_what_is_seen_of_a_transfer(file, store, here, place, caplog, spans):
    """Each request to the store has a debug line and a span, with the host of the address only."""
    caplog.set_level(logging.DEBUG)
    store.answers = [whole, refusing(403), hanging_up]

    await file.upload(here, "/d/a")
    await file.download("/d/a", place)
    await file.download("/d/a", place)

    lines = [re.sub(r"\d+ ms", "… ms", record.getMessage()) for record in caplog.records]
    lines = [line for line in lines if " of a file at " in line]
    assert [re.sub(r"127\.0\.0\.1:\d+", "HOST", line) for line in lines] == [
        f"PUT of a file at HOST: HTTP 200, {len(CONTENT)} bytes, … ms",
        "GET of a file at HOST: APIError, 0 bytes, … ms",
        *["GET of a file at HOST: RemoteProtocolError, 0 bytes, … ms"] * 3,
    ]
    told = [span for span in spans() if span.name.startswith("agb file")]
    assert [span.name for span in told] == ["agb file PUT", *["agb file GET"] * 4]
    assert [span.attributes.get("error.type") for span in told] == [
        None,
        "APIError",
        *["RemoteProtocolError"] * 3,
    ]
    assert told[0].attributes["http.response.status_code"] == 200
    assert "signature" not in caplog.text + "".join(map(shown, told))


async def test_a_long_refusal_is_cut(file, store, place):
    """A refusal of any length says its beginning only."""
    store.answers = [refusing(400, b"x" * 1_000_000)]

    got = await file.download("/d/a", place)

    assert len(got.error_message) < 300


async def test_redirects_are_followed(file, store, here, place):
    """The file goes where the store sends us, both ways; without end is an error."""
    store.answers = [refusing(307, Location="/elsewhere"), whole]
    sent = await file.upload(here, "/d/a")
    store.answers = [refusing(302, Location="/elsewhere"), whole]
    got = await file.download("/d/a", place)
    store.answers = [refusing(307, Location="/elsewhere")]
    endless = await file.download("/d/a", place)

    assert sent.success, sent.error_message
    assert got.success, got.error_message
    assert [path for _, path, _ in store.requests[:4]] == [
        "/files/a?signature=secret",
        "/elsewhere",
    ] * 2
    assert "redirects without end" in endless.error_message


async def test_a_store_that_says_nothing_is_given_up(service, file, client, store, here, place):
    """A wait for the network is bounded, also where the rest never comes."""

    def silent(handler):
        respond(handler, 200, CONTENT[:1000], announced=len(CONTENT))
        handler.wfile.flush()
        store.finished.wait(20)
        handler.close_connection = True

    client.client._config = Config(endpoint=client.config.endpoint, timeout_ms=2000)
    client.client._max_retries = 0
    store.answers = [silent]

    got = await file.download("/d/a", place)
    store.answers = [lambda handler: store.finished.wait(20)]
    sent = await file.upload(here, "/d/a")

    for result in (got, sent):
        assert type(result.exception) is APITimeoutError
        assert "nothing for 2 s" in result.error_message
    assert got.bytes_received == 1000


async def test_a_store_that_drips_is_given_up(file, client, store, place):
    """A byte now and then keeps no transfer alive."""

    def dripping(handler):
        respond(handler, 200, b"", announced=len(CONTENT))
        while not store.finished.wait(0.05):
            handler.wfile.write(b"x")

    client.client._config = Config(endpoint=client.config.endpoint, timeout_ms=2000)
    store.answers = [dripping]

    got = await file.download("/d/a", place)
    store.finished.set()

    assert "too slow" in got.error_message
    assert len(store.requests) == 1


@pytest.mark.parametrize("url", ["ftp://files/a", "no address", "http://a:b/"])
async def test_an_address_that_is_none(url, service, file, here, place):
    """What can't be asked is an error that can't pass."""
    for word in ("Up", "Down"):
        service.on(f"/sdk/GetContextFile{word}loadUrl", service.ok({"url": url}))

    sent, got = await file.upload(here, "/d/a"), await file.download("/d/a", place)

    for result in (sent, got):
        assert isinstance(result.exception, APIError)
        assert not result.exception.retryable


async def test_nobody_listens(service, file, here, nowhere):
    """A store that can't be reached is tried again and then named."""
    service.on("/sdk/GetContextFileUploadUrl", service.ok({"url": f"{nowhere}/a"}))

    sent = await file.upload(here, "/d/a")

    assert type(sent.exception) is APIConnectionError
    assert nowhere.removeprefix("http://") in sent.error_message


async def test_files_here_that_can_not_be_sent(service, file, tmp_path):
    """A missing file, a directory and a name too long fail, and nothing is asked."""
    service.requests.clear()

    results = [
        await file.upload(tmp_path / "missing", "/d/a"),
        await file.upload(tmp_path, "/d/a"),
        await file.upload(tmp_path / ("x" * 300), "/d/a"),
    ]

    assert service.seen == []
    for result in results:
        assert type(result.exception) is FileError
        assert str(tmp_path) in result.error_message


async def test_places_here_that_can_not_be_taken(service, file, tmp_path):
    """A directory, a place below a file, and one that is taken fail, and nothing is asked."""
    (tmp_path / "taken").touch()
    (tmp_path / "link").symlink_to("dangling")
    service.requests.clear()

    results = [
        await file.download("/d/a", tmp_path),
        await file.download("/d/a", tmp_path / "taken" / "a"),
        await file.download("/d/a", tmp_path / "taken", overwrite=False),
        await file.download("/d/a", tmp_path / "link", overwrite=False),
    ]

    assert service.seen == []
    for result in results:
        assert type(result.exception) is FileError
    assert sorted(path.name for path in tmp_path.iterdir()) == ["link", "taken"]


async def test_a_place_that_is_taken_meanwhile(file, store, place):
    """Without `overwrite` what another program put there is not replaced."""

    def meanwhile(handler):
        place.write_text("of another program")
        whole(handler)

    store.answers = [meanwhile]

    got = await file.download("/d/a", place, overwrite=False)

    assert "overwrite is False" in got.error_message
    assert place.read_text() == "of another program"
    assert list(place.parent.iterdir()) == [place]


async def test_a_file_that_is_replaced(file, tmp_path):
    """The file that a link leads to is replaced, and keeps its mode."""
    target, link = tmp_path / "target", tmp_path / "link"
    target.write_text("before")
    target.chmod(0o640)
    link.symlink_to(target)

    got = await file.download("/d/a", link)

    assert got.success
    assert link.is_symlink()
    assert target.read_bytes() == CONTENT
    assert target.stat().st_mode & 0o777 == 0o640


async def test_a_file_that_becomes_shorter(file, here):
    """A file that is cut while it is sent fails; what is added to it is not sent."""

    def cut(done):
        if done == 1 << 20:
            with here.open("r+b") as opened:
                opened.truncate(done)

    def add(done):
        with here.open("ab") as opened:
            opened.write(b"more")

    cut_off = await file.upload(here, "/d/a", progress_cb=cut)
    here.write_bytes(CONTENT)
    added = await file.upload(here, "/d/a", progress_cb=add)

    assert "became shorter" in cut_off.error_message
    assert added.success, added.error_message
    assert added.bytes_sent == len(CONTENT)


async def test_injected_http_clients_carry_files_too(service, file, store, address, here):
    """An HTTP client of the program is used, but nothing of its own headers and accounts."""
    async with httpx.AsyncClient(
        headers={"X-Own": "mine", "Authorization": "mine"}, auth=("user", "mine")
    ) as injected:
        config = Config(endpoint="http://test.invalid")
        client = AsyncAGB(KEY, config, http_client=injected)
        source = client.client._for_stores()

        assert source is injected

        session_file = type(file)(file.session)
        file.session.get_client()._http_client = injected
        sent = await session_file.upload(here, "/d/a")

    assert sent.success, sent.error_message
    assert "mine" not in str(store.requests)


async def test_a_closed_client_sends_nothing(client, file, store, here):
    """Using a closed client is a mistake of the program, as everywhere."""
    await client.aclose()

    with pytest.raises(RuntimeError, match="closed"):
        await file.upload(here, "/d/a")
    assert store.requests == []


async def test_where_transfers_are_meant_to_be(service, file):
    """The directory that the service names, by both names of the method."""
    context = {"contextId": "c", "contextType": "file_transfer", "contextPath": "/x"}
    service.on("/sdk/GetAndLoadInternalContext", service.ok([context]))

    assert await file.transfer_path() == "/x"
    assert await file.get_file_transfer_context_path() == "/x"
    service.on("/sdk/GetAndLoadInternalContext", service.refused("no"))
    assert await file.transfer_path() is None
