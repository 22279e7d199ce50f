"""Policies of contexts: defaults, wire forms, and what their constructors refuse."""

import json

import pytest

from agb._core.contexts.policies import (
    DeletePolicy,
    DownloadPolicy,
    ExtractPolicy,
    MappingPolicy,
    RecyclePolicy,
    UploadPolicy,
)
from agb._core.contexts.policy_choices import (
    DownloadStrategy,
    Lifecycle,
    UploadMode,
    UploadStrategy,
)
from agb._core.contexts.syncs import BWList, ContextSync, SyncPolicy, WhiteList
from agb._core.exceptions import InvalidArgumentError

DEFAULT = {
    "uploadPolicy": {
        "autoUpload": True,
        "uploadStrategy": "UploadBeforeResourceRelease",
        "uploadMode": "File",
    },
    "downloadPolicy": {"autoDownload": True, "downloadStrategy": "DownloadAsync"},
    "deletePolicy": {"syncLocalFile": True},
    "extractPolicy": {"extract": True, "deleteSrcFile": True, "extractToCurrentFolder": False},
    "recyclePolicy": {"lifecycle": "Lifecycle_Forever", "paths": [""]},
    "bwList": {"whiteLists": []},
}


def test_the_default_policy_in_its_wire_form():
    """Left out or None, every part is its default object; a mapping is sent only if set."""
    nothing = SyncPolicy(None, None, None, None, None, None, None)

    assert SyncPolicy().to_dict() == DEFAULT
    assert nothing == SyncPolicy()
    assert nothing.upload_policy == UploadPolicy()
    assert nothing.mapping_policy is None


def test_every_part_of_a_policy_in_its_wire_form():
    """Positional order and keys of each part are those of the documents."""
    policy = SyncPolicy(
        UploadPolicy(False, UploadStrategy.UPLOAD_BEFORE_RESOURCE_RELEASE, UploadMode.ARCHIVE),
        DownloadPolicy(False, DownloadStrategy.DOWNLOAD_ASYNC),
        DeletePolicy(False),
        ExtractPolicy(False, False, True),
        BWList([WhiteList("/src", ["/src/build"])]),
        RecyclePolicy(Lifecycle.LIFECYCLE_30DAYS, ["/old"]),
        MappingPolicy("/before"),
    )

    assert policy.to_dict() == {
        "uploadPolicy": {
            "autoUpload": False,
            "uploadStrategy": "UploadBeforeResourceRelease",
            "uploadMode": "Archive",
        },
        "downloadPolicy": {"autoDownload": False, "downloadStrategy": "DownloadAsync"},
        "deletePolicy": {"syncLocalFile": False},
        "extractPolicy": {
            "extract": False,
            "deleteSrcFile": False,
            "extractToCurrentFolder": True,
        },
        "recyclePolicy": {"lifecycle": "Lifecycle_30Days", "paths": ["/old"]},
        "bwList": {"whiteLists": [{"path": "/src", "excludePaths": ["/src/build"]}]},
        "mappingPolicy": {"path": "/before"},
    }


def test_lifecycles():
    """The ten documented lifecycles exist, with the words of the wire."""
    days = [1, 3, 5, 10, 15, 30, 90, 180, 360]
    words = [f"Lifecycle_{n}Day{'s' if n > 1 else ''}" for n in days]

    assert [each.value for each in Lifecycle] == [*words, "Lifecycle_Forever"]


@pytest.mark.parametrize(
    "make",
    [
        lambda: UploadPolicy(upload_mode="Zip"),  # type: ignore[arg-type]
        lambda: UploadPolicy(upload_strategy="Never"),  # type: ignore[arg-type]
        lambda: DownloadPolicy(download_strategy=None),  # type: ignore[arg-type]
        lambda: RecyclePolicy(lifecycle="Lifecycle_2Days"),  # type: ignore[arg-type]
        lambda: RecyclePolicy(paths="/a"),  # type: ignore[arg-type]
        lambda: RecyclePolicy(paths=[5]),  # type: ignore[list-item]
        lambda: SyncPolicy(upload_policy={}),  # type: ignore[arg-type]
        *[lambda c=c: RecyclePolicy(paths=["/a", f"/b{c}"]) for c in "*?[]"],
        *[lambda c=c: WhiteList(f"/a{c}") for c in "*?[]"],
        *[lambda c=c: WhiteList("/a", [f"/b{c}"]) for c in "*?[]"],
    ],
)
def test_what_no_service_understands_is_refused_where_it_is_made(make):
    """A word that is not of its enumeration and a path with a wildcard are a ValueError."""
    with pytest.raises(InvalidArgumentError) as caught:
        make()

    assert isinstance(caught.value, ValueError)


def test_a_policy_is_a_value():
    """Policies are compared by value, and checked again when they are changed."""
    policy = UploadPolicy()
    policy.auto_upload = False

    assert policy == UploadPolicy(auto_upload=False)
    with pytest.raises(ValueError, match="UploadMode"):
        policy.upload_mode = "File"  # type: ignore[assignment]


def test_a_context_sync():
    """`new` and the constructor are the same, and `with_policy` changes the object itself."""
    sync = ContextSync.new("c-1", "/data")
    policy = SyncPolicy(delete_policy=DeletePolicy(False))

    assert sync == ContextSync("c-1", "/data", None)
    assert sync.with_policy(policy) is sync
    assert sync == ContextSync("c-1", "/data", policy)


def test_t24_a_context_without_a_policy_travels_with_the_default_one():
    """Services drop a context that comes without a policy, so none does."""
    wire = ContextSync("c-1", "/data").to_dict()

    assert (wire["contextId"], wire["path"]) == ("c-1", "/data")
    assert json.loads(wire["policy"]) == DEFAULT
