"""Running commands in a real sandbox."""

from __future__ import annotations

from agb import Session
from agb.exceptions import CommandError


def test_output(session: Session) -> None:
    """Standard output and standard error stay apart, and are joined in `output`."""
    result = session.command.execute_command("echo out; echo err >&2")

    assert result.success
    assert (result.stdout, result.stderr, result.output) == ("out\n", "err\n", "out\nerr\n")
    assert result.exit_code == 0


def test_exit_code(session: Session) -> None:
    """A command that ends with 3 is a failed result with its output."""
    result = session.command.execute_command("echo partial; exit 3")

    assert not result.success
    assert result.exit_code == 3
    assert result.output == "partial\n"
    assert "3" in result.error_message
    assert isinstance(result.exception, CommandError)


def test_time_out(session: Session) -> None:
    """A time-out names its limit and where the limit comes from."""
    result = session.command.execute_command("echo begun; sleep 30")

    assert not result.success
    assert "1000" in result.error_message
    assert "timeout_ms" in result.error_message
    assert result.output.startswith("begun\n")


def test_longer_limit(session: Session) -> None:
    """A command may take as long as `timeout_s` says."""
    result = session.command.execute_command("sleep 1.2; echo done", timeout_s=20)

    assert result.output == "done\n"


def test_cwd_and_envs(session: Session) -> None:
    """A command runs where and with what it is told."""
    result = session.command.execute(
        'pwd; printf %s "$NAME"', 5000, cwd="/tmp", envs={"NAME": "Zoë $HOME"}
    )

    assert result.stdout == "/tmp\nZoë $HOME"


def test_missing_cwd(session: Session) -> None:
    """A directory that is not there is named."""
    result = session.command.execute_command("true", cwd="/nowhere")

    assert not result.success
    assert "/nowhere" in result.error_message


def test_background_child(session: Session) -> None:
    """A child left in the background does not hold the reply back."""
    result = session.command.execute_command("sleep 60 & echo started", 5000)

    assert result.success, result.error_message
    assert result.stdout == "started\n"


def test_bytes_that_are_no_text(session: Session) -> None:
    """Output that is not UTF-8 arrives with replacement characters."""
    result = session.command.execute_command("printf 'a\\377b'")

    assert result.stdout == "a\N{REPLACEMENT CHARACTER}b"


def test_json_output(session: Session) -> None:
    """JSON that a command prints is its output, not a structured reply."""
    result = session.command.execute_command("echo '{\"exit_code\": 7}'")

    assert result.success
    assert result.stdout == '{"exit_code": 7}\n'


def test_a_flood(session: Session) -> None:
    """A flood of output is cut, and says so; the session goes on."""
    result = session.command.execute_command("yes | head -c 50000000", 30_000)
    after = session.command.execute_command("echo fine")

    assert len(result.stdout) < 20_000_000
    assert after.stdout == "fine\n"


def test_killed_by_a_signal(session: Session) -> None:
    """A command that is killed reports 128 plus the signal."""
    result = session.command.execute_command("kill -9 $$")

    assert result.exit_code == 137
