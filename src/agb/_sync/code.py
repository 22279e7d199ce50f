"""Running code in a session."""

from __future__ import annotations

from .._core import code as operations
from .._core.tool_results import EnhancedCodeExecutionResult
from .service import BaseService


class Code(BaseService):
    """Run code in a session; variables stay between calls.

    Reached as `session.code`.

    Example:
        >>> result = session.code.run("6 * 7", "python")
        >>> result.result
        '42'
    """

    __module__ = "agb"

    def run_code(
        self, code: str, language: str, timeout_s: int = 300
    ) -> EnhancedCodeExecutionResult:
        """Run code and return what it printed and showed.

        Args:
            code: The source text. Java takes snippets, not whole classes.
            language: `python`, `javascript`, `java` or `r`, in any case; also `py`, `python3`,
                `js`, `node` and `nodejs`.
            timeout_s: How long the code may run, in whole seconds; fractions are rounded up.

        Returns:
            The result. Code that fails gives `success=False` with the reason in
            `error_message`, the exception in `error`, and what was printed until then in `logs`.
            A language that is not known, or a blank `code`, fails without a request.

        Example:
            >>> result = session.code.run_code("print('Hello World')", "python")
            >>> result.success, result.result.strip()
            (True, 'Hello World')
            >>> failed = session.code.run_code("1 / 0", "python")
            >>> failed.success, failed.error_message
            (False, 'ZeroDivisionError: division by zero')
        """
        return self._run(operations.run(self.session.session_id, code, language, timeout_s))

    def run(self, code: str, language: str, timeout_s: int = 60) -> EnhancedCodeExecutionResult:
        """Run code and return what it printed and showed: the later name of `run_code`.

        Args:
            code: The source text.
            language: The language, as for `run_code`.
            timeout_s: How long the code may run, in seconds.

        Returns:
            The result, as for `run_code`.

        Example:
            >>> shown = session.code.run("6 * 7", "python")
            >>> shown.results[0].text, shown.results[0].is_main_result
            ('42', True)
        """
        return self.run_code(code, language, timeout_s)
