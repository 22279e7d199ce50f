"""The logger of the package: silent unless it is asked for."""

import logging

import pytest

from agb._core import logs
from agb._core.exceptions import InvalidArgumentError


@pytest.fixture
def logger(bare_environment):
    """The package's logger as it is at the start of a program."""
    logger = logging.getLogger("agb")
    before, level = logger.handlers[:], logger.level
    logger.handlers.clear()
    logger.setLevel(logging.NOTSET)
    yield logger
    for handler in logger.handlers:
        handler.close()
    logger.handlers[:] = before
    logger.setLevel(level)


@pytest.mark.parametrize(
    ("name", "full"),
    [("agb", "agb"), ("agb.x", "agb.x"), ("jobs", "agb.jobs"), ("agbx", "agb.agbx")],
)
def test_every_logger_is_below_that_of_the_package(name, full):
    """`get_logger` gives a standard logger below `agb`, with the usual methods."""
    found = logs.get_logger(name)

    assert found is logging.getLogger(full)
    assert all(callable(getattr(found, m)) for m in ("debug", "info", "warning", "error"))


def test_default_is_the_logger_of_the_package():
    """Without a name the logger is `agb`."""
    assert logs.get_logger() is logging.getLogger("agb")


def test_nothing_is_written_without_a_setting(logger, capfd, tmp_path):
    """Without settings the logger has only a handler that drops everything."""
    logs.configure()
    logger.propagate = False
    try:
        logger.error("unheard")
    finally:
        logger.propagate = True

    assert [type(handler) for handler in logger.handlers] == [logging.NullHandler]
    assert capfd.readouterr() == ("", "")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(("level", "number"), [("DEBUG", 10), ("info", 20), ("Warning", 30)])
def test_level_sends_to_standard_error(logger, bare_environment, capsys, level, number):
    """`AGB_LOG_LEVEL` sends what is at least that important to standard error."""
    bare_environment.setenv("AGB_LOG_LEVEL", level)

    logs.configure()
    logger.log(number, "heard")
    logger.log(number - 1, "unheard")

    written = capsys.readouterr()
    assert written.out == ""
    assert "agb: heard" in written.err
    assert "unheard" not in written.err


@pytest.mark.parametrize(("level", "number"), [(None, 20), ("ERROR", 40)])
def test_file_is_appended_to(logger, bare_environment, tmp_path, capfd, level, number):
    """`AGB_LOG_FILE` is appended to, from level INFO unless a level is set."""
    path = tmp_path / "own.log"
    path.write_text("before\n")
    bare_environment.setenv("AGB_LOG_FILE", str(path))
    if level:
        bare_environment.setenv("AGB_LOG_LEVEL", level)

    logs.configure()
    logger.log(number, "hörd")
    logger.log(number - 1, "unheard")

    lines = path.read_text(encoding="utf-8").splitlines()
    assert lines[0] == "before"
    assert [line.endswith("agb: hörd") for line in lines[1:]] == [True]
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize(
    "settings",
    [
        {"AGB_LOG_LEVEL": "LOUD"},
        {"AGB_LOG_LEVEL": "LOUD", "AGB_LOG_FILE": "own.log"},
        {"AGB_LOG_FILE": "missing/own.log"},
    ],
)
def test_settings_that_can_not_be_used_are_refused(logger, bare_environment, settings):
    """A level that is none, and a file that can't be opened, are refused by name."""
    for name, value in settings.items():
        bare_environment.setenv(name, value)

    with pytest.raises(InvalidArgumentError, match="AGB_LOG_LEVEL or AGB_LOG_FILE can't be used"):
        logs.configure()

    assert logger.handlers == []


def test_handlers_of_the_program_are_left_alone(logger, bare_environment):
    """A program that set up the logger itself, or a second client, changes nothing."""
    bare_environment.setenv("AGB_LOG_LEVEL", "DEBUG")
    own = logging.NullHandler()
    logger.addHandler(own)

    logs.configure()

    assert logger.handlers == [own]
    assert logger.level == logging.NOTSET
