"""Running commands in a real sandbox."""

from __future__ import annotations

from agb import AsyncSession
from agb.exceptions import CommandError


async def test_output(session: AsyncSession) -> None:
    """Standard output and standard error stay apart, and are joined in `output`."""
    result = await session.command.execute_command("echo out; echo err >&2")

    assert result.success
    assert (result.stdout, result.stderr, result.output) == ("out\n", "err\n", "out\nerr\n")
    assert result.exit_code == 0


async def test_exit_code(session: AsyncSession) -> None:
    """A command that ends with 3 is a failed result with its output."""
    result = await session.command.execute_command("echo partial; exit 3")

    assert not result.success
    assert result.exit_code == 3
    assert result.output == "partial\n"
    assert "3" in result.error_message
    assert isinstance(result.exception, CommandError)


async def test_time_out(session: AsyncSession) -> None:
    """A time-out names its limit and where the limit comes from."""
    result = await session.command.execute_command("echo begun; sleep 30")

    assert not result.success
    assert "1000" in result.error_message
    assert "timeout_ms" in result.error_message
    assert result.output.startswith("begun\n")


async def test_longer_limit(session: AsyncSession) -> None:
    """A command may take as long as `timeout_s` says."""
    result = await session.command.execute_command("sleep 1.2; echo done", timeout_s=20)

    assert result.output == "done\n"


async def test_cwd_and_envs(session: AsyncSession) -> None:
    """A command runs where and with what it is told."""
    result = await session.command.execute(
        'pwd; printf %s "$NAME"', 5000, cwd="/tmp", envs={"NAME": "Zoë $HOME"}
    )

    assert result.stdout == "/tmp\nZoë $HOME"


async def test_missing_cwd(session: AsyncSession) -> None:
    """A directory that is not there is named."""
    result = await session.command.execute_command("true", cwd="/nowhere")

    assert not result.success
    assert "/nowhere" in result.error_message


async def test_background_child(session: AsyncSession) -> None:
    """A child left in the background does not hold the reply back."""
    result = await session.command.execute_command("sleep 60 & echo started", 5000)

    assert result.success, result.error_message
    assert result.stdout == "started\n"


async def test_bytes_that_are_no_text(session: AsyncSession) -> None:
    """Output that is not UTF-8 arrives with replacement characters."""
    result = await session.command.execute_command("printf 'a\\377b'")

    assert result.stdout == "a\N{REPLACEMENT CHARACTER}b"


async def test_json_output(session: AsyncSession) -> None:
    """JSON that a command prints is its output, not a structured reply."""
    result = await session.command.execute_command("echo '{\"exit_code\": 7}'")

    assert result.success
    assert result.stdout == '{"exit_code": 7}\n'


async def test_a_flood(session: AsyncSession) -> None:
    """A flood of output is cut, and says so; the session goes on."""
    result = await session.command.execute_command("yes | head -c 50000000", 30_000)
    after = await session.command.execute_command("echo fine")

    assert len(result.stdout) < 20_000_000
    assert after.stdout == "fine\n"


async def test_killed_by_a_signal(session: AsyncSession) -> None:
    """A command that is killed reports 128 plus the signal."""
    result = await session.command.execute_command("kill -9 $$")

    assert result.exit_code == 137
