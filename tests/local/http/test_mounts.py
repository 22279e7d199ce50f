"""What a caller may ask for in `persistenceDataList`."""

import json

import pytest

from agb.local.contexts.mounts import WhiteLists
from agb.local.http.envelope import ApiFailure
from agb.local.http.mounts import clean_path, read_mounts


def one(path="/data", **policy):
    (mount,) = read_mounts([{"contextId": "c", "path": path, "policy": json.dumps(policy)}])
    return mount


@pytest.mark.parametrize("value", [None, "", [], "[]"])
def test_no_contexts(value):
    """Nothing, in any spelling, is no context."""
    assert read_mounts(value) == []


@pytest.mark.parametrize("policy", [{}, {"policy": None}, {"policy": ""}, {"policy": "{}"}])
def test_t24_a_context_without_a_policy_has_the_default_one(policy):
    """A missing and an empty policy are the default one: files are saved and brought."""
    (mount,) = read_mounts(json.dumps([{"contextId": "c", "path": "/data//x/./", **policy}]))

    assert (mount.context_id, mount.path, mount.kept_at) == ("c", "/data/x", "/data/x")
    assert (mount.uploads, mount.downloads, mount.deletes) == (True, True, True)
    assert (mount.archived, mount.extracts, mount.keep_days) == (False, True, None)
    assert mount.selection.takes("anything/at/all")


def test_every_policy_is_read():
    """The wire form of the client's policies is understood field by field."""
    mount = one(
        uploadPolicy={"autoUpload": False, "uploadMode": "Archive"},
        downloadPolicy={"autoDownload": False, "downloadStrategy": "DownloadAsync"},
        deletePolicy={"syncLocalFile": False},
        extractPolicy={"extract": False, "deleteSrcFile": False},
        recyclePolicy={"lifecycle": "Lifecycle_30Days", "paths": ["/data/old", "logs"]},
        bwList={"whiteLists": [{"path": "/data/a", "excludePaths": ["/a/b"]}]},
        mappingPolicy={"path": "/before"},
    )

    assert (mount.uploads, mount.downloads, mount.deletes) == (False, False, False)
    assert (mount.archived, mount.extracts, mount.keeps_archive) == (True, False, True)
    assert (mount.keep_days, mount.recycled) == (30, ("old", "logs"))
    assert mount.selection == WhiteLists((("a", ("a/b",)),))
    assert mount.kept_at == "/before"


@pytest.mark.parametrize(
    "value",
    [
        "no json",
        5,
        [5],
        [{"path": "/d"}],
        [{"contextId": "c"}],
        [{"contextId": "c", "path": "d"}],
        [{"contextId": "c", "path": "/a/../b"}],
        [{"contextId": "c", "path": "/a\0"}],
        [{"contextId": "c", "path": "/d", "policy": "no json"}],
        [{"contextId": "c", "path": "/d", "policy": "[]"}],
        [{"contextId": "c", "path": "/d", "policy": {"uploadPolicy": {"uploadMode": "Zip"}}}],
        [{"contextId": "c", "path": "/d", "policy": {"uploadPolicy": {"autoUpload": "yes"}}}],
        [{"contextId": "c", "path": "/d", "policy": {"uploadPolicy": {"uploadStrategy": "X"}}}],
        [{"contextId": "c", "path": "/d", "policy": {"recyclePolicy": {"lifecycle": "X"}}}],
        [{"contextId": "c", "path": "/d", "policy": {"recyclePolicy": {"paths": [5]}}}],
        [{"contextId": "c", "path": "/d", "policy": {"bwList": {"whiteLists": {}}}}],
        [{"contextId": "c", "path": f"/{n}"} for n in range(17)],
        [{"contextId": "c", "path": "/d"}, {"contextId": "c2", "path": "/d/e"}],
    ],
)
def test_what_can_not_be_is_refused(value):
    """What can't be understood or done is a clear refusal, never left out in silence."""
    with pytest.raises(ApiFailure) as caught:
        read_mounts(value)

    assert caught.value.status == 400
    assert caught.value.message


def test_clean_paths():
    """A path has one form."""
    assert clean_path("p", "//a//b/./c/") == "/a/b/c"
    assert clean_path("p", "/") == "/"
    for wrong in ("a", "", "/..", "/a/../b", "/\0", "/\ud800", "/" + "x" * 4001):
        with pytest.raises(ApiFailure):
            clean_path("p", wrong)


def test_white_lists_lead_to_what_they_name():
    """A directory above a white path is entered, one beside it is not."""
    lists = WhiteLists((("a/b", ("a/b/c",)), ("x", ())))

    assert [lists.takes(path) for path in ("a/b", "a/b/f", "a/b/c", "a/b/c/d", "a/f", "xx")] == [
        *(True, True),
        *(False, False, False, False),
    ]
    assert [lists.enters(path) for path in ("a", "a/b/f", "x", "b", "a/c")] == [
        *(True, True, True),
        *(False, False),
    ]
