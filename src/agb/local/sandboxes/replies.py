"""What the results of a sandbox's agent must look like.

The agent runs beside the programs of the session: what it sends is checked like any input.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import cast

Check = Callable[[object], bool]


def _is(*types: type) -> Check:
    """Accept these types exactly: a bool is no int here."""
    return lambda value: type(value) in types


def _list_of(check: Check) -> Check:
    """Accept a list whose items all pass."""
    return lambda value: (
        isinstance(value, list) and all(check(item) for item in cast("list[object]", value))
    )


def _object(**fields: Check) -> Check:
    """Accept a JSON object that has these fields; it may have more."""

    def check(value: object) -> bool:
        if not isinstance(value, dict):
            return False
        present = cast("dict[str, object]", value)
        return all(name in present and passes(present[name]) for name, passes in fields.items())

    return check


_text = _is(str)
_texts = _list_of(_text)
_flag = _is(bool)
_number = _is(int, float)
_nothing = _object()


def _exit_code(value: object) -> bool:
    return value is None or type(value) is int


_process = _object(process_id=_text, pid=_is(int), command=_text, exit_code=_exit_code)


def _error(value: object) -> bool:
    return value is None or _object(name=_text, value=_text, traceback=_text)(value)


_RESULTS: dict[str, Check] = {
    "start": _object(python=_text),
    "run_code": _object(
        stdout=_texts,
        stderr=_texts,
        result=_list_of(_nothing),
        execution_count=_is(int),
        execution_time=_number,
        error=_error,
        timed_out=_flag,
    ),
    "warm_up": _nothing,
    "shell": _object(
        stdout=_text, stderr=_text, exit_code=_is(int), timed_out=_flag, truncated=_flag
    ),
    "start_process": _process,
    "list_processes": _object(processes=_list_of(_process)),
    "read_process_output": _object(
        output=_list_of(_object(stream=_text, data=_text)),
        cursor=_is(int),
        dropped=_is(int),
        exit_code=_exit_code,
        end=_flag,
    ),
    "wait_process": _process,
    "write_process_stdin": _object(written=_is(int)),
    "close_process_stdin": _nothing,
    "signal_process": _process,
    "read_file": _object(content=_text),
    "read_multiple_files": _object(files=_list_of(_object(path=_text))),
    "write_file": _object(bytes=_is(int)),
    "edit_file": _object(diff=_text),
    "move_file": _nothing,
    "delete_file": _nothing,
    "connect_port": _nothing,
    "create_directory": _nothing,
    "get_file_info": _object(
        name=_text, path=_text, size=_is(int), isDirectory=_flag, isFile=_flag, isSymlink=_flag
    ),
    "list_directory": _object(entries=_list_of(_object(name=_text, isDirectory=_flag))),
    "search_files": _object(matches=_texts),
    "get_metrics": _object(
        cpu_count=_is(int),
        cpu_used_pct=_number,
        disk_total=_is(int),
        disk_used=_is(int),
        mem_total=_is(int),
        mem_used=_is(int),
        rx_rate_kbyte_per_s=_number,
        tx_rate_kbyte_per_s=_number,
        rx_used_kbyte=_number,
        tx_used_kbyte=_number,
        timestamp=_text,
    ),
    "open_file": _nothing,
    "create_part": _object(part=_text, target=_text),
    "finish_part": _nothing,
    "remove_part": _nothing,
    "get_file_change": _object(
        events=_list_of(_object(eventType=_text, path=_text, pathType=_text))
    ),
}


# A piece of output has at most so many characters.
_PIECE = 1 << 16
_RESULTS["stream_code"] = _RESULTS["run_code"]
_EVENTS: dict[str, dict[str, Check]] = {
    "stream_code": {
        "stdout": lambda value: type(value) is str and len(value) <= _PIECE,
        "stderr": lambda value: type(value) is str and len(value) <= _PIECE,
        "result": _nothing,
    },
}


def is_valid_event(method: str, event: object) -> bool:
    """Say whether an event is one of those that its method may tell: one field, of its shape."""
    checks = _EVENTS.get(method, {})
    return (
        isinstance(event, dict)
        and len(event) == 1
        and all(
            name in checks and checks[name](value)
            for name, value in cast("dict[str, object]", event).items()
        )
    )


def is_valid(method: str, result: object) -> bool:
    """Say whether a result has the shape its method promises."""
    check = _RESULTS.get(method)
    return check is not None and check(result)
