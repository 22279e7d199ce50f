"""Works with files by the names that the later releases have."""

import json

from agb import AGB
from agb.session_params import CreateSessionParams

agb = AGB()
session = agb.create(CreateSessionParams(image_id="agb-code-space-1")).session
files = session.file
facts = {}

# 60,001 characters, 150,001 bytes: both cut into pieces, and no cut on a character's border.
long_text = "x" + "é€𝄞z" * 15_000
facts["write_long"] = files.write("/tmp/long.txt", long_text).success
facts["size_of_long"] = session.command.execute("wc -c < /tmp/long.txt").output.strip()
facts["read_long"] = files.read("/tmp/long.txt").content == long_text

facts["read_bytes"] = files.read("/tmp/long.txt", format="bytes").content == long_text.encode()

facts["mkdir"] = files.mkdir("/tmp/work/deep/er").success
facts["write"] = files.write("/tmp/work/a.txt", "one\n").success
facts["append"] = files.write("/tmp/work/a.txt", "zwei, 二\n", mode="append").success
facts["read"] = files.read("/tmp/work/a.txt").content
facts["write_empty"] = files.write("/tmp/work/empty", "").success
facts["read_empty"] = [files.read("/tmp/work/empty").success, files.read("/tmp/work/empty").content]
facts["wrong_mode"] = files.write("/tmp/work/a.txt", "lost", "truncate").success

facts["edit"] = files.edit("/tmp/work/a.txt", [{"oldText": "one", "newText": "eins"}]).success
facts["edit_dry"] = files.edit(
    "/tmp/work/a.txt", [{"oldText": "eins", "newText": "uno"}], dry_run=True
).success
facts["edit_misses"] = files.edit("/tmp/work/a.txt", [{"oldText": "?", "newText": "!"}]).success
facts["edited"] = files.read("/tmp/work/a.txt").content

listed = files.list("/tmp/work").entries
facts["list"] = sorted([entry["name"], entry["isDirectory"]] for entry in listed)
info = files.info("/tmp/work/a.txt").file_info
facts["info"] = [info["size"], info["isDirectory"]]
facts["info_of_directory"] = files.info("/tmp/work").file_info["isDirectory"]

facts["move"] = files.move("/tmp/work/a.txt", "/tmp/work/deep/b.txt").success
facts["moved"] = [
    files.read("/tmp/work/a.txt").success,
    files.read("/tmp/work/deep/b.txt").success,
]
files.write("/tmp/work/c.txt", "drei")
facts["read_many"] = files.read_batch(["/tmp/work/deep/b.txt", "/tmp/work/c.txt"]).contents
facts["search"] = sorted(files.search("/tmp/work", "*.txt").matches)
facts["search_less"] = files.search("/tmp/work", "*.txt", exclude_patterns=["deep"]).matches
facts["search_nothing"] = files.search("/tmp/work", "*.nothing").matches
facts["remove"] = [files.remove("/tmp/work/c.txt").success, files.read("/tmp/work/c.txt").success]

missing = files.read("/tmp/nothing/here")
facts["read_missing"] = [missing.success, missing.error_message]
facts["read_directory"] = files.read("/tmp/work").success
facts["list_missing"] = files.list("/tmp/nothing").success
facts["info_missing"] = files.info("/tmp/nothing").success
facts["move_missing"] = files.move("/tmp/nothing", "/tmp/something").success
facts["write_to_directory"] = files.write("/tmp/work", "text").success
session.delete()
facts["deleted_session"] = files.write("/tmp/a", "text").success

print(json.dumps(facts))
