"""Asks for the state of a session, and for its tools by their own names."""

import json

from agb import AGB
from agb.session_params import CreateSessionParams

agb = AGB()
params = CreateSessionParams(image_id="agb-code-space-1", idle_release_timeout=600)
session = agb.create(params).session

status = session.get_status()
listed = session.list_mcp_tools()
called = session.call_mcp_tool(
    "write_file", {"path": "/tmp/a", "content": "ä", "mode": "overwrite"}
)
read = session.call_mcp_tool("read_file", {"path": "/tmp/a"})
unknown = session.call_mcp_tool("no_such_tool", {})
kept = session.keep_alive()
measured = session.get_metrics()
facts = {
    "keep_alive": kept.success,
    "metrics": [measured.success, measured.metrics.cpu_count, measured.metrics.mem_total],
    "status": [status.success, status.status],
    "list": [listed.success, sorted(tool.name for tool in listed.tools)],
    "schema": next(tool.input_schema for tool in listed.tools if tool.name == "create_directory"),
    "call": [called.success, read.success, read.data],
    "unknown": [unknown.success, unknown.error_message],
}
session.delete()
facts["status_of_deleted"] = session.get_status().success
facts["keep_alive_of_deleted"] = session.keep_alive().success

print(json.dumps(facts))
