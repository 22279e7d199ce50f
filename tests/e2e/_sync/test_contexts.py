"""Contexts of the embedded server: files that outlive sessions, and what policies do to them."""

from __future__ import annotations

import json
import secrets

import httpx
import pytest

from agb import (
    AGB,
    BWList,
    ContextListParams,
    ContextSync,
    CreateSessionParams,
    DeletePolicy,
    DownloadPolicy,
    ExtractPolicy,
    Lifecycle,
    MappingPolicy,
    RecyclePolicy,
    Session,
    SyncPolicy,
    UploadMode,
    UploadPolicy,
    WhiteList,
)

DATA = "/home/user/data"


@pytest.fixture
def context_id(agb: AGB) -> str:
    """A context of its own for each test."""
    made = agb.context.create(f"test-{secrets.token_hex(8)}")
    return made.unwrap().id


def with_context(
    context_id: str, path: str = DATA, policy: SyncPolicy | None = None
) -> CreateSessionParams:
    return CreateSessionParams(context_syncs=[ContextSync(context_id, path, policy)])


def shell(session: Session, command: str) -> str:
    done = session.command.execute_command(command, timeout_s=20)
    return done.unwrap()


def files(agb: AGB, context_id: str, folder: str = DATA) -> list[str]:
    listed = agb.context.list_files(context_id, folder)
    return [entry.file_name for entry in listed.unwrap()]


@pytest.mark.parametrize("path", [DATA, "/data", "/tmp/data", "/srv/a/b"])
def test_a_file_is_there_in_the_next_session(path: str, agb: AGB, context_id: str) -> None:
    """What one session writes below the path of a context, the next one that mounts it reads."""
    params = with_context(context_id, path)
    with agb.open_session(params) as session:
        session.file_system.write_file(f"{path}/notes.txt", "kept")
        shell(session, f"mkdir -p {path}/d/e; echo deep > {path}/d/e/f; chmod 700 {path}/d/e/f")
    with agb.open_session(params) as session:
        read = session.file_system.read_file(f"{path}/notes.txt")
        script = shell(session, f"cat {path}/d/e/f; stat -c %a {path}/d/e/f; touch {path}/new")
    with agb.open_session() as session:
        other = session.file_system.read_file(f"{path}/notes.txt")

    assert read.content == "kept"
    assert script == "deep\n700\n"
    assert not other.success


def test_what_is_deleted_stays_deleted(agb: AGB, context_id: str) -> None:
    """A file that a session deletes is gone in the next one, unless the policy keeps it."""
    keeping = SyncPolicy(delete_policy=DeletePolicy(sync_local_file=False))
    with agb.open_session(with_context(context_id)) as session:
        shell(session, f"mkdir {DATA}/d; touch {DATA}/a {DATA}/b {DATA}/d/c")
    with agb.open_session(with_context(context_id, policy=keeping)) as session:
        shell(session, f"rm {DATA}/a")
    kept = files(agb, context_id)
    with agb.open_session(with_context(context_id)) as session:
        shell(session, f"rm -r {DATA}/a {DATA}/d; mkdir {DATA}/a")
    gone = files(agb, context_id)

    assert kept == ["a", "b", "d"]
    assert gone == ["a", "b"]


def test_a_session_saves_and_brings_when_it_is_asked(agb: AGB, context_id: str) -> None:
    """`sync` saves while the session lives, and brings what came meanwhile."""
    with (
        agb.open_session(with_context(context_id)) as one,
        agb.open_session(with_context(context_id)) as other,
    ):
        one.file_system.write_file(f"{DATA}/a", "from one")
        saved = one.context.sync()
        before = other.file_system.read_file(f"{DATA}/a")
        brought = other.context.sync(context_id, DATA, "download")
        after = other.file_system.read_file(f"{DATA}/a")
        info = other.context.info(context_id)
        wrong = other.context.sync(context_id, "/elsewhere")

    assert saved.success
    assert not before.success
    assert brought.success
    assert after.content == "from one"
    assert {(task.task_type, task.status) for task in info.context_status_data} == {
        ("download", "Success")
    }
    assert "Context not found" in wrong.error_message


def test_nothing_is_saved_or_brought_unasked(agb: AGB, context_id: str) -> None:
    """Without auto_upload a session leaves no trace, without auto_download it begins empty."""
    quiet = SyncPolicy(upload_policy=UploadPolicy(auto_upload=False))
    empty = SyncPolicy(download_policy=DownloadPolicy(auto_download=False))
    with agb.open_session(with_context(context_id)) as session:
        shell(session, f"touch {DATA}/kept")
    with agb.open_session(with_context(context_id, policy=quiet)) as session:
        shell(session, f"touch {DATA}/lost")
    with agb.open_session(with_context(context_id, policy=empty)) as session:
        seen = shell(session, f"ls {DATA}")
        session.context.sync(mode="download")
        seen_later = shell(session, f"ls {DATA}")

    assert seen == ""
    assert seen_later == "kept\n"


def test_white_lists(agb: AGB, context_id: str) -> None:
    """Only what is on a white list travels, and nothing that it excludes."""
    lists = BWList([WhiteList("/src", ["/src/build"]), WhiteList("one.txt")])
    policy = SyncPolicy(bw_list=lists)
    with agb.open_session(with_context(context_id, policy=policy)) as session:
        made = "one.txt two.txt src/a src/build/b src/lib/c"
        shell(session, f"cd {DATA}; mkdir -p src/build src/lib; touch {made}")
    with agb.open_session(with_context(context_id)) as session:
        found = shell(session, f"cd {DATA}; find . -type f | sort")

    assert found.split() == ["./one.txt", "./src/a", "./src/lib/c"]


def test_archive_mode(agb: AGB, context_id: str) -> None:
    """In archive mode the context holds one archive, and sessions see the files in it."""
    upload = UploadPolicy(upload_mode=UploadMode.ARCHIVE)
    packed = SyncPolicy(upload_policy=upload)
    closed = SyncPolicy(upload_policy=upload, extract_policy=ExtractPolicy(extract=False))
    with agb.open_session(with_context(context_id, policy=packed)) as session:
        shell(session, f"cd {DATA}; mkdir d; echo 1 > d/a; ln -s d/a link; echo x > old")
    kept = files(agb, context_id)
    with agb.open_session(with_context(context_id, policy=closed)) as session:
        archive = shell(session, f"cd {DATA}; ls; tar tzf archive.tar.gz | sort; touch more")
    with agb.open_session(with_context(context_id, policy=packed)) as session:
        unpacked = shell(session, f"cd {DATA}; ls -1; cat link; rm old")
    with agb.open_session(with_context(context_id, policy=packed)) as session:
        later = shell(session, f"cd {DATA}; ls -1")

    assert kept == ["archive.tar.gz"]
    assert archive.split() == ["archive.tar.gz", "./", "./d/", "./d/a", "./link", "./old"]
    assert unpacked.split() == ["d", "link", "more", "old", "1"]
    assert later.split() == ["d", "link", "more"]


def test_mapping(agb: AGB, context_id: str) -> None:
    """Files keep the path that they were saved from; a mapping brings them to another one."""
    mapped = SyncPolicy(mapping_policy=MappingPolicy(DATA))
    with agb.open_session(with_context(context_id)) as session:
        shell(session, f"echo 1 > {DATA}/a")
    with agb.open_session(with_context(context_id, "/elsewhere")) as session:
        unmapped = shell(session, "ls /elsewhere")
    with agb.open_session(with_context(context_id, "/elsewhere", mapped)) as session:
        seen = shell(session, "cat /elsewhere/a; echo 2 > /elsewhere/b")

    assert unmapped == ""
    assert seen == "1\n"
    assert files(agb, context_id) == ["a", "b"]


def test_recycled_files_are_new_enough(agb: AGB, context_id: str) -> None:
    """What was saved a moment ago is not recycled by any lifecycle."""
    policy = SyncPolicy(recycle_policy=RecyclePolicy(Lifecycle.LIFECYCLE_1DAY, [""]))
    for _ in range(2):
        with agb.open_session(with_context(context_id, policy=policy)) as session:
            shell(session, f"touch {DATA}/a")

    assert files(agb, context_id) == ["a"]


def test_links_are_kept_and_lead_nowhere_on_the_host(agb: AGB, context_id: str) -> None:
    """A link comes back as a link, and no address of a file follows it."""
    with agb.open_session(with_context(context_id)) as session:
        shell(session, f"cd {DATA}; ln -s /etc/passwd file; ln -s / top; mkfifo fifo")
    listed = (agb.context.list_files(context_id, f"{DATA}/top")).unwrap()
    for path in ("file", "top/etc/passwd", "fifo"):
        link = agb.context.get_file_download_url(context_id, f"{DATA}/{path}")
        assert httpx.get(link.unwrap()).status_code == 404
    up = agb.context.get_file_upload_url(context_id, f"{DATA}/top/tmp/agb-escaped")
    written = httpx.put(up.unwrap(), content=b"x")
    with agb.open_session(with_context(context_id)) as session:
        found = shell(session, f"cd {DATA}; readlink file; ls -1; cat top/tmp/agb-escaped")

    assert listed == []
    assert written.status_code == 200
    assert found.split() == ["/etc/passwd", "file", "top", "x"]


def test_file_addresses(agb: AGB, context_id: str) -> None:
    """Anybody can write and read a file by its address, for its one purpose."""
    up = agb.context.get_file_upload_url(context_id, f"{DATA}/in/a b.bin")
    down = agb.context.get_file_download_url(context_id, f"{DATA}/in/a b.bin")
    early = httpx.get(down.url)
    content = bytes(range(256)) * 4096
    written = httpx.put(up.url, content=content)
    read = httpx.get(down.url)
    with agb.open_session(with_context(context_id)) as session:
        brought = session.file_system.read_file(f"{DATA}/in/a b.bin", format="bytes")

    assert early.status_code == 404
    assert (written.status_code, read.status_code) == (200, 200)
    assert written.headers["etag"]
    assert read.content == brought.content == content
    assert httpx.put(down.url, content=b"").status_code == 403
    assert httpx.get(up.url).status_code == 403
    assert httpx.get(down.url + "x").status_code == 403


def test_files_are_listed_by_page_and_deleted(agb: AGB, context_id: str) -> None:
    """Each page has its entries and the count of all; a deleted file is gone."""
    with agb.open_session(with_context(context_id)) as session:
        shell(session, f"cd {DATA}; mkdir d; printf 12345 > a; touch b c")
    first = agb.context.list_files(context_id, DATA, 1, 3)
    second = agb.context.list_files(context_id, DATA, 2, 3)
    deleted = agb.context.delete_file(context_id, f"{DATA}/a")
    again = agb.context.delete_file(context_id, f"{DATA}/a")
    folder = agb.context.delete_file(context_id, f"{DATA}/d")

    assert [entry.file_name for entry in first.entries] == ["a", "b", "c"]
    assert [entry.file_name for entry in second.entries] == ["d"]
    assert first.count == second.count == 4
    assert (first.entries[0].file_path, first.entries[0].size) == (f"{DATA}/a", 5)
    assert (first.entries[0].file_type, second.entries[0].file_type) == ("file", "folder")
    assert deleted.success
    assert folder.success
    assert "not found" in again.error_message
    assert files(agb, context_id) == ["b", "c"]


def test_the_life_of_a_context(agb: AGB) -> None:
    """A context is made once, found by name and id, listed, renamed, emptied and deleted."""
    name = f"life-{secrets.token_hex(8)}"
    missing = agb.context.get(name)
    made = (agb.context.create(name)).unwrap()
    same = (agb.context.get(name, True)).unwrap()
    up = agb.context.get_file_upload_url(made.id, "/a/b")
    httpx.put(up.url, content=b"x")
    page = agb.context.list(ContextListParams(max_results=1))
    made.name = f"{name}-new"
    renamed = agb.context.update(made)
    found = (agb.context.get(context_id=made.id)).unwrap()
    cleared = agb.context.clear(made.id, poll_interval=0.02)
    left = files(agb, made.id, "/")
    deleted = agb.context.delete(made)
    gone = agb.context.get(context_id=made.id)
    refused = agb.create(with_context(made.id))

    assert not missing.success
    assert same.id == made.id
    assert len(page.contexts) == 1
    assert page.total_count >= 1
    assert renamed.data == {"context_id": made.id}
    assert found.name == f"{name}-new"
    assert cleared.status == "available"
    assert left == []
    assert deleted.success
    for failed in (gone, refused):
        assert not failed.success
        assert "Context not found" in failed.error_message


def test_contexts_page_by_page(agb: AGB) -> None:
    """A walk by tokens meets each context once."""
    ids = {(agb.context.create(f"page-{secrets.token_hex(8)}")).unwrap().id for _ in range(3)}
    seen: list[str] = []
    token = None
    while token != "":
        page = agb.context.list(ContextListParams(2, token))
        seen += [context.id for context in page.unwrap()]
        token = page.next_token

    assert ids <= set(seen)
    assert len(seen) == len(set(seen)) == page.total_count


@pytest.mark.parametrize(
    "path", ["relative", "/", "/usr/lib/x", "/etc", "/proc/x", "/home", "/data/../etc", "/opt/agb"]
)
def test_where_a_context_can_not_be(path: str, agb: AGB, context_id: str) -> None:
    """A path that the sandbox needs for itself is refused with a reason, and no session is left."""
    refused = agb.create(with_context(context_id, path))

    assert not refused.success
    assert path in refused.error_message or "path" in refused.error_message


def test_contexts_that_hold_each_other(agb: AGB, context_id: str) -> None:
    """Two contexts at one path, or one inside of the other, are refused."""
    for other in ("/data", "/data/inner"):
        syncs = [ContextSync(context_id, "/data"), ContextSync(context_id, other)]
        refused = agb.create(CreateSessionParams(context_syncs=syncs))
        assert "two contexts can't be at" in refused.error_message


def test_a_hostile_session_can_not_lead_the_server_astray(agb: AGB, context_id: str) -> None:
    """Directories that become links while the server copies lead it nowhere else."""
    swap = "until test -e ~/stop; do mv d e; ln -s / d; rm d; mv e d; done; touch ~/stopped"
    with agb.open_session(with_context(context_id)) as session:
        shell(session, f"cd {DATA}; mkdir d; touch d/x; ({swap}) 2>&- >&- & sleep 0.3")
        for _ in range(20):
            session.context.sync(retry_interval=10)
            session.context.sync(mode="download", retry_interval=10)
        shell(session, "touch ~/stop; until test -e ~/stopped; do sleep 0.01; done")
        # What else is there is luck: a link that was saved and brought back replaces the
        # directory, and the loop removes it.
        there = shell(session, f"touch {DATA}/last; find {DATA} -mindepth 1 -printf '%f\\n'")

    names, folders = set[str](), [DATA]
    while folders:
        entries = (agb.context.list_files(context_id, folders.pop())).unwrap()
        names |= {entry.file_name for entry in entries}
        folders += [entry.file_path for entry in entries if entry.file_type == "folder"]
    assert names == set(there.split())
    assert {"last"} <= names <= {"d", "e", "x", "last"}


def test_metrics_are_those_of_the_session(session: Session) -> None:
    """The figures are plausible, and memory follows what the session holds."""
    before = (session.get_metrics()).unwrap()
    session.code.run_code("held = bytearray(200_000_000)", "python")
    after = (session.get_metrics()).unwrap()

    assert before.cpu_count >= 1
    assert 0 <= before.cpu_used_pct <= 100
    assert before.disk_total > before.disk_used > 0
    assert before.mem_total > after.mem_used > before.mem_used + 150_000_000
    assert (after.rx_used_kbyte, after.tx_used_kbyte) == (0, 0)
    assert after.timestamp


def test_status_of_a_session(agb: AGB) -> None:
    """A session runs, and is not found once a deletion that waits is over."""
    session = (agb.create()).unwrap()
    running = session.get_status()
    deleted = session.delete(wait=True)
    gone = session.get_status()

    assert running.status == "RUNNING"
    assert deleted.success
    assert gone.code == "InvalidMcpSession.NotFound"


def test_tools_by_their_names(session: Session) -> None:
    """Every listed tool has a schema, and can be called by its name."""
    listed = (session.list_mcp_tools("any")).unwrap()
    called = session.call_mcp_tool("shell", {"command": "echo hi"})
    unknown = session.call_mcp_tool("no_such_tool")

    assert {"run_code", "shell", "get_metrics"} <= {tool.name for tool in listed}
    assert all(tool.input_schema["type"] == "object" for tool in listed)
    assert json.loads(called.data)["stdout"] == "hi\n"
    assert "Unknown tool" in unknown.error_message
