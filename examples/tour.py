"""A tour of a session: code in two languages, a command, files and labels.

AGB_ENDPOINT=local python examples/tour.py
"""

import sys
from collections.abc import Callable
from time import perf_counter

from rich.console import Console
from rich.markup import escape
from rich.rule import Rule

from agb import AGB, AGBError, CreateSessionParams, Session

console = Console()


def python_keeps_variables(session: Session) -> str:
    session.code.run_code("squares = [n * n for n in range(8)]", "python").raise_for_error()
    return session.code.run_code("squares", "python").unwrap()


def python_shows_rich_results(session: Session) -> str:
    source = "from IPython.display import HTML; HTML('<b>bold</b>')"
    shown = session.code.run_code(source, "python").raise_for_error().results[0]
    return f"html: {shown.html}"


def a_failure_is_a_result(session: Session) -> str:
    failed = session.code.run_code("print('so far, so good'); 1 / 0", "python")
    printed = "".join(failed.logs.stdout).strip()
    return f"success={failed.success}, {failed.error_message}; printed before: {printed!r}"


def javascript(session: Session) -> str:
    source = "const names = ['agb', 'local']; names.map(name => name.toUpperCase())"
    result = session.code.run_code(source, "javascript")
    if not result.success and "Node.js" in result.error_message:
        return f"skipped: {result.error_message}"
    return result.unwrap()


def a_shell_command(session: Session) -> str:
    return session.command.execute_command("id -un; pwd; ls -A | wc -l").unwrap()


def the_network_is_closed(session: Session) -> str:
    probe = "exec 3<>/dev/tcp/1.1.1.1/53"
    result = session.command.execute_command(f"bash -c '{probe}'")
    return f"exit code {result.exit_code}: {result.stderr.strip().splitlines()[-1]}"


def a_file(session: Session) -> str:
    session.file_system.write_file("poem.txt", "Grüße, 世界\n").raise_for_error()
    session.command.execute_command("cat poem.txt poem.txt > twice.txt").raise_for_error()
    content = session.file_system.read_file("twice.txt").unwrap()
    size = session.file_system.get_file_info("twice.txt").unwrap()["size"]
    return f"{content}{size} bytes"


def labels(session: Session) -> str:
    session.set_labels({"project": "tour", "stage": "demo"}).raise_for_error()
    found = session.agb.list({"project": "tour"}).unwrap()
    return f"{session.get_labels().unwrap()}, found by label: {found == [session.session_id]}"


STEPS: list[tuple[str, Callable[[Session], str]]] = [
    ("Python, with variables that stay", python_keeps_variables),
    ("Python, rich results", python_shows_rich_results),
    ("Code that fails is a result", a_failure_is_a_result),
    ("JavaScript", javascript),
    ("A shell command", a_shell_command),
    ("No way out to the network", the_network_is_closed),
    ("A file, written and read", a_file),
    ("Labels", labels),
]


def main() -> int:
    agb = AGB()
    console.print(Rule(f"agb: a session at endpoint [bold]{agb.endpoint}[/]"))
    try:
        began = perf_counter()
        with agb.open_session(CreateSessionParams(image_id="agb-code-space-1")) as session:
            console.print(f"created {session.session_id} in {perf_counter() - began:.2f} s\n")
            for title, step in STEPS:
                began = perf_counter()
                shown = step(session).rstrip()
                milliseconds = (perf_counter() - began) * 1000
                console.print(f"[bold cyan]{title}[/] [dim]{milliseconds:.0f} ms[/]")
                console.print("\n".join(f"  {escape(line)}" for line in shown.splitlines()) + "\n")
    except AGBError as error:
        console.print(f"[bold red]{type(error).__name__}[/]: {escape(str(error))}")
        return 1
    console.print(Rule("deleted, nothing is left"))
    return 0


if __name__ == "__main__":
    sys.exit(main())
