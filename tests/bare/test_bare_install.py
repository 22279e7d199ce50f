"""An install without extras. Runs in an environment of its own: `nox -s bare`."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from importlib.metadata import requires

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

pytestmark = pytest.mark.skipif(
    importlib.util.find_spec("starlette") is not None, reason="this environment has the extra"
)


def run(*command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


def test_import_is_silent() -> None:
    """Importing the package and its clients prints nothing, even with all warnings on."""
    done = run(sys.executable, "-W", "error", "-c", "import agb; agb.AGB; agb.AsyncAGB")

    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_no_server_is_loaded() -> None:
    """Making a client loads no module of the embedded server."""
    program = (
        "import sys, agb; agb.AGB(api_key='k'); agb.AsyncAGB(api_key='k');"
        " print([name for name in sys.modules if name.startswith('agb.local')])"
    )

    assert run(sys.executable, "-c", program).stdout == "[]\n"


def test_local_says_what_to_install() -> None:
    """A call to the embedded server fails with the command that installs it."""
    from agb import AGB
    from agb.exceptions import LocalServerError

    result = AGB.local().create()

    assert not result.success
    assert isinstance(result.exception, LocalServerError)
    if sys.platform == "linux":
        assert "pip install 'agb[local]'" in result.error_message
    else:
        assert "Linux" in result.error_message


def test_streaming_says_what_to_install() -> None:
    """A stream fails with the command that installs what it needs, before anything is sent."""
    from agb import AGB, Config, Session
    from agb.exceptions import UnsupportedError

    with AGB("key", Config("http://127.0.0.1:9")) as agb:
        session = Session(agb, "s-1")
        session.ws_url = "ws://127.0.0.1:9/x"
        result = session.code.run("1", "python", stream_beta=True)

    assert isinstance(result.exception, UnsupportedError)
    assert "pip install 'agb[stream]'" in result.error_message


@pytest.mark.parametrize(
    "command",
    [("-m", "agb"), ("-c", "from agb.__main__ import main; main()")],
    ids=["-m", "script"],
)
def test_console_script_says_what_to_install(command: tuple[str, str]) -> None:
    """The command `agb` ends with 2 and the command that installs what it needs."""
    done = run(sys.executable, *command, "serve")

    assert done.returncode == 2
    assert "pip install 'agb[local]'" in done.stderr
    assert "Traceback" not in done.stderr


def test_distributions_of_a_plain_install() -> None:
    """A plain install stays small: at most 13 distributions, agb and all that it needs."""
    needed: set[str] = set()
    open_names = {"agb"}
    while open_names:
        name = open_names.pop()
        needed.add(name)
        requirements = [Requirement(text) for text in requires(name) or []]
        open_names |= {
            canonicalize_name(requirement.name)
            for requirement in requirements
            if requirement.marker is None or requirement.marker.evaluate({"extra": ""})
        } - needed

    # What newer Pythons have in their own library.
    assert len(needed - {"exceptiongroup"}) <= 13, sorted(needed)
