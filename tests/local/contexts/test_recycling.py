"""The recycle policy from the wire to what a session gets."""

import json
import os
import time
from types import SimpleNamespace

import pytest


@pytest.mark.parametrize(
    ("days_later", "seen"), [(29, ["fresh", "logs/old"]), (31, ["fresh"])], ids=["kept", "recycled"]
)
async def test_files_beyond_their_lifecycle(api, fake_sandboxes, monkeypatch, days_later, seen):
    """What was saved longer ago than the lifecycle is brought to no session, where it says so."""
    got = await api.get("/sdk/GetContext", name="c", allowCreate="true")
    context_id = got.json()["data"]["id"]
    for path in ("/data/logs/old", "/data/fresh"):
        query = {"contextId": context_id, "filePath": path}
        given = await api.client.post("/sdk/GetContextFileUploadUrl", params=query)
        put = await api.client.put(given.json()["data"]["url"], content=b"x")
        assert put.status_code == 200
    later = time.time() + days_later * 86_400
    monkeypatch.setattr("agb.local.contexts.shelf.time", SimpleNamespace(time=lambda: later))
    policy = {"recyclePolicy": {"lifecycle": "Lifecycle_30Days", "paths": ["/data/logs"]}}
    mount = {"contextId": context_id, "path": "/data", "policy": json.dumps(policy)}

    session_id = await api.create(persistenceDataList=[mount])
    status = "Running"
    while status != "Success":
        info = await api.get("/sdk/GetContextInfo", sessionId=session_id)
        (told,) = json.loads(info.json()["data"]["contextStatus"])
        (task,) = json.loads(told["data"])
        status = task["status"]
        assert status != "Failed", task

    volume = fake_sandboxes.opened[0].volumes["/data"]
    listed = await api.client.post(
        "/sdk/DescribeContextFiles",
        params={"contextId": context_id, "parentFolderPath": "/data/logs"},
    )

    found = [
        os.path.relpath(os.path.join(folder, name), volume)
        for folder, _, names in os.walk(volume)
        for name in names
    ]
    assert sorted(found) == seen
    assert [entry["fileName"] for entry in listed.json()["data"]] == ["old"] * (len(seen) - 1)
