"""Keeps files in contexts, by names that every release has; the later ones where they are there."""

import asyncio
import json
import urllib.error
import urllib.request
import uuid

from agb import AGB
from agb.context import ContextListParams
from agb.context_sync import ContextSync, SyncPolicy
from agb.session_params import CreateSessionParams

PATH = "/home/user/data"
TEXT = "kept: Grüße, 世界\n"

facts = {}
agb = AGB()
name = f"interop {uuid.uuid4().hex}"


def files_of(session):
    return getattr(session, "file", None) or session.file_system


def write(session, path, text):
    files = files_of(session)
    return (files.write if hasattr(files, "write") else files.write_file)(path, text)


def read(session, path):
    files = files_of(session)
    return (files.read if hasattr(files, "read") else files.read_file)(path)


def fetch(url, data=None):
    """Use a signed address as it is: without a key."""
    request = urllib.request.Request(url, data=data, method="GET" if data is None else "PUT")
    try:
        with urllib.request.urlopen(request, timeout=20) as response:
            return response.status, response.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, ""


# ---- contexts themselves
created = agb.context.create(name)
context = created.context
facts["create"] = [created.success, created.context_id == context.id, context.name == name]
found = agb.context.get(name)
facts["get"] = [found.success, found.context_id == context.id]
facts["get_unknown"] = agb.context.get("nobody's").success
facts["get_or_create"] = agb.context.get(name, True).context_id == context.id
listed = agb.context.list(ContextListParams(max_results=100))
facts["list"] = [listed.success, context.id in [each.id for each in listed.contexts]]
context.name = f"{name}, renamed"
facts["update"] = agb.context.update(context).success
facts["renamed"] = agb.context.get(f"{name}, renamed").context_id == context.id

# ---- their files, by signed addresses
upload = agb.context.get_file_upload_url(context.id, f"{PATH}/sent ü.txt")
facts["upload"] = [upload.success, fetch(upload.url, TEXT.encode())[0]]
download = agb.context.get_file_download_url(context.id, f"{PATH}/sent ü.txt")
facts["download"] = [download.success, *fetch(download.url)]
entries = agb.context.list_files(context.id, PATH)
facts["files"] = [entries.success, [[each.file_name, each.size] for each in entries.entries]]

# ---- from session to session
params = CreateSessionParams(
    image_id="agb-code-space-1",
    context_syncs=[ContextSync.new(context.id, PATH, SyncPolicy())],
)
first = agb.create(params).session
facts["brought"] = read(first, f"{PATH}/sent ü.txt").content == TEXT
facts["write"] = write(first, f"{PATH}/made.txt", TEXT).success
information = first.context.info()
facts["info"] = [
    information.success,
    sorted({(each.context_id, each.path) for each in information.context_status_data})
    == [(context.id, PATH)],
]
facts["sync"] = asyncio.run(first.context.sync()).success
facts["saved"] = sorted(each.file_name for each in agb.context.list_files(context.id, PATH).entries)
facts["write_more"] = write(first, f"{PATH}/later.txt", TEXT).success
facts["delete_synced"] = agb.delete(first, sync_context=True).success
second = agb.create(params).session
facts["survived"] = [
    read(second, f"{PATH}/{each}.txt").content == TEXT for each in ("made", "later")
]
facts["delete_session"] = second.delete().success

# ---- and gone
removed = agb.context.delete_file(context.id, f"{PATH}/made.txt")
facts["delete_file"] = removed.success
facts["left"] = sorted(each.file_name for each in agb.context.list_files(context.id, PATH).entries)
if hasattr(agb.context, "clear"):
    cleared = agb.context.clear(context.id, timeout=20, poll_interval=0.1)
    facts["clear"] = [cleared.success, cleared.status]
    facts["empty"] = agb.context.list_files(context.id, PATH).entries == []
facts["delete"] = agb.context.delete(context).success
facts["get_deleted"] = agb.context.get(f"{name}, renamed").success

print(json.dumps(facts))
