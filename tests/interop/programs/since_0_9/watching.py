"""Watches a directory by the names that the later releases have."""

import json
import threading
import time

from agb import AGB
from agb.session_params import CreateSessionParams

agb = AGB()
session = agb.create(CreateSessionParams(image_id="agb-code-space-1")).session
session.file.mkdir("/tmp/watched")

seen = []
news = threading.Condition()


def on_change(events):
    with news:
        seen.extend([event.event_type, event.path, event.path_type] for event in events)
        news.notify_all()


def wait_for(*event):
    with news:
        return news.wait_for(lambda: list(event) in seen, timeout=20)


watcher = session.file.watch_dir("/tmp/watched", on_change, 0.1)
facts = {"started_by_itself": watcher.is_alive()}
watcher.start()

# The first look is the baseline, and nothing tells when it was taken: a file is made anew until
# one of them is seen.
number = 0
deadline = time.monotonic() + 20
while not seen and time.monotonic() < deadline:
    number += 1
    session.file.write(f"/tmp/watched/first-{number}", "")
    with news:
        news.wait(0.3)

session.file.write("/tmp/watched/a.txt", "one")
facts["create"] = wait_for("create", "/tmp/watched/a.txt", "file")
session.file.write("/tmp/watched/a.txt", "two, longer")
facts["modify"] = wait_for("modify", "/tmp/watched/a.txt", "file")
session.command.execute("rm /tmp/watched/a.txt")
facts["delete"] = wait_for("delete", "/tmp/watched/a.txt", "file")
session.file.mkdir("/tmp/watched/sub")
facts["directory"] = wait_for("create", "/tmp/watched/sub", "directory")

watcher.stop_event.set()
watcher.join(20)
facts["stops"] = not watcher.is_alive()

orphan = session.file.watch_dir("/tmp/watched", on_change, 0.1)
orphan.start()
session.delete()
orphan.join(20)
facts["ends_with_its_session"] = not orphan.is_alive()

print(json.dumps(facts))
