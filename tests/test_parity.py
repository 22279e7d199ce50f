"""The two colours: one API, twice."""

import ast
import importlib
import inspect
import re
from functools import cached_property
from pathlib import Path

import pytest

import agb
from agb import AGB, AsyncAGB, AsyncProcess, AsyncSession, Config, Process, ProcessInfo, Session
from agb import _async as async_package
from agb import _sync as sync_package

MODULES = sorted(path.stem for path in Path(async_package.__path__[0]).glob("*.py"))
CLASSES = [
    (value, getattr(importlib.import_module(f"agb._sync.{module}"), name.removeprefix("Async")))
    for module in MODULES
    for name, value in vars(importlib.import_module(f"agb._async.{module}")).items()
    # A public class shows this module, wherever it is defined.
    if name.startswith("Async") and isinstance(value, type) and value.__module__ == "agb"
]
CLASSES = sorted(set(CLASSES), key=lambda pair: pair[0].__name__)
every_pair = pytest.mark.parametrize(
    ("async_class", "sync_class"), CLASSES, ids=[class_.__name__ for _, class_ in CLASSES]
)

# Async name → blocking name, where it is not the same.
RENAMED = {"aclose": "close", "__aenter__": "__enter__", "__aexit__": "__exit__"}
SPECIAL = {"__init__", "__repr__", *RENAMED}
# Methods without I/O: they stay plain in the async twin.
PLAIN = {
    *("get_api_key", "get_session_id", "get_client", "get_link_url", "get_token"),
    *("open_session", "local", "stream", *SPECIAL),
} - {*RENAMED}
SYNC = "context_id=None path=None mode=None callback=None"
# Written by hand: a thread in one colour, something to enter and to iterate in the other.
BY_HAND = {"watch_directory", "watch_dir"}
PLAIN |= BY_HAND
CONFIG = Config("https://host.invalid")
INFO = ProcessInfo("process-1", 7, "true")


def members(class_, special):
    """Public attributes of a class, those of `object` left out, by name."""
    names = [n for n in dir(class_) if n in special or not n.startswith("_")]
    return {name: inspect.getattr_static(class_, name) for name in names}


def pairs(async_class, sync_class):
    """Public members of both twins under the blocking names."""
    ours = members(async_class, SPECIAL)
    theirs = members(sync_class, {*SPECIAL, *RENAMED.values()})
    return {RENAMED.get(name, name): value for name, value in ours.items()}, theirs


def unwrapped(member):
    if isinstance(member, (classmethod, staticmethod)):
        return member.__func__
    if isinstance(member, cached_property):
        return member.func
    return member.fget if isinstance(member, property) else member


def blocking(text):
    """Turn a text of the async colour into one of the blocking colour."""
    text = re.sub(r"\bawait |\basync (?=with|for|def)", "", text)
    text = re.sub(r"\bAsync(?=[A-Z])", "", text).replace("aclose", "close")
    return re.sub(r"\s+", " ", text)


def test_every_class_of_the_documented_table_has_a_twin():
    """Each class that exists in two colours is here, and both twins are on the face."""
    names = {class_.__name__ for _, class_ in CLASSES}

    for name in ("AGB", "BaseSession", "Session", "BaseService", "Code", "Command", "FileSystem"):
        assert name in names
    for name in ("ContextManager", "ContextService"):
        assert name in names
    assert {"Client", "OpenedSession"} <= names
    assert {*names, *(f"Async{name}" for name in names)} <= set(agb.__all__)


def test_both_colours_have_the_same_modules():
    """Each module of one colour has its twin."""
    assert sorted(path.stem for path in Path(sync_package.__path__[0]).glob("*.py")) == MODULES


@every_pair
def test_twins_have_the_same_public_names(async_class, sync_class):
    """Both twins have the same public names, apart from those of the async protocol."""
    ours, theirs = pairs(async_class, sync_class)

    assert set(ours) == set(theirs)
    assert {name: type(m) for name, m in ours.items()} == {n: type(m) for n, m in theirs.items()}


@every_pair
def test_twins_have_the_same_signatures(async_class, sync_class):
    """Parameters, their kinds, defaults and annotations are the same, modulo colour."""
    ours, theirs = pairs(async_class, sync_class)

    for name, member in ours.items():
        if not callable(unwrapped(member)):
            assert member == theirs[name]
            continue
        if name in BY_HAND:
            continue
        one = inspect.signature(unwrapped(member))
        other = inspect.signature(unwrapped(theirs[name]))
        assert blocking(str(one)) == str(other), name


@every_pair
def test_twins_have_the_same_docstrings(async_class, sync_class):
    """Docstrings and their examples are the same, modulo colour."""
    ours, theirs = pairs(async_class, sync_class)
    documented = {"the class": (async_class, sync_class)} | {
        name: (unwrapped(ours[name]), unwrapped(theirs[name]))
        for name in ours
        if not name.startswith("_") and name not in BY_HAND and callable(unwrapped(ours[name]))
    }

    for name, (one, other) in documented.items():
        assert one.__doc__, f"{name} has no docstring"
        assert blocking(one.__doc__) == re.sub(r"\s+", " ", other.__doc__), name


@every_pair
def test_blocking_twin_has_no_async_member(async_class, sync_class):
    """Nothing in the blocking colour has to be awaited."""
    for member in vars(sync_class).values():
        assert not inspect.iscoroutinefunction(unwrapped(member))
        assert not inspect.isasyncgenfunction(unwrapped(member))


@every_pair
def test_only_methods_with_io_are_coroutines(async_class, sync_class):
    """In the async twin what does I/O is a coroutine, and the rest stays plain."""
    for name, member in members(async_class, SPECIAL).items():
        function = unwrapped(member)
        if callable(function):
            plain = name in PLAIN or isinstance(member, (property, cached_property))
            waits = inspect.iscoroutinefunction(function) or inspect.isasyncgenfunction(function)
            assert waits is not plain, name


@every_pair
def test_twins_are_not_related(async_class, sync_class):
    """Neither twin is a subclass of the other, so `isinstance` tells them apart."""
    assert async_class is not sync_class
    assert not issubclass(async_class, sync_class)
    assert not issubclass(sync_class, async_class)


@every_pair
def test_twins_have_the_same_bases(async_class, sync_class):
    """Bases are twins, too."""
    ours = [base.__name__.removeprefix("Async") for base in async_class.__mro__]

    assert ours == [base.__name__ for base in sync_class.__mro__]


def made_by_hand():
    """A client and a session of each colour, made outside of an event loop, without a request."""
    agb_, async_agb = AGB("key", CONFIG), AsyncAGB("key", CONFIG)
    session, async_session = Session(agb_, "s-1"), AsyncSession(async_agb, "s-1")
    return [
        (async_agb, agb_),
        (async_session, session),
        (async_session.code, session.code),
        (async_session.command, session.command),
        (async_session.file_system, session.file_system),
        (async_session.context, session.context),
        (async_agb.context, agb_.context),
        (async_agb.client, agb_.client),
        (AsyncProcess(async_session, INFO), Process(session, INFO)),
    ]


@pytest.mark.parametrize(("one", "other"), made_by_hand(), ids=lambda value: type(value).__name__)
def test_instances_have_the_same_public_attributes(one, other):
    """Instances of both colours have the same attributes, of twin types or equal values."""
    ours = {name: value for name, value in vars(one).items() if not name.startswith("_")}
    theirs = {name: value for name, value in vars(other).items() if not name.startswith("_")}

    assert set(ours) == set(theirs)
    for name, value in ours.items():
        twin = theirs[name]
        same_type = type(value).__name__.removeprefix("Async") == type(twin).__name__
        assert same_type, name
        assert value == twin or type(value) is not type(twin), name


@pytest.mark.parametrize(("agb_class", "session_class"), [(AGB, Session), (AsyncAGB, AsyncSession)])
def test_session_made_by_hand_is_whole(agb_class, session_class):
    """A session for a known id has its modules, each pointing back, and its plain accessors."""
    client = agb_class("key", CONFIG)
    session = session_class(client, "s-1")

    assert session.agb is client
    assert session.get_client() is client.client
    assert (session.get_api_key(), session.get_session_id()) == ("key", "s-1")
    assert (session.resource_url, session.image_id, session.token) == ("", "", "")
    assert session.file is session.file_system
    for module in (session.code, session.command, session.file_system, session.context):
        assert module.session is session


@pytest.mark.parametrize("class_", [Session, AsyncSession])
def test_session_adds_nothing_to_its_base(class_):
    """`Session` has no public attribute that `BaseSession` has not."""
    base = class_.__mro__[1]

    assert [name for name in vars(class_) if not name.startswith("_")] == []
    assert base.__name__ == class_.__name__.replace("Session", "BaseSession")


@pytest.mark.parametrize(
    ("first", "later"),
    [
        ("read_file", "read"),
        ("write_file", "write"),
        ("list_directory", "list"),
        ("get_file_info", "info"),
        ("create_directory", "mkdir"),
        ("move_file", "move"),
        ("edit_file", "edit"),
        ("delete_file", "remove"),
        ("read_multiple_files", "read_batch"),
        ("search_files", "search"),
        ("watch_directory", "watch_dir"),
    ],
)
@pytest.mark.parametrize("class_", [agb.FileSystem, agb.AsyncFileSystem])
def test_later_name_is_the_same_method(class_, first, later):
    """Each later name of a file operation is the method of the first name."""
    assert getattr(class_, later) is getattr(class_, first)


@pytest.mark.parametrize("class_", [agb.Command, agb.AsyncCommand])
def test_later_name_of_execute_command(class_):
    """`execute` is the later name of `execute_command`."""
    assert class_.execute is class_.execute_command


@pytest.mark.parametrize(
    ("class_", "method", "parameters"),
    [
        ("AGB", "__init__", "self api_key='' cfg=None"),
        ("AGB", "create", "self params=None"),
        ("AGB", "list", "self labels=None page=None limit=None"),
        ("AGB", "get", "self session_id"),
        ("AGB", "get_session", "self session_id"),
        ("AGB", "delete", "self session sync_context=False"),
        ("AGB", "open_session", "self params=None sync_context=False"),
        ("BaseSession", "__init__", "self agb session_id"),
        ("BaseSession", "info", "self"),
        ("BaseSession", "set_labels", "self labels"),
        ("BaseSession", "get_labels", "self"),
        ("BaseSession", "delete", "self sync_context=False"),
        ("Code", "run_code", "self code language timeout_s=300"),
        ("Code", "run", "self code language timeout_s=60"),
        ("Command", "execute_command", "self command timeout_ms=1000 cwd=None envs=None"),
        ("BaseSession", "get_status", "self"),
        ("BaseSession", "keep_alive", "self"),
        ("BaseSession", "get_link", "self protocol_type=None port=None"),
        ("BaseSession", "list_mcp_tools", "self image_id=None"),
        (
            "BaseSession",
            "call_mcp_tool",
            "self tool_name args=None read_timeout=None connect_timeout=None",
        ),
        ("BaseSession", "get_metrics", "self read_timeout=None connect_timeout=None"),
        ("ContextService", "list", "self params=None"),
        (
            "ContextService",
            "get",
            "self name=None create=False login_region_id=None context_id=None",
        ),
        ("ContextService", "create", "self name"),
        ("ContextService", "update", "self context"),
        ("ContextService", "delete", "self context"),
        ("ContextService", "clear", "self context_id timeout=60 poll_interval=2.0"),
        ("ContextService", "clear_async", "self context_id"),
        ("ContextService", "get_clear_status", "self context_id"),
        ("ContextService", "get_file_download_url", "self context_id file_path"),
        ("ContextService", "get_file_upload_url", "self context_id file_path"),
        ("ContextService", "delete_file", "self context_id file_path"),
        (
            "ContextService",
            "list_files",
            "self context_id parent_folder_path=None page_number=1 page_size=50",
        ),
        ("ContextManager", "info", "self context_id=None path=None task_type=None"),
        (
            "ContextManager",
            "sync",
            f"self {SYNC} max_retries=150 retry_interval=1500",
        ),
        ("FileSystem", "read_file", "self path"),
        ("FileSystem", "write_file", "self path content mode='overwrite'"),
        ("FileSystem", "create_directory", "self path"),
        ("FileSystem", "list_directory", "self path"),
        ("FileSystem", "get_file_info", "self path"),
        ("FileSystem", "move_file", "self source destination"),
        ("FileSystem", "edit_file", "self path edits dry_run=False"),
        ("FileSystem", "read_multiple_files", "self paths"),
        ("FileSystem", "search_files", "self path pattern exclude_patterns=None"),
    ],
)
def test_positional_parameters_are_the_documented_ones(class_, method, parameters):
    """Names, order and defaults of positional parameters are part of the documented API."""
    for name in (class_, f"Async{class_}"):
        signature = inspect.signature(getattr(getattr(agb, name), method))
        positional = [p for p in signature.parameters.values() if p.kind is not p.KEYWORD_ONLY]
        found = [p.name if p.default is p.empty else f"{p.name}={p.default!r}" for p in positional]
        assert found == parameters.split()


@pytest.mark.parametrize(
    ("class_", "parameters", "returned"),
    [
        (agb.FileSystem, "self path callback interval=1.0 stop_event=None", "DirectoryWatcher"),
        (
            agb.AsyncFileSystem,
            "self path callback=None interval=1.0 stop_event=None",
            "AsyncDirectoryWatcher",
        ),
    ],
)
def test_the_pair_written_by_hand(class_, parameters, returned):
    """Watching differs in more than colour: each twin has its own documented form."""
    signature = inspect.signature(class_.watch_directory)
    found = [
        name if parameter.default is parameter.empty else f"{name}={parameter.default!r}"
        for name, parameter in signature.parameters.items()
    ]

    assert found == parameters.split()
    assert signature.return_annotation == returned


def test_blocking_source_has_no_async_syntax():
    """The blocking colour has no async syntax, and imports nothing of the async colour."""
    for module in MODULES:
        tree = ast.parse(Path(sync_package.__path__[0], f"{module}.py").read_text())
        for node in ast.walk(tree):
            assert not isinstance(
                node, (ast.AsyncFunctionDef, ast.AsyncFor, ast.AsyncWith, ast.Await)
            )
            names = [alias.name for alias in getattr(node, "names", []) if hasattr(alias, "name")]
            assert not {"anyio", "asyncio"} & {*names, getattr(node, "module", None)}
