"""Files, read, written, found and watched by each client."""

import pytest


@pytest.fixture
def facts(facts_of):
    return facts_of("files")


def test_a_long_text(facts):
    """A text of 150 KB, cut inside its characters on the way, comes back whole (trap T9)."""
    assert facts["write_long"] is True
    assert facts["size_of_long"] == "150001"
    assert facts["read_long"] is True


def test_writing(facts):
    """A file is written, appended to and read; nothing but these two modes is accepted."""
    assert facts["write"] is facts["append"] is True
    assert facts["read"] == "one\nzwei, 二\n"
    assert facts["wrong_mode"] is False


def test_an_empty_file(facts):
    """An empty file can be written and read."""
    assert facts["write_empty"] is True
    assert facts["read_empty"] == [True, ""]


def test_editing(facts):
    """An edit replaces text, a dry run changes nothing, and a text that is not there fails."""
    assert facts["edit"] is facts["edit_dry"] is True
    assert facts["edit_misses"] is False
    assert facts["edited"] == "eins\nzwei, 二\n"


def test_directories(facts):
    """A directory is made with those above it, and lists files and directories."""
    assert facts["mkdir"] is True
    assert facts["list"] == [["a.txt", False], ["deep", True], ["empty", False]]


def test_information(facts):
    """The size in bytes and the kind of a path are told."""
    assert facts["info"] == [15, False]
    assert facts["info_of_directory"] is True


def test_moving(facts):
    """A moved file is at its new path only."""
    assert facts["move"] is True
    assert facts["moved"] == [False, True]


def test_several_files(facts):
    """Several files are read in one call."""
    assert facts["read_many"] == {
        "/tmp/work/deep/b.txt": "eins\nzwei, 二",
        "/tmp/work/c.txt": "drei",
    }


def test_searching(facts):
    """Files are found by a pattern, without those excluded; none found is an empty list."""
    assert facts["search"] == ["/tmp/work/c.txt", "/tmp/work/deep/b.txt"]
    assert facts["search_less"] == ["/tmp/work/c.txt"]
    assert facts["search_nothing"] == []


def test_a_missing_file(facts):
    """Reading what is not there is a failure that names the path (trap T3)."""
    success, message = facts["read_missing"]

    assert success is False
    assert "/tmp/nothing/here" in message


@pytest.mark.parametrize(
    "fact",
    [
        "read_directory",
        "list_missing",
        "info_missing",
        "move_missing",
        "write_to_directory",
        "deleted_session",
    ],
)
def test_failures(facts, fact):
    """What can't be done is a failure for every client."""
    assert facts[fact] is False


@pytest.mark.parametrize("change", ["create", "modify", "delete", "directory"])
def test_watching(facts_of, change):
    """A change in a watched directory is told, with its path and kind."""
    assert facts_of("watching")[change] is True


def test_the_end_of_watching(facts_of):
    """The thread of a watcher begins when it is started and ends when it is told to."""
    facts = facts_of("watching")

    assert facts["started_by_itself"] is False
    assert facts["stops"] is True
