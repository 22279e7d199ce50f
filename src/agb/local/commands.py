"""The command line `agb`."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

if TYPE_CHECKING:
    from .server import Ready

app: typer.Typer = typer.Typer(
    help="Run code somewhere safe.",
    no_args_is_help=True,
    add_completion=False,
    # The decorated traceback shows local variables, and a key may be among them.
    pretty_exceptions_enable=False,
)

FAILED = 1
UNFIT_MACHINE = 3
INTERRUPTED = 130


def main() -> None:
    """Run the command line; ends by `SystemExit`."""
    app(prog_name="agb")


@app.callback()
def _root() -> None:
    # Without a callback, a single command would lose its name.
    pass


@app.command()
def serve(
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[
        int, typer.Option(min=0, max=65535, help="Port to listen on; 0 takes a free one.")
    ] = 8000,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print endpoint, key and process as one line of JSON.")
    ] = False,
    max_sessions: Annotated[
        str, typer.Option(help="Sessions alive at the same time.", metavar="N")
    ] = "",
    max_memory: Annotated[
        str, typer.Option(help="Memory of one session, as 2G.", metavar="SIZE")
    ] = "",
    max_cpus: Annotated[
        str, typer.Option(help="Processors one session may keep busy, as 1.5.", metavar="N")
    ] = "",
    max_processes: Annotated[
        str, typer.Option(help="Processes and threads of one session.", metavar="N")
    ] = "",
    max_disk: Annotated[str, typer.Option(help="Disk of one session, as 4G.", metavar="SIZE")] = "",
    state: Annotated[
        str,
        typer.Option(
            help="Folder that keeps sessions over a restart; none keeps nothing.", metavar="DIR"
        ),
    ] = "",
    owner_fd: Annotated[
        int | None,
        typer.Option(min=0, hidden=True, help="pidfd of the process to end with."),
    ] = None,
    owner_stdin: Annotated[
        bool,
        typer.Option("--owner-stdin", hidden=True, help="End when standard input ends."),
    ] = False,
) -> None:
    """Run the sandbox server until Ctrl+C.

    It asks for the API key in AGB_API_KEY, or for one of its own that it prints. Sessions, contexts
    and that key are there again after a restart: they live in ~/.local/state/agb (as root in
    /var/lib/agb) unless --state or AGB_LOCAL_STATE names another folder. With --port 0 nothing is
    kept unless a folder is named. Every limit also has a variable: --max-memory is
    AGB_LOCAL_MAX_MEMORY, and docs/local.md lists them all.
    """
    _refuse_other_systems()
    # Imported here: the help of the command line needs none of it.
    from . import logs
    from .failures import MachineUnfit, SandboxError
    from .server import Options, StartError
    from .server import serve as run_server
    from .settings import Settings
    from .state import folder as state_folder
    from .variables import InvalidSetting

    given = {
        "AGB_LOCAL_MAX_SESSIONS": max_sessions,
        "AGB_LOCAL_MAX_MEMORY": max_memory,
        "AGB_LOCAL_MAX_CPUS": max_cpus,
        "AGB_LOCAL_MAX_PROCESSES": max_processes,
        "AGB_LOCAL_MAX_DISK": max_disk,
        "AGB_LOCAL_STATE": state,
    }
    chosen = {name: value for name, value in given.items() if value}
    owned = owner_fd is not None or owner_stdin
    # The key in the environment of an owner is one for the cloud; it has no business here.
    own_key = None if owned else os.environ.get("AGB_API_KEY") or None
    try:
        settings = Settings.from_environment({**os.environ, **chosen})
    except InvalidSetting as error:
        _fail(f"agb serve: {error}", FAILED)
    folder = None if owned else state_folder.choose(settings.state, port, os.environ)
    options = Options(host, port, own_key, folder, owner_fd, owner_stdin)
    logs.set_up(max_bytes=settings.log_max_bytes if owned else None)
    try:
        asyncio.run(run_server(options, settings, _announce_json if as_json else _announce))
    except MachineUnfit as error:
        _fail(f"{error} `agb doctor` says more about this machine.", UNFIT_MACHINE)
    except (StartError, state_folder.StateError, SandboxError, OSError) as error:
        _fail(f"agb serve: {error}", FAILED)
    except KeyboardInterrupt:
        raise typer.Exit(INTERRUPTED) from None


@app.command()
def doctor(
    as_json: Annotated[bool, typer.Option("--json", help="Print the report as JSON.")] = False,
) -> None:
    """Say what this machine gives to sandboxes, and try them.

    It starts a sandbox as the server does, attacks it from inside, and names the tier of isolation,
    what is missing and how to get it. Ends with 0 if sandboxes work here, and with 1 if not.
    """
    from .settings import Settings
    from .variables import InvalidSetting

    try:
        settings = Settings.from_environment()
    except InvalidSetting as error:
        _fail(f"agb doctor: {error}", FAILED)
    from . import logs
    from .doctor import page as doctor_page
    from .doctor.examination import examine

    logs.set_up(max_bytes=None)
    report = asyncio.run(examine(settings))
    try:
        if as_json:
            typer.echo(json.dumps(report.as_json(), indent=2))
        else:
            doctor_page.show(report)
    except OSError as error:
        _fail(f"agb doctor: the report could not be printed: {error}", FAILED)
    if not report.works:
        raise typer.Exit(FAILED)


def _refuse_other_systems() -> None:
    """End before anything is imported that only Linux has."""
    from .failures import MachineUnfit
    from .machine.facts import Facts, check_system

    try:
        check_system(Facts.read())
    except MachineUnfit as error:
        _fail(str(error), UNFIT_MACHINE)


def _announce_json(ready: Ready) -> None:
    typer.echo(json.dumps({"endpoint": ready.endpoint, "api_key": ready.api_key, "pid": ready.pid}))


def _announce(ready: Ready) -> None:
    # A key that the user has set is not repeated on the screen.
    key = "…  # the one this server was given" if "AGB_API_KEY" in os.environ else ready.api_key
    typer.echo(
        f"The server answers at {ready.endpoint}. In another terminal:\n\n"
        f"    export AGB_ENDPOINT={ready.endpoint}\n"
        f"    export AGB_API_KEY={key}\n\n"
        "Ctrl+C ends it."
    )


def _fail(text: str, code: int) -> NoReturn:
    typer.echo(text, err=True)
    try:
        sys.stdout.flush()
    except OSError:
        # Python would try again at its end, complain, and exit with 120.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    raise typer.Exit(code)
