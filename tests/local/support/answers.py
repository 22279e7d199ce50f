"""What sandboxes that only pretend answer, and what each tool needs to be called."""

OK = {"stdout": "out\n", "stderr": "err\n", "exit_code": 0, "timed_out": False, "truncated": False}
CELL = {
    "stdout": ["hello\n"],
    "stderr": [],
    "result": [{"text/plain": "42", "isMainResult": True}],
    "execution_count": 1,
    "execution_time": 0.5,
    "error": None,
    "timed_out": False,
}
FAILED_CELL = {
    **CELL,
    "stderr": ["warned\n"],
    "result": [],
    "error": {"name": "ValueError", "value": "no", "traceback": "Traceback …\nValueError: no"},
}
ARGUMENTS = {
    "run_code": {"code": "1", "language": "python"},
    "shell": {"command": "true"},
    "read_file": {"path": "/a"},
    "write_file": {"path": "/a", "content": ""},
    "edit_file": {"path": "/a", "edits": [{"oldText": "a", "newText": ""}]},
    "create_directory": {"path": "/a"},
    "list_directory": {"path": "/a"},
    "get_file_info": {"path": "/a"},
    "move_file": {"source": "/a", "destination": "/b"},
    "delete_file": {"path": "/a"},
    "read_multiple_files": {"paths": ["/a"]},
    "search_files": {"path": "/a", "pattern": "*"},
    "get_file_change": {"path": "/a"},
    "get_metrics": {},
    "start_process": {"command": "true"},
    "list_processes": {},
    "read_process_output": {"process_id": "process-1"},
    "wait_process": {"process_id": "process-1"},
    "write_process_stdin": {"process_id": "process-1", "data": ""},
    "close_process_stdin": {"process_id": "process-1"},
    "signal_process": {"process_id": "process-1"},
}
PROCESS = {"process_id": "process-1", "pid": 7, "command": "true", "exit_code": None}
OUTPUT = {"output": [], "cursor": 0, "dropped": 0, "exit_code": None, "end": False}
