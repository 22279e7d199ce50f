"""Creates, finds, lists, labels and deletes sessions, by names that every release has."""

import json
import uuid

from agb import AGB
from agb.session import Session
from agb.session_params import CreateSessionParams

facts = {}
agb = AGB()
mark = uuid.uuid4().hex
labels = {"run": mark, "städte": "Köln, Łódź und 東京 & mehr"}
params = CreateSessionParams(image_id="agb-code-space-1", labels=labels)

created = agb.create(params)
session = created.session
facts["create"] = [created.success, created.error_message, bool(created.request_id)]
facts["image"] = session.image_id
facts["id"] = session.session_id

found = agb.get(session.session_id)
facts["get"] = [found.success, found.session.session_id]
unknown = agb.get("session-of-nobody")
facts["get_unknown"] = [unknown.success, unknown.session, unknown.error_message]

info = session.info()
facts["info"] = [info.success, info.data["session_id"], "app_id" in info.data]

facts["labels_of_create"] = session.get_labels().data == labels
facts["set_labels"] = session.set_labels({"run": mark, "state": "second"}).success
facts["refused_labels"] = session.set_labels({"state": ""}).success
facts["labels_after"] = session.get_labels().data == {"run": mark, "state": "second"}

stranger = AGB(api_key="not-the-key")
refused = stranger.create(params)
facts["wrong_key"] = [refused.success, refused.session, bool(refused.error_message)]
facts["info_with_wrong_key"] = Session(stranger, session.session_id).info().success

link = session.get_link(protocol_type="https", port=30100)
facts["link"] = [link.success, link.data]

others = [agb.create(params).session for _ in range(2)]
facts["ids"] = [session.session_id, *(other.session_id for other in others)]
pages = [agb.list(labels={"run": mark}, page=number, limit=2) for number in (1, 2, 3)]
facts["pages"] = [[page.success, page.session_ids, page.total_count] for page in pages]
both = agb.list(labels={"run": mark, "state": "second"})
facts["both_labels"] = both.session_ids
nothing = agb.list(labels={"run": "nobody's"})
facts["no_match"] = [nothing.success, nothing.session_ids]

facts["delete"] = [session.delete().success, agb.delete(others[0]).success]
facts["delete_synced"] = others[1].delete(sync_context=True).success
facts["delete_twice"] = session.delete().success
facts["info_of_deleted"] = session.info().success
facts["list_of_deleted"] = agb.list(labels={"run": mark}).session_ids

print(json.dumps(facts))
