"""What calls of tools by name return, and the metrics of a session."""

from __future__ import annotations

from typing import Any

from attrs import field, frozen

from agb._core.payloads import list_or_empty
from agb._core.results import Result
from agb._core.tools.tool import McpTool


@frozen(unsafe_hash=False)
class McpToolResult(Result):
    """The result of calling a tool by its name.

    Args:
        request_id: The server's id of the request.
        success: Whether the tool did its work.
        data: What it answered, as text; None on failure.
        error_message: Why not, `""` on success.

    Example:
        >>> from agb import McpToolResult
        >>> McpToolResult(success=True, data='done').data
        'done'
    """

    __module__ = "agb"

    request_id: str = ""
    success: bool = False
    data: str = None  # type: ignore[assignment]  # None on failure only
    error_message: str = ""

    def unwrap(self) -> str:
        """Return the answer, or raise the error of a failed result.

        Example:
            >>> from agb import McpToolResult
            >>> McpToolResult(success=True, data='done').unwrap()
            'done'
        """
        return self.raise_for_error().data


@frozen(unsafe_hash=False)
class McpToolsResult(Result):
    """The result of listing the tools of an image.

    Args:
        request_id: The server's id of the request.
        success: Whether the list was read.
        tools: The tools.
        error_message: Why not, `""` on success.

    Example:
        >>> from agb import McpToolsResult
        >>> McpToolsResult(success=True, tools=[]).tools
        []
    """

    __module__ = "agb"

    request_id: str = ""
    success: bool = False
    tools: list[McpTool] = field(factory=list[McpTool], converter=list_or_empty)
    error_message: str = ""

    def unwrap(self) -> list[McpTool]:
        """Return the tools, or raise the error of a failed result.

        Example:
            >>> from agb import McpToolsResult
            >>> McpToolsResult(success=True, tools=[]).unwrap()
            []
        """
        return self.raise_for_error().tools


@frozen(unsafe_hash=False)
class SessionMetrics:
    """What a session uses of its machine.

    Args:
        cpu_count: Processors that it may use.
        cpu_used_pct: Share of them in use, in percent.
        disk_total: Size of its disk in bytes.
        disk_used: Used of it, in bytes.
        mem_total: Its memory in bytes.
        mem_used: Used of it, in bytes.
        rx_rate_kbyte_per_s: Received over the network, in kilobytes per second.
        tx_rate_kbyte_per_s: Sent, in kilobytes per second.
        rx_used_kbyte: Received since its start, in kilobytes.
        tx_used_kbyte: Sent since its start, in kilobytes.
        timestamp: When this was measured, as the service writes it.

    Example:
        >>> from agb import SessionMetrics
        >>> SessionMetrics(cpu_count=2).cpu_count
        2
    """

    __module__ = "agb"

    cpu_count: int = 0
    cpu_used_pct: float = 0.0
    disk_total: int = 0
    disk_used: int = 0
    mem_total: int = 0
    mem_used: int = 0
    rx_rate_kbyte_per_s: float = 0.0
    tx_rate_kbyte_per_s: float = 0.0
    rx_used_kbyte: float = 0.0
    tx_used_kbyte: float = 0.0
    timestamp: str = ""

    @property
    def rx_rate_kbps(self) -> float:
        """The older spelling of `rx_rate_kbyte_per_s`.

        Example:
            >>> from agb import SessionMetrics
            >>> SessionMetrics(rx_rate_kbyte_per_s=1.5).rx_rate_kbps
            1.5
        """
        return self.rx_rate_kbyte_per_s

    @property
    def tx_rate_kbps(self) -> float:
        """The older spelling of `tx_rate_kbyte_per_s`.

        Example:
            >>> from agb import SessionMetrics
            >>> SessionMetrics(tx_rate_kbyte_per_s=1.5).tx_rate_kbps
            1.5
        """
        return self.tx_rate_kbyte_per_s

    @property
    def rx_used_kb(self) -> float:
        """The older spelling of `rx_used_kbyte`.

        Example:
            >>> from agb import SessionMetrics
            >>> SessionMetrics(rx_used_kbyte=1.5).rx_used_kb
            1.5
        """
        return self.rx_used_kbyte

    @property
    def tx_used_kb(self) -> float:
        """The older spelling of `tx_used_kbyte`.

        Example:
            >>> from agb import SessionMetrics
            >>> SessionMetrics(tx_used_kbyte=1.5).tx_used_kb
            1.5
        """
        return self.tx_used_kbyte


@frozen(unsafe_hash=False)
class SessionMetricsResult(Result):
    """The result of measuring a session.

    Args:
        request_id: The server's id of the request.
        success: Whether it was measured.
        metrics: The figures; None on failure.
        error_message: Why not, `""` on success.
        raw: The figures as the service sent them, `{}` on failure.

    Example:
        >>> from agb import SessionMetricsResult
        >>> SessionMetricsResult(error_message='no metrics').success
        False
    """

    __module__ = "agb"

    request_id: str = ""
    success: bool = False
    metrics: SessionMetrics = None  # type: ignore[assignment]  # None on failure only
    error_message: str = ""
    raw: dict[str, Any] = field(factory=dict[str, Any])

    def unwrap(self) -> SessionMetrics:
        """Return the figures, or raise the error of a failed result.

        Example:
            >>> from agb import SessionMetricsResult
            >>> SessionMetricsResult(success=True).unwrap() is None
            True
        """
        return self.raise_for_error().metrics
