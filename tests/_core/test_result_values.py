"""What single result classes compute from their values."""

import pytest

from agb._core.code.results import (
    CodeExecutionResult,
    EnhancedCodeExecutionResult,
    ExecutionError,
    ExecutionLogs,
    ExecutionResult,
)
from agb._core.files.change_results import FileChangeEvent, FileChangeResult

OUT = ExecutionLogs(["a\n", "b"], ["err"])
FIRST = ExecutionResult("first")
MAIN = ExecutionResult("main", is_main_result=True)


@pytest.mark.parametrize(
    ("logs", "results", "expected"),
    [
        (OUT, [FIRST, MAIN], "main"),
        (OUT, [FIRST], "first"),
        (OUT, [ExecutionResult(png="x"), FIRST], "first"),
        (OUT, [ExecutionResult(png="x", is_main_result=True), FIRST], "first"),
        (OUT, [], "a\nb"),
        (ExecutionLogs([], ["err"]), [], ""),
        (None, None, ""),
    ],
)
def test_result_is_computed_from_what_was_shown(logs, results, expected):
    """`.result` is the main text, else the first text, else standard output, else `""`."""
    result = EnhancedCodeExecutionResult(logs=logs, results=results)

    assert result.result == expected
    assert isinstance(result, CodeExecutionResult)


def test_none_reads_as_nothing_shown():
    """`logs` and `results` given as None are empty ones."""
    result = EnhancedCodeExecutionResult("r", None, 0.0, None, None)

    assert (result.logs, result.results) == (ExecutionLogs([], []), [])


def test_result_of_a_rich_result_can_not_be_passed():
    """`.result` of the rich class is computed, so it is no parameter."""
    with pytest.raises(TypeError):
        EnhancedCodeExecutionResult(result="x")


@pytest.mark.parametrize("name", ["data", "mime_type"])
def test_items_have_no_attribute_that_programs_probe_for(name):
    """`hasattr(item, "data")` and `"mime_type"` are False, `"png"` is True."""
    assert not hasattr(ExecutionResult(), name)
    assert hasattr(ExecutionResult(), "png")


def test_defaults_of_what_code_showed():
    """Formats default to None, an error and logs to nothing."""
    assert ExecutionResult() == ExecutionResult(*[None] * 9, False)
    assert ExecutionError() == ExecutionError("", "", "")
    assert ExecutionLogs() == ExecutionLogs([], [])


def test_event_goes_to_its_wire_form_and_back():
    """`to_dict` gives the camelCase keys of the wire, `from_dict` reads them."""
    event = FileChangeEvent("create", "/a", "file")

    wire = event.to_dict()

    assert wire == {"eventType": "create", "path": "/a", "pathType": "file"}
    assert FileChangeEvent.from_dict(wire) == event
    assert FileChangeEvent.from_dict({}) == FileChangeEvent() == FileChangeEvent("", "", "")


def test_changed_files_are_listed_by_what_happened():
    """The three lists name files only; a deletion may also be called `destroy`."""
    kinds = ["create", "modify", "delete", "destroy", "other"]
    events = [
        FileChangeEvent(kind, f"/{path_type}-{kind}", path_type)
        for kind in kinds
        for path_type in ("file", "directory")
    ]

    result = FileChangeResult("r", True, events)

    assert result.has_changes() is True
    assert result.get_created_files() == ["/file-create"]
    assert result.get_modified_files() == ["/file-modify"]
    assert result.get_deleted_files() == ["/file-delete", "/file-destroy"]


def test_no_events_are_no_changes():
    """Without events there are no changes and no files."""
    result = FileChangeResult("r", True, None)

    assert result.has_changes() is False
    assert result.get_created_files() == result.get_modified_files() == []
    assert result.get_deleted_files() == []
