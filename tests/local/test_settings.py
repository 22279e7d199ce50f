"""The settings, and the variables they are read from."""

import attrs
import pytest

from agb.local.settings import InsideSettings, Settings
from agb.local.variables import GIB, MIB, InvalidSetting, in_words, variable_of


def test_every_setting_has_its_variable():
    """No two settings share a variable, and the name says which setting it is."""
    names = [
        setting.name
        for kind in (Settings, InsideSettings)
        for setting in attrs.fields(kind)
        if setting.name != "inside"
    ]

    assert len({variable_of(name) for name in names}) == len(names)
    assert variable_of("max_memory_bytes") == "AGB_LOCAL_MAX_MEMORY"
    assert variable_of("contexts_directory") == "AGB_LOCAL_CONTEXTS"


@pytest.mark.parametrize(
    ("text", "size"),
    [("512M", 512 * MIB), ("1.5GiB", 3 * GIB // 2), ("4096", 4096), (" 2 gb ", 2 * GIB)],
)
def test_sizes(text, size):
    """A size is a number of bytes, or one with a unit."""
    assert Settings.from_environment({"AGB_LOCAL_MAX_MEMORY": text}).max_memory_bytes == size


def test_kinds_of_values():
    """Counts, times, texts and limits of the inside are read as what they are."""
    settings = Settings.from_environment(
        {
            "AGB_LOCAL_MAX_SESSIONS": "7",
            "AGB_LOCAL_KEEP_ALIVE": "1.5",
            "AGB_LOCAL_MAX_CPUS": "0.5",
            "AGB_LOCAL_DIRECTORY": "/somewhere",
            "AGB_LOCAL_MAX_PROCESSES": "99",
            "AGB_LOCAL_PYTHON": "",
        }
    )

    assert (settings.max_sessions, settings.keep_alive_s, settings.max_cpus) == (7, 1.5, 0.5)
    assert (settings.directory, settings.inside.max_processes) == ("/somewhere", 99)
    assert settings.python is None


@pytest.mark.parametrize(
    ("variable", "text", "takes"),
    [
        ("AGB_LOCAL_MAX_MEMORY", "much", "a size such as 512M or 2G"),
        ("AGB_LOCAL_MAX_MEMORY", "0", "a size"),
        ("AGB_LOCAL_MAX_DISK", "1.1.1G", "a size"),
        ("AGB_LOCAL_MAX_MEMORY", "-1G", "a size"),
        ("AGB_LOCAL_MAX_PROCESSES", "1.5", "a whole number above 0"),
        ("AGB_LOCAL_MAX_INODES", "0", "a whole number above 0"),
        ("AGB_LOCAL_MAX_CPUS", "nan", "a number above 0"),
        ("AGB_LOCAL_MAX_CPUS", "inf", "a number above 0"),
        ("AGB_LOCAL_CGROUPS", "perhaps", "auto or off"),
    ],
)
def test_wrong_values(variable, text, takes):
    """A value that is none is refused, by the name of its variable and with what it takes."""
    with pytest.raises(InvalidSetting, match=f"{variable} must be {takes}.*{text}"):
        Settings.from_environment({variable: text})


def test_one_process_is_refused_memory_first():
    """A process alone gets a MemoryError before its session is over its limit."""
    told = Settings(max_memory_bytes=800 * MIB).for_agent()

    assert told["max_data_bytes"] == 700 * MIB
    assert Settings().for_agent()["max_data_bytes"] < Settings().max_memory_bytes


def test_what_lies_in_memory_leaves_room():
    """Full, /tmp and /dev/shm take less than half of the memory."""
    assert Settings(max_memory_bytes=80 * MIB).largest_temporary == (20 * MIB, 10 * MIB)


@pytest.mark.parametrize(
    ("size", "words"), [(2 * GIB, "2 GiB"), (1536 * MIB, "1.5 GiB"), (512, "512 bytes")]
)
def test_sizes_in_words(size, words):
    """Messages write sizes as people do."""
    assert in_words(size) == words


@pytest.mark.parametrize(
    ("text", "modules"),
    [("numpy, pandas", ["numpy", "pandas"]), ("a.b,c", ["a.b", "c"]), ("off", [])],
)
def test_what_is_preloaded(text, modules):
    """`AGB_LOCAL_PRELOAD` names modules, or none."""
    settings = Settings.from_environment({"AGB_LOCAL_PRELOAD": text})

    assert settings.preloaded_modules == modules


def test_settings():
    """Limits are positive; three variables of the environment are read."""
    settings = Settings.from_environment(
        {"AGB_LOCAL_PYTHON": "/p", "AGB_LOCAL_BWRAP": "", "AGB_LOCAL_DIRECTORY": "/d", "AGB": "x"}
    )
    assert (settings.python, settings.bwrap, settings.directory) == ("/p", None, "/d")

    with pytest.raises(ValueError, match="max_request_bytes"):
        Settings(max_request_bytes=0)
