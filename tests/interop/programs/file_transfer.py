"""Brings whole files into a session and out of it, by the names that the release has."""

import hashlib
import json
import os

from agb import AGB
from agb.session_params import CreateSessionParams

session = AGB().create(CreateSessionParams(image_id="agb-code-space-1")).session
files = getattr(session, "file", None) or session.file_system
upload = getattr(files, "upload", None) or files.upload_file
download = getattr(files, "download", None) or files.download_file
path = getattr(files, "transfer_path", None) or files.get_file_transfer_context_path
run = getattr(session.command, "execute", None) or session.command.execute_command
facts = {}

content = os.urandom(3_000_000)
with open("here.bin", "wb") as file:
    file.write(content)
open("empty", "wb").close()


def there_and_back(name, remote):
    """Send a file, receive it, and tell what became of it."""
    sent = upload(name, remote)
    got = download(remote, "back.bin")
    with open("back.bin", "rb") as back, open(name, "rb") as here:
        same = back.read() == here.read()
    return [sent.success, sent.http_status, sent.bytes_sent, got.success, got.bytes_received, same]


facts["path"] = path()
facts["home"] = there_and_back("here.bin", "/home/user/größe 1.bin")
facts["deep"] = there_and_back("here.bin", "/tmp/new/dir/a.bin")
facts["again"] = there_and_back("here.bin", "/tmp/new/dir/a.bin")
facts["empty"] = there_and_back("empty", "/tmp/new/dir/empty")

sent = upload("here.bin", "/home/user/tag", content_type="application/x-test")
facts["tag"] = sent.etag.strip('"') == hashlib.md5(content).hexdigest()
facts["unwaited"] = upload("here.bin", "/home/user/unwaited", wait=False).success
facts["size"] = run("stat -c %s /home/user/unwaited").output.strip()

refused = upload("here.bin", "/etc/a")
facts["read_only"] = [refused.success, refused.http_status]
facts["missing"] = [download("/home/user/none", "none").success, os.path.exists("none")]
facts["not_overwritten"] = download("/home/user/tag", "empty", overwrite=False).success
run("ln -s /etc/passwd /home/user/link")
got = download("/home/user/link", "passwd")
with open("passwd") as file:
    facts["link"] = got.success and "user:x" in file.read()
session.delete()

print(json.dumps(facts))
