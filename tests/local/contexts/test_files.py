"""Files of contexts: on the shelf, in archives, behind addresses, and the lives of both."""

import contextlib
import io
import os
import tarfile
import time

import httpx
import pytest

from agb.local.contexts import archive
from agb.local.contexts.beneath import TooMuch, directory
from agb.local.contexts.mounts import Mount
from agb.local.contexts.service import Contexts
from agb.local.contexts.shelf import Shelf
from agb.local.settings import Settings


@pytest.fixture
def shelf(tmp_path):
    """The files of one context, `c`."""
    made = Shelf(str(tmp_path), 1 << 20)
    made.make("c")
    return made


def put(shelf, path, content=b"x"):
    with shelf.writing("c", path) as incoming:
        incoming.write(content)


def test_files_older_than_the_policy_are_recycled(shelf, tmp_path):
    """What was saved too long ago, and is meant by the policy, is not brought any more."""
    volume = tmp_path / "volume"
    volume.mkdir()
    for path in ("/data/old/a", "/data/b", "/other/old/c"):
        put(shelf, path)
    time.sleep(0.02)  # a file system writes times in steps
    mount = Mount(context_id="c", path="/data", kept_at="/data", keep_days=0, recycled=("old",))

    shelf.download(mount, str(volume), "/data")

    assert sorted(os.listdir(volume)) == ["b", "old"]
    assert shelf.list("c", "/data/old") == []
    assert [entry.name for entry in shelf.list("c", "/other/old")] == ["c"]


def test_a_file_that_is_too_large_is_not_kept(shelf):
    """An upload beyond the limit fails whole."""
    with pytest.raises(TooMuch):
        put(shelf, "/a", b"x" * ((1 << 20) + 1))

    assert shelf.list("c", "/") == []


def packed(*members):
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode="w:gz") as made:
        for name, kind, target in members:
            member = tarfile.TarInfo(name)
            member.type, member.linkname = kind, target
            member.size = len(target) if kind == tarfile.REGTYPE else 0
            made.addfile(member, io.BytesIO(target.encode()))
    return content.getvalue()


@pytest.mark.parametrize(
    "members",
    [
        [("../escaped", tarfile.REGTYPE, "x")],
        [("d/../../escaped", tarfile.REGTYPE, "x")],
        [("link", tarfile.SYMTYPE, ".."), ("link/escaped", tarfile.REGTYPE, "x")],
        [("/escaped", tarfile.REGTYPE, "x")],
        [("escaped", tarfile.LNKTYPE, "/etc/passwd"), ("dev", tarfile.CHRTYPE, "")],
    ],
)
def test_an_archive_unpacks_only_below_its_directory(members, tmp_path):
    """An archive that somebody uploaded leads nowhere else."""
    (tmp_path / "kept").mkdir()
    (tmp_path / "kept" / archive.NAME).write_bytes(packed(*members))
    staged = tmp_path / "x/staged"
    staged.mkdir(parents=True)

    with directory(str(tmp_path / "kept")) as kept, contextlib.suppress(TooMuch):
        archive.unpack(kept, str(staged), 1 << 20)

    assert sorted(os.listdir(tmp_path)) == ["kept", "x"]
    assert os.listdir(tmp_path / "x") == ["staged"]


@pytest.mark.parametrize("content", [b"no archive", packed(("a", tarfile.REGTYPE, "x" * 5000))])
def test_an_archive_that_can_not_be_unpacked_is_refused(content, tmp_path):
    """What is no archive, or unpacks to too much, is an error with a reason."""
    (tmp_path / archive.NAME).write_bytes(content)

    with directory(str(tmp_path)) as kept, pytest.raises(TooMuch, match="archive"):
        archive.unpack(kept, str(tmp_path), 100)


async def test_contexts_in_a_directory_of_their_own_outlive_the_server(tmp_path):
    """With `AGB_LOCAL_CONTEXTS` the next server has the contexts and files of the one before."""
    settings = Settings.from_environment({"AGB_LOCAL_CONTEXTS": str(tmp_path / "kept")})
    first = Contexts(settings, str(tmp_path / "unused"))
    made = first.make("n")
    with first.shelf.writing(made.id, "/a") as incoming:
        incoming.write(b"x")
    await first.aclose()

    second = Contexts(settings, str(tmp_path / "unused"))
    found = second.catalog.by_name("n")
    entries = second.shelf.list(found.id, "/")
    await second.aclose()

    assert found == made
    assert [entry.name for entry in entries] == ["a"]
    assert not (tmp_path / "unused").exists()
    assert (tmp_path / "kept").stat().st_mode & 0o777 == 0o700


async def make_context(api, name="n"):
    query = {"name": name, "allowCreate": "true"}
    return (await api.get("/sdk/GetContext", **query)).json()["data"]["id"]


async def test_a_session_that_is_released_by_its_idle_time_saves_its_files(api, fake_sandboxes):
    """Idle release is a release like any other: files are saved before the sandbox goes."""
    context_id = await make_context(api)
    session_id = await api.create(
        timeout=1, persistenceDataList=[{"contextId": context_id, "path": "/data"}]
    )
    (sandbox,) = fake_sandboxes.opened
    with open(os.path.join(sandbox.volumes["/data"], "a"), "w") as file:
        file.write("x")
    await sandbox.closed.wait()
    gone = await api.post("/mcp/getSession", sessionId=session_id)
    listed = await api.client.post(
        "/sdk/DescribeContextFiles", params={"contextId": context_id, "parentFolderPath": "/data"}
    )

    assert gone.json()["code"] == "InvalidMcpSession.NotFound"
    assert [entry["fileName"] for entry in listed.json()["data"]] == ["a"]


async def test_keep_alive_starts_the_idle_time_anew(api):
    """refreshSessionIdleTime answers for a session that lives, and refuses one that does not."""
    session_id = await api.create()
    kept = await api.client.post("/mcp/refreshSessionIdleTime", params={"sessionId": session_id})
    lost = await api.client.post("/mcp/refreshSessionIdleTime", params={"sessionId": "s-0"})

    assert kept.json()["success"] is True
    assert lost.json()["code"] == "InvalidMcpSession.NotFound"


async def test_t18_tasks_are_there_before_the_session_is(api):
    """The first question after creation finds the tasks, with the path echoed as it was given."""
    context_id = await make_context(api)
    session_id = await api.create(persistenceDataList=[{"contextId": context_id, "path": "/data"}])
    info = await api.get("/sdk/GetContextInfo", sessionId=session_id)
    other = await api.get("/sdk/GetContextInfo", sessionId=session_id, taskType="upload")

    status = info.json()["data"]["contextStatus"]
    assert '\\"status\\": \\"Success\\"' in status
    assert '\\"path\\": \\"/data\\"' in status
    assert other.json()["data"]["contextStatus"] == "[]"


async def test_the_addresses_of_files_need_no_key_and_nothing_else_opens_them(api):
    """An address works without the API key; a word that is none is refused."""
    context_id = await make_context(api)
    asked = await api.client.post(
        "/sdk/GetContextFileUploadUrl", params={"contextId": context_id, "filePath": "a"}
    )
    async with httpx.AsyncClient(transport=httpx.ASGITransport(api.app)) as anybody:
        written = await anybody.put(asked.json()["data"]["url"], content=b"x")
        refused = await anybody.get("http://test/files/made-up")

    assert written.status_code == 200
    assert refused.status_code == 403


@pytest.mark.parametrize(
    ("method", "path", "query"),
    [
        ("GET", "/sdk/GetContext", {}),
        ("GET", "/sdk/GetContext", {"id": "c-0"}),
        ("GET", "/sdk/GetContext", {"name": "never made"}),
        ("GET", "/sdk/ListContexts", {"nextToken": "made up"}),
        ("POST", "/sdk/ModifyContext", {"id": "c-0", "name": "n"}),
        ("POST", "/sdk/DeleteContext", {"id": "c-0"}),
        ("POST", "/sdk/ClearContext", {"id": "c-0"}),
        ("POST", "/sdk/DescribeContextFiles", {"contextId": "c-0"}),
        ("POST", "/sdk/GetContextFileUploadUrl", {"contextId": "c-0", "filePath": "/a"}),
        ("POST", "/sdk/GetContextFileDownloadUrl", {"contextId": "c-0", "filePath": "/a"}),
        ("POST", "/sdk/DeleteContextFile", {"contextId": "c-0", "filePath": "/a"}),
    ],
)
async def test_what_is_not_there_is_a_clear_failure(api, method, path, query):
    """Every endpoint refuses an unknown context, a missing parameter and a made-up token."""
    response = await api.client.request(method, path, params=query)

    assert response.status_code == 400
    assert response.json()["success"] is False
    assert response.json()["message"]


async def test_names_are_unique(api):
    """A name that is taken is refused for another context; create finds the one that has it."""
    first, second = await make_context(api, "a"), await make_context(api, "b")
    again = await make_context(api, "a")
    taken = await api.client.post("/sdk/ModifyContext", params={"id": second, "name": "a"})
    other = await api.get("/sdk/GetContext", id=first, name="b")

    assert again == first
    assert (taken.status_code, taken.json()["code"]) == (409, "ContextNameTaken")
    assert other.status_code == 400


async def test_a_wrong_sync_is_refused(api):
    """Another mode, and a context that the session does not have, are refused."""
    session_id = await api.create()
    for query in ({"mode": "sideways"}, {"contextId": "c-0", "path": "/d"}, {"path": "d"}):
        response = await api.client.post(
            "/sdk/SyncContext", params={"sessionId": session_id, **query}
        )
        assert response.status_code == 400


async def test_a_context_where_it_can_not_be(api, fake_sandboxes):
    """A path that sandboxes need for themselves is refused before one is opened."""
    context_id = await make_context(api)
    response = await api.post(
        "/mcp/createSession", persistenceDataList=[{"contextId": context_id, "path": "/taken"}]
    )

    assert response.json()["code"] == "NotSupported"
    assert "it is taken" in response.json()["message"]
    assert fake_sandboxes.opened == []


async def test_a_context_that_was_deleted_meanwhile_fails_the_transfer(api):
    """A session whose context is gone learns so from its task."""
    context_id = await make_context(api)
    session_id = await api.create(persistenceDataList=[{"contextId": context_id, "path": "/data"}])
    await api.client.post("/sdk/DeleteContext", params={"id": context_id})
    await api.client.post("/sdk/SyncContext", params={"sessionId": session_id})
    info = await api.get("/sdk/GetContextInfo", sessionId=session_id, taskType="upload")

    status = info.json()["data"]["contextStatus"]
    assert '\\"status\\": \\"Failed\\"' in status
    assert "Context not found" in status
