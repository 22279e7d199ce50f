"""Works with files by the names of the first releases."""

import json

from agb import AGB
from agb.session_params import CreateSessionParams

agb = AGB()
session = agb.create(CreateSessionParams(image_id="agb-code-space-1")).session
files = session.file_system
facts = {}

# 60,001 characters, 150,001 bytes: both cut into pieces, and no cut on a character's border.
long_text = "x" + "é€𝄞z" * 15_000
facts["write_long"] = files.write_file("/tmp/long.txt", long_text).success
facts["size_of_long"] = session.command.execute_command("wc -c < /tmp/long.txt").output.strip()
facts["read_long"] = files.read_file("/tmp/long.txt").content == long_text

facts["mkdir"] = files.create_directory("/tmp/work/deep/er").success
facts["write"] = files.write_file("/tmp/work/a.txt", "one\n").success
facts["append"] = files.write_file("/tmp/work/a.txt", "zwei, 二\n", mode="append").success
facts["read"] = files.read_file("/tmp/work/a.txt").content
facts["write_empty"] = files.write_file("/tmp/work/empty", "").success
facts["read_empty"] = [
    files.read_file("/tmp/work/empty").success,
    files.read_file("/tmp/work/empty").content,
]
facts["wrong_mode"] = files.write_file("/tmp/work/a.txt", "lost", "truncate").success

facts["edit"] = files.edit_file("/tmp/work/a.txt", [{"oldText": "one", "newText": "eins"}]).success
facts["edit_dry"] = files.edit_file(
    "/tmp/work/a.txt", [{"oldText": "eins", "newText": "uno"}], dry_run=True
).success
facts["edit_misses"] = files.edit_file(
    "/tmp/work/a.txt", [{"oldText": "?", "newText": "!"}]
).success
facts["edited"] = files.read_file("/tmp/work/a.txt").content

listed = files.list_directory("/tmp/work").entries
facts["list"] = sorted([entry["name"], entry["isDirectory"]] for entry in listed)
info = files.get_file_info("/tmp/work/a.txt").file_info
facts["info"] = [info["size"], info["isDirectory"]]
facts["info_of_directory"] = files.get_file_info("/tmp/work").file_info["isDirectory"]

facts["move"] = files.move_file("/tmp/work/a.txt", "/tmp/work/deep/b.txt").success
facts["moved"] = [
    files.read_file("/tmp/work/a.txt").success,
    files.read_file("/tmp/work/deep/b.txt").success,
]
files.write_file("/tmp/work/c.txt", "drei")
facts["read_many"] = files.read_multiple_files(["/tmp/work/deep/b.txt", "/tmp/work/c.txt"]).contents
facts["search"] = sorted(files.search_files("/tmp/work", "*.txt").matches)
facts["search_less"] = files.search_files("/tmp/work", "*.txt", exclude_patterns=["deep"]).matches
facts["search_nothing"] = files.search_files("/tmp/work", "*.nothing").matches

missing = files.read_file("/tmp/nothing/here")
facts["read_missing"] = [missing.success, missing.error_message]
facts["read_directory"] = files.read_file("/tmp/work").success
facts["list_missing"] = files.list_directory("/tmp/nothing").success
facts["info_missing"] = files.get_file_info("/tmp/nothing").success
facts["move_missing"] = files.move_file("/tmp/nothing", "/tmp/something").success
facts["write_to_directory"] = files.write_file("/tmp/work", "text").success
session.delete()
facts["deleted_session"] = files.write_file("/tmp/a", "text").success

print(json.dumps(facts))
