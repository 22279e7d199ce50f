"""Whole files between this machine and real sessions of the embedded server."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import httpx
import pytest

from agb import (
    AGB,
    CreateSessionParams,
    DownloadResult,
    Session,
    UploadResult,
)
from agb._core.contexts import context_calls

SIZE = 3_500_000


@pytest.fixture
def here(tmp_path: Path) -> Path:
    """A file with a name that is not simple, and bytes that are not text."""
    path = tmp_path / "größe 世界.bin"
    path.write_bytes(os.urandom(SIZE))
    return path


def there_and_back(
    session: Session, here: Path, remote: str
) -> tuple[UploadResult, DownloadResult, bytes]:
    back = here.with_name("back")
    sent = session.file.upload(here, remote)
    got = session.file.download(remote, back)
    return sent, got, back.read_bytes() if back.exists() else b""


def shell(session: Session, command: str) -> str:
    done = session.command.execute_command(command, timeout_s=20)
    return done.unwrap()


@pytest.mark.parametrize(
    "remote",
    ["/home/user/a.bin", "/tmp/new/dir/größe 世界.bin", "/home/user/d//e/./f'\"$(x)", "/dev/shm/a"],
)
def test_a_file_goes_there_and_back(remote: str, session: Session, here: Path) -> None:
    """Every place that the session can write takes a file, which comes back as it was."""
    sent, got, content = there_and_back(session, here, remote)

    assert sent.success, sent.error_message
    assert got.success, got.error_message
    assert content == here.read_bytes()
    assert sent.etag == f'"{hashlib.md5(content).hexdigest()}"'
    assert sent.bytes_sent == got.bytes_received == SIZE
    assert len({sent.request_id_upload_url, sent.request_id_sync, None}) == 3


@pytest.mark.parametrize("content", [b"", b"x", b"\0" * 5000])
def test_small_files(content: bytes, session: Session, here: Path) -> None:
    """Also an empty file is one."""
    here.write_bytes(content)

    sent, got, back = there_and_back(session, here, "/home/user/small")
    size = shell(session, "stat -c %s /home/user/small")

    assert sent.success, sent.error_message
    assert got.success, got.error_message
    assert back == content
    assert size == f"{len(content)}\n"


def test_an_upload_replaces_a_file_whole(session: Session, here: Path) -> None:
    """A file is replaced by its name, through a link, and keeps its mode; no part is left."""
    shell(session, "echo old > ~/old; chmod 750 ~/old; ln -s old ~/link")
    here.write_text("new")

    sent = session.file.upload(here, "/home/user/link")
    seen = shell(session, "cat ~/old; stat -c ' %a %F' ~/old ~/link; ls -A ~ | wc -l")

    assert sent.success, sent.error_message
    assert seen.split("\n")[:3] == ["new 750 regular file", " 777 symbolic link", "2"]


@pytest.mark.parametrize(
    "remote",
    [
        "/etc/x",
        "/usr/bin/x",
        "/proc/self/oom_score_adj",
        "/dev/null",
        "/home/user",
        "/home/user/f/x",
    ],
)
def test_places_that_can_not_be_written(remote: str, session: Session, here: Path) -> None:
    """What the session itself can't write fails with its reason, and nothing is left behind."""
    shell(session, "touch ~/f")

    sent = session.file.upload(here, remote)

    assert not sent.success
    assert sent.http_status == 409
    assert remote in (sent.error_message or "")
    assert shell(session, "ls -A ~") == "f\n"


@pytest.mark.parametrize(
    "remote",
    ["/home/user/none", "/home/user", "/proc/self/environ", "/dev/zero", "/home/user/fifo"],
)
def test_files_that_can_not_be_read(remote: str, session: Session, here: Path) -> None:
    """What is no file with content of its own fails at once."""
    shell(session, "mkfifo ~/fifo")

    got = session.file.download(remote, here.with_name("back"))

    assert got.http_status == 404
    assert not here.with_name("back").exists()


def test_a_link_leads_nowhere_outside(session: Session, here: Path) -> None:
    """A link of the session is followed inside the session, where this machine's files are not."""
    marker = here.with_name("of this machine")
    marker.write_text("secret")
    shell(session, f"ln -s '{here.parent}' ~/out; ln -s '{marker}' ~/file; ln -s / ~/root")

    read = [
        session.file.download(path, here.with_name("back"))
        for path in ("/home/user/file", "/home/user/out/of this machine")
    ]
    written = session.file.upload(here, "/home/user/out/of this machine")
    passwd = session.file.download("/home/user/root/etc/passwd", here.with_name("passwd"))

    assert [result.success for result in read] == [False, False]
    assert marker.read_text() == "secret"
    # Directories of that name are made in the session's own `/tmp`.
    assert written.success
    assert passwd.success
    assert here.with_name("passwd").read_text() != Path("/etc/passwd").read_text()


def test_what_is_there_stays_without_overwrite(session: Session, here: Path) -> None:
    """A local file is not replaced, and the refusal comes before any request."""
    session.file.write("/home/user/a", "new")

    got = session.file.download("/home/user/a", here, overwrite=False)

    assert "overwrite is False" in (got.error_message or "")
    assert got.request_id_sync is None
    assert here.stat().st_size == SIZE


def test_several_at_once(session: Session, here: Path) -> None:
    """Uploads to one directory do not get into each other's way."""
    sent = session.file.upload(here, "/home/user/many/0")
    again = session.file.upload(here, "/home/user/many/1")
    unwaited = session.file.upload(here, "/home/user/many/2", wait=False)
    sizes = shell(session, "stat -c %s ~/many/*")

    assert sent.success
    assert again.success
    assert unwaited.success
    assert sizes == f"{SIZE}\n" * 3


def test_a_full_disk(session: Session, here: Path) -> None:
    """A file larger than the place fails, and leaves the place as it was."""
    with here.open("wb") as sparse:
        sparse.truncate(65 << 20)

    sent = session.file.upload(here, "/dev/shm/large")

    assert sent.http_status == 507
    assert "No space left" in (sent.error_message or "")
    assert shell(session, "ls -A /dev/shm") == ""


def test_addresses_end_with_their_session(agb: AGB, session: Session, here: Path) -> None:
    """An address of a session that is gone reads and writes nothing."""
    with agb.open_session(CreateSessionParams()) as other:
        other.file.write("/home/user/a", "text")
        call = context_calls.load_internal(other.session_id, ["file_transfer"])
        context_id = (agb.client.send(call)).data[0]["contextId"]
        read = agb.context.get_file_download_url(context_id, "/home/user/a")
        write = agb.context.get_file_upload_url(context_id, "/home/user/a")
        with httpx.Client(trust_env=False) as anybody:
            before = anybody.get(read.unwrap())
            part = anybody.get(read.unwrap(), headers={"Range": "bytes=1-2"})
    with httpx.Client(trust_env=False) as anybody:
        after = [anybody.get(read.unwrap()), anybody.put(write.unwrap(), content=b"x")]
    listed = agb.context.list()

    assert (before.status_code, before.text) == (200, "text")
    assert (part.status_code, part.text) == (206, "ex")
    assert part.headers["content-range"] == "bytes 1-2/4"
    assert [answer.status_code for answer in after] == [404, 404]
    assert context_id not in [context.id for context in listed.contexts]
