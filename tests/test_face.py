"""The face of the package: what is importable from where, and what importing costs."""

import ast
import importlib
import importlib.util
import pickle
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

import agb
from agb import Config, CreateSessionParams
from agb.config import BROWSER_DATA_PATH
from agb.modules import FileSystemBoolResult

POLICIES = (
    "ContextSync SyncPolicy UploadPolicy DownloadPolicy DeletePolicy ExtractPolicy"
    " UploadStrategy DownloadStrategy"
)
# Module → names that programs import from it, those of later milestones left out.
DOCUMENTED = {
    "agb": f"{POLICIES} Context ContextService ContextResult ContextListResult ContextManager"
    " ContextStatusData ContextInfoResult ContextSyncResult BrowserContext AGB"
    " AsyncAGB AsyncBaseSession AsyncSession Client Config CreateSessionParams HTTPClient"
    " Session __version__ AGBError AuthenticationError APIError FileError CommandError SessionError"
    " ApplicationError BrowserError ClearanceTimeoutError ScreenError",
    "agb.agb": "AGB Config",
    "agb.session": "BaseSession Session DeleteResult OperationResult",
    "agb.session_params": "CreateSessionParams BrowserContext",
    "agb.config": "Config default_config load_config BROWSER_DATA_PATH",
    "agb.exceptions": "AGBError AuthenticationError APIError FileError CommandError SessionError"
    " ApplicationError BrowserError ClearanceTimeoutError ScreenError APIConnectionError"
    " APITimeoutError SessionNotFoundError LabelValidationError InvalidArgumentError"
    " CommandTimeoutError UnsupportedError",
    "agb.model": "ApiResponse SessionResult DeleteResult OperationResult BoolResult",
    "agb.model.response": "ApiResponse SessionResult DeleteResult OperationResult BoolResult"
    " GetSessionData GetSessionResult SessionListResult SessionStatusResult McpTool"
    " McpToolResult McpToolsResult SessionMetrics SessionMetricsResult UploadResult"
    " DownloadResult",
    "agb.modules": "Code CodeExecutionResult Command CommandResult FileSystem FileInfoResult"
    " DirectoryListResult FileContentResult MultipleFileContentResult FileSystemBoolResult",
    "agb.modules.code": "Code CodeExecutionResult EnhancedCodeExecutionResult ExecutionResult"
    " ExecutionError ExecutionLogs",
    "agb.modules.command": "Command CommandResult Process ProcessInfo ProcessListResult"
    " ProcessOutput ProcessResult",
    "agb.modules.file_system": "FileSystem FileContentResult DirectoryListResult FileInfoResult"
    " MultipleFileContentResult FileSearchResult FileChangeEvent FileChangeResult BoolResult"
    " BinaryFileContentResult UploadResult DownloadResult",
    "agb.context": "Context ContextService ContextResult ContextListResult ContextListParams"
    " ContextFileEntry ContextFileListResult FileUrlResult ClearContextResult",
    "agb.context_manager": "ContextManager ContextStatusData ContextInfoResult ContextSyncResult",
    "agb.context_sync": f"{POLICIES} BWList WhiteList UploadMode RecyclePolicy Lifecycle"
    " MappingPolicy",
    "agb.api": "BaseService Client HTTPClient",
    "agb.api.base_service": "BaseService",
    "agb.api.client": "Client",
    "agb.logger": "get_logger",
    "agb.labels": "validate_labels",
}
PATHS = [(module, name) for module, names in DOCUMENTED.items() for name in names.split()]
LATER_MODULES = ["extension", "modules.browser"]


def names_for_type_checkers():
    """The names that the face imports under `TYPE_CHECKING`, with the modules they come from."""
    tree = ast.parse(Path(agb.__file__).read_text())
    blocks = (node for node in tree.body if isinstance(node, ast.If))
    return {
        alias.asname or alias.name: statement.module
        for block in blocks
        for statement in block.body
        if isinstance(statement, ast.ImportFrom)
        for alias in statement.names
    }


def run(program, cwd, *options):
    done = subprocess.run(
        [sys.executable, *options, "-c", program],
        cwd=cwd,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


@pytest.mark.parametrize(("module", "name"), PATHS)
def test_documented_name_is_importable_from_its_path(module, name):
    """Every documented name is there, under its documented path and in its `__all__`."""
    home = importlib.import_module(module)

    assert hasattr(home, name)
    assert name in home.__all__


@pytest.mark.parametrize("name", sorted({name for _, name in PATHS}))
def test_name_is_the_same_object_everywhere(name):
    """A name that two modules offer is one object."""
    modules = [importlib.import_module(module) for module in DOCUMENTED]
    offered = [getattr(module, name) for module in modules if name in module.__all__]

    assert all(value is offered[0] for value in offered)


@pytest.mark.parametrize("module", DOCUMENTED)
def test_list_of_names_is_sorted_and_complete(module):
    """`__all__` is sorted, without repetition, and holds every public name that is no module."""
    home = importlib.import_module(module)
    public = {
        name
        for name, value in vars(home).items()
        if not name.startswith("_")
        and not isinstance(value, ModuleType)
        and name not in ("annotations", "TYPE_CHECKING")
    }

    assert list(home.__all__) == sorted(set(home.__all__))
    assert public <= set(home.__all__)


def test_face_has_exactly_the_public_names():
    """What is listed, what is loaded and what type checkers see are the same names and homes."""
    checked = names_for_type_checkers()

    assert set(agb.__all__) == {*checked, "__version__"}
    assert checked == agb._HOMES
    assert set(agb._ALIASES.items()) == {("HTTPClient", "Client")}


def test_every_name_of_the_documented_paths_is_also_on_the_face():
    """Classes can be imported from `agb` itself, whatever their documented path."""
    values = {name: getattr(importlib.import_module(module), name) for module, name in PATHS}
    classes = {name for name, value in values.items() if isinstance(value, type)}

    assert classes - {"FileSystemBoolResult"} <= set(agb.__all__)


@pytest.mark.parametrize("name", [name for name in agb.__all__ if name != "__version__"])
def test_public_class_shows_the_package_as_its_module(name):
    """Every public name of the face is a class of module `agb`, found there by its own name."""
    class_ = getattr(agb, name)

    assert isinstance(class_, type)
    assert class_.__module__ == "agb"
    assert getattr(agb, class_.__qualname__) is class_
    assert pickle.loads(pickle.dumps(class_)) is class_


@pytest.mark.parametrize("module", LATER_MODULES)
def test_module_of_a_later_milestone_is_absent(module):
    """A documented path of which nothing is there yet is no module."""
    assert importlib.util.find_spec(f"agb.{module}") is None


@pytest.mark.parametrize("class_", [agb.Session, agb.AsyncSession])
@pytest.mark.parametrize("name", ["browser", "computer", "agent"])
def test_session_has_no_attribute_of_a_later_milestone(class_, name):
    """A session answers `hasattr` truthfully: what is not there is not there."""
    assert not hasattr(class_, name)
    assert not hasattr(class_, "__getattr__")


def test_unknown_name_is_an_attribute_error():
    """The face has no name that is not in its list."""
    assert not hasattr(agb, "Unknown")
    with pytest.raises(AttributeError, match="module 'agb' has no attribute 'Unknown'"):
        agb.Unknown  # noqa: B018


def test_directory_of_the_face_lists_every_name():
    """`dir(agb)` shows names that were not loaded yet, for completion."""
    assert set(agb.__all__) <= set(dir(agb))
    assert dir(agb) == sorted(dir(agb))


def test_module_named_like_the_package_is_the_module():
    """`from agb import agb` gives the module `agb.agb`."""
    from agb import agb as module

    assert isinstance(module, ModuleType)
    assert module is sys.modules["agb.agb"]
    assert module.AGB is agb.AGB


def test_star_import_gives_exactly_the_public_names(tmp_path):
    """`from agb import *` gives every public name and no other."""
    program = (
        "before = {'before', *globals()}\nfrom agb import *\nprint(*globals().keys() - before)"
    )

    given = run(program, tmp_path).split()

    assert sorted(given) == agb.__all__


def test_version_and_type_marker():
    """The version is a text, and the package says that it is typed."""
    assert isinstance(agb.__version__, str)
    assert agb.__version__
    assert Path(agb.__file__).with_name("py.typed").is_file()


def test_constants_have_their_documented_values():
    """Constants of documented paths have the documented values."""
    assert BROWSER_DATA_PATH == "/tmp/agb_browser_data"
    assert agb.FileSystem.DEFAULT_CHUNK_SIZE == 51_200
    assert FileSystemBoolResult is agb.BoolResult


@pytest.mark.parametrize(
    ("statement", "unwanted"),
    [
        ("import agb", "httpx anyio attrs attr asyncio dotenv"),
        ("import agb; dir(agb)", "httpx anyio attrs attr asyncio dotenv"),
        ("from agb import AGB", "httpx httpcore h11 certifi asyncio ssl dotenv trio"),
        ("from agb import AsyncAGB", "httpx asyncio dotenv trio"),
        ("from agb import Config, AGBError, CommandResult", "httpx anyio asyncio dotenv"),
        ("from agb import AGB; AGB('key')", "httpx asyncio trio"),
    ],
)
def test_import_loads_only_what_it_needs(tmp_path, statement, unwanted):
    """Importing the face loads no library, importing a client neither httpx nor asyncio."""
    program = (
        f"import sys; before = {{*sys.modules}}\n{statement}\nprint(*({{*sys.modules}} - before))"
    )

    loaded = {name.partition(".")[0] for name in run(program, tmp_path).split()}

    assert loaded & set(unwanted.split()) == set()


def test_import_of_a_client_stays_small(tmp_path):
    """`from agb import AGB` loads attrs beside our own, and at most 31 files of our own.

    The docstrings of the rooms that they are in are not counted.
    """
    program = """
import sys
from agb import AGB
print(*sys.modules)
print(*(name for name, module in sys.modules.items() if not hasattr(module, "__path__")))
"""

    loaded, files = (set(line.split()) for line in run(program, tmp_path).splitlines())

    ours = [name for name in files if name.partition(".")[0] == "agb"]
    assert not {"anyio", "typing_extensions", "agb._core.results"} & loaded
    assert len(ours) <= 31, ours


def test_first_call_loads_no_httpx(tmp_path):
    """A call over HTTP needs httpcore alone; httpx is for errors, proxies and certificates."""
    program = """
import sys
from agb import AGB, Config
pool = AGB("key", Config("http://127.0.0.1:9")).client._connections.client()
pool.build_request("GET", "http://127.0.0.1:9/", content=None, headers={}, timeout=(1, 1, 1, 1))
print(*sys.modules)
"""

    loaded = set(run(program, tmp_path).split())

    assert "httpcore" in loaded
    assert "httpx" not in loaded


def test_import_is_silent(tmp_path):
    """Importing every documented path prints nothing and writes no file, warnings being errors."""
    program = "\n".join(f"from {module} import *" for module in DOCUMENTED)

    assert run(program, tmp_path, "-W", "error") == ""
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "value",
    [
        Config("host", 5),
        CreateSessionParams({"a": "b"}, "image"),
        agb.CommandResult("r", False, exception=agb.CommandError("why", code="c")),
        agb.SessionListResult("r", True, session_ids=["s-1"]),
        agb.EnhancedCodeExecutionResult(results=[agb.ExecutionResult("1")]),
    ],
    ids=lambda value: type(value).__name__,
)
def test_value_pickled_here_is_read_by_a_fresh_process(tmp_path, value):
    """A pickled value needs nothing but the package, whose names load by themselves."""
    program = f"import pickle; print(repr(pickle.loads({pickle.dumps(value)!r})))"

    assert run(program, tmp_path) == f"{value!r}\n"
