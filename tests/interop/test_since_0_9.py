"""What only later clients know: rich results, exit codes, bytes, tools by their own names."""


def test_rich_results(facts_of):
    """Streams, shown objects and the main result arrive apart, the traceback on stderr."""
    facts = facts_of("code")

    assert facts["logs"] == [["out\n"], ["err\n"]]
    assert facts["results"] == [[None, "<b>bold</b>", False], ["42", None, True]]
    assert facts["count"] == 8
    assert "Traceback (most recent call last)" in facts["traceback"]


def test_streams_and_exit_codes(facts_of):
    """Since 0.8 a client tells both streams and the exit code apart."""
    facts = facts_of("command")

    assert facts["apart"] == [3, "out\n", "err\n"]
    assert facts["codes"] == [0, 1]


def test_directory_and_environment(facts_of):
    """Since 0.8 a command may be given its directory and variables."""
    facts = facts_of("command")

    assert facts["given_directory"] == [True, "/tmp\n", ""]
    assert facts["given_variables"] == [True, "ä b\n", ""]


def test_bytes(facts_of):
    """Since 0.8 a file can be read as bytes."""
    assert facts_of("files")["read_bytes"] is True


def test_removal(facts_of):
    """Since 0.8 a file can be removed."""
    assert facts_of("files")["remove"] == [True, False]


def test_watching_ends_with_the_session(facts_of):
    """Since 0.12 a watcher ends by itself when its session is gone."""
    assert facts_of("watching")["ends_with_its_session"] is True


def test_the_state(facts_of):
    """A session with an idle time-out runs until it is deleted."""
    facts = facts_of("tools")

    assert facts["status"] == [True, "RUNNING"]
    assert facts["status_of_deleted"] is False


def test_the_list_of_tools(facts_of):
    """The tools are listed, each with the schema of its arguments."""
    facts = facts_of("tools")
    success, names = facts["list"]

    assert success is True
    assert {"run_code", "shell", "read_file", "write_file"} <= set(names)
    assert facts["schema"]["required"] == ["path"]


def test_a_call_by_name(facts_of):
    """A tool is called by its name; one that is not there is a failure that names it."""
    facts = facts_of("tools")
    success, message = facts["unknown"]

    assert facts["call"] == [True, True, "ä"]
    assert success is False
    assert "no_such_tool" in message


def test_keeping_alive(facts_of):
    """Since 0.11 a session can be kept from being idle, as long as it is there."""
    facts = facts_of("tools")

    assert facts["keep_alive"] is True
    assert facts["keep_alive_of_deleted"] is False


def test_metrics(facts_of):
    """Since 0.9 a session tells what it uses."""
    success, processors, memory = facts_of("tools")["metrics"]

    assert success is True
    assert processors >= 1
    assert memory > 0
