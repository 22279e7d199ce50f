"""What the server says when things fail, in its replies and its log: nothing of its machine."""

from __future__ import annotations

import glob
import json
import os

import agb.local

from .conftest import KEY

FAILING_TOOLS = [
    ("read_file", {"path": "none"}),
    ("read_file", {"path": "/proc/1/environ"}),
    ("write_file", {"path": "/etc/passwd", "content": "x"}),
    ("move_file", {"source": "none", "destination": "/usr/none"}),
    ("list_directory", {"path": "/root"}),
    ("edit_file", {"path": ".", "edits": [{"oldText": "a", "newText": "b"}]}),
    ("shell", {"command": "no_such_program", "timeout_ms": 5000}),
    ("shell", {"command": ":", "cwd": "/nowhere", "timeout_ms": 5000}),
    ("shell", {"command": "sleep 9", "timeout_ms": 50}),
    ("run_code", {"code": "1/0", "language": "python", "timeout_s": 20}),
    ("run_code", {"code": "import os; os._exit(3)", "language": "python", "timeout_s": 20}),
    ("run_code", {"code": "x", "language": "cobol", "timeout_s": 20}),
    ("start_process", {"command": ":", "cwd": "/nowhere"}),
    ("wait_process", {"process_id": "none"}),
    ("no_such_tool", {}),
]
FAILING_CALLS = [
    ("/mcp/getSession", {"sessionId": "none"}),
    ("/mcp/createSession", {"persistenceDataList": "[{}]"}),
    ("/sdk/SyncContext", {"sessionId": "none"}),
    ("/sdk/DescribeContextFiles", {"contextId": "none"}),
    ("/sdk/GetContextFileUploadUrl", {"contextId": "none", "filePath": "../../x"}),
    ("/no/such/endpoint", {}),
]


def test_failures_tell_nothing_of_the_machine(target, session, table):
    """No error names a directory of the server, its code, or its key."""
    secrets = [KEY, target.contexts, os.path.dirname(agb.local.__file__), *states()]
    said = [session.tool(name, **arguments)[0] for name, arguments in FAILING_TOOLS]
    said += [json.dumps(target.call(path, **body)) for path, body in FAILING_CALLS]

    told = [(secret, text) for text in said for secret in secrets if secret in text]
    assert told == []
    table(f"errors, {target.mode}", len(said), len(said))


def states():
    """The directories of the servers that run here."""
    return glob.glob("/var/tmp/agb-*") + glob.glob("/tmp/agb-*")


def test_log_tells_no_key(target, session):
    """Neither right nor wrong keys get into the log, whatever fails."""
    session.tool("run_code", code="1/0", language="python", timeout_s=20)
    target.call("/no/such/endpoint", key=KEY)
    target.get("/sdk/GetLabel", sessionId=KEY)

    assert KEY not in target.log()
