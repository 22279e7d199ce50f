"""Running code in a real sandbox."""

from __future__ import annotations

import shutil

import pytest

from agb import AsyncSession
from agb.exceptions import CommandError

HAS_NODE = shutil.which("node") is not None


async def test_variables_stay(session: AsyncSession) -> None:
    """Variables, imports and functions of one call are there in the next."""
    await session.code.run_code("import math\nx = 6\ndef twice(n):\n    return 2 * n", "python")

    result = await session.code.run_code("print(twice(x) + math.floor(0.5))", "python")

    assert result.success, result.error_message
    assert result.result == "12\n"
    assert result.logs.stdout == ["12\n"]


async def test_value_of_the_last_line(session: AsyncSession) -> None:
    """The value of the last line is the main result, beside what was printed."""
    result = await session.code.run("print('printed')\n{'a': 1}", "python")

    assert result.result == "{'a': 1}"
    assert result.results[0].is_main_result
    assert "".join(result.logs.stdout) == "printed\n"


async def test_rich_results(session: AsyncSession) -> None:
    """What is displayed arrives in every format it has."""
    source = (
        "from IPython.display import HTML, Markdown, display\n"
        "display(HTML('<b>x</b>'))\ndisplay(Markdown('*y*'))"
    )

    result = await session.code.run_code(source, "python")

    assert result.results[0].html == "<b>x</b>"
    assert result.results[1].markdown == "*y*"


async def test_chart_data(session: AsyncSession) -> None:
    """A chart in Vega-Lite, as Altair shows it, arrives as data, beside its other forms."""
    source = (
        "class Chart:\n"
        "    def _repr_mimebundle_(self, **given):\n"
        "        spec = {'mark': 'bar', 'data': {'values': [{'a': 1}]}}\n"
        "        return {'application/vnd.vegalite.v5+json': spec, 'text/plain': 'a chart'}\n"
        "Chart()"
    )

    (shown,) = (await session.code.run_code(source, "python")).results

    assert shown.chart == {"mark": "bar", "data": {"values": [{"a": 1}]}}
    assert (shown.text, shown.is_main_result) == ("a chart", True)


async def test_failing_code(session: AsyncSession) -> None:
    """Code that fails is a failed result with name, message, traceback and partial output."""
    source = "print('before')\ndef f():\n    return [][1]\nf()"

    result = await session.code.run_code(source, "python")

    assert not result.success
    assert result.error_message == "IndexError: list index out of range"
    assert isinstance(result.exception, CommandError)
    assert result.error.name == "IndexError"
    assert "in f()" in result.error.traceback or "in f" in result.error.traceback
    assert "\x1b[" not in result.error.traceback
    assert "".join(result.logs.stdout) == "before\n"


async def test_syntax_error(session: AsyncSession) -> None:
    """Code that is no Python fails by its syntax, and the session goes on."""
    result = await session.code.run_code("print(", "python")

    assert not result.success
    assert "SyntaxError" in result.error_message
    assert (await session.code.run_code("print(1)", "python")).success


async def test_output_without_a_value(session: AsyncSession) -> None:
    """Code that prints nothing succeeds with an empty text."""
    result = await session.code.run_code("x = 1", "python")

    assert result.success
    assert result.result == ""


async def test_json_that_a_program_prints(session: AsyncSession) -> None:
    """JSON that the program prints comes back as it was printed."""
    printed = '{"result": ["x"], "a": 1}'

    result = await session.code.run_code(f"print('{printed}')", "python")

    assert result.result == printed + "\n"


async def test_unicode(session: AsyncSession) -> None:
    """Text outside ASCII travels both ways."""
    result = await session.code.run_code("name = 'Grüße 世界 🐍'\nprint(name)", "python")

    assert result.result == "Grüße 世界 🐍\n"


async def test_time_out_keeps_state(session: AsyncSession) -> None:
    """Code that takes too long is interrupted; variables stay."""
    await session.code.run_code("kept = 'here'", "python")

    late = await session.code.run_code("while True:\n    pass", "python", 1)
    after = await session.code.run_code("print(kept)", "python")

    assert not late.success
    assert "1" in late.error_message
    assert "time" in late.error_message.lower()
    assert after.result == "here\n"


async def test_exit_of_the_program(session: AsyncSession) -> None:
    """`exit()` ends the cell, and says so; the session goes on."""
    await session.code.run_code("kept = 1", "python")

    left = await session.code.run_code("import sys; sys.exit(3)", "python")
    after = await session.code.run_code("print(kept)", "python")

    assert not left.success
    assert "SystemExit" in left.error_message
    assert after.result == "1\n"


async def test_a_dead_interpreter(session: AsyncSession) -> None:
    """An interpreter that dies is reported and replaced; its variables are gone."""
    await session.code.run_code("kept = 1", "python")

    died = await session.code.run_code("import os; os.abort()", "python")
    after = await session.code.run_code("print('kept' in globals())", "python")

    assert not died.success
    assert died.error_message
    assert after.result == "False\n"


async def test_input_is_not_there(session: AsyncSession) -> None:
    """`input()` fails at once with EOFError: there is nobody to answer."""
    result = await session.code.run_code("input('name? ')", "python")

    assert not result.success
    assert "EOFError" in result.error_message


async def test_javascript(session: AsyncSession) -> None:
    """JavaScript keeps its state; without Node.js the message says what to install."""
    first = await session.code.run_code("const x = 20; console.log('hi')", "javascript")
    second = await session.code.run_code("x + await Promise.resolve(22)", "js")

    if not HAS_NODE:
        assert "Node.js" in first.error_message
        return
    assert first.success, first.error_message
    assert first.result == "hi\n"
    assert second.result == "42"


async def test_failing_javascript(session: AsyncSession) -> None:
    """An error of JavaScript has its name and message."""
    result = await session.code.run_code("null.x", "javascript")

    assert not result.success
    assert "TypeError" in result.error_message or not HAS_NODE


async def test_unknown_language(session: AsyncSession) -> None:
    """A language that does not exist fails without a request."""
    result = await session.code.run_code("x", "cobol")

    assert "Unsupported language" in result.error_message
    assert result.request_id == ""


@pytest.mark.parametrize(("language", "program"), [("java", "jshell"), ("r", "Rscript")])
async def test_java_and_r(session: AsyncSession, language: str, program: str) -> None:
    """They keep their state where they are installed; else the message says what to install."""
    await session.code.run_code("x = 20" if language == "r" else "int x = 20", language)
    result = await session.code.run_code("x + 1", language)

    if shutil.which(program) is None:
        assert f"no `{program}` on its PATH; install it" in result.error_message
    else:
        assert result.unwrap().endswith("21")
