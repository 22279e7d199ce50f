"""What is asked over the WebSocket of a stream, and where it is."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from urllib.parse import urlsplit

from attrs import field, frozen

from agb._core import arguments
from agb._core.code import operations as code
from agb._core.exceptions import UnsupportedError
from agb._core.sessions import operations as sessions
from agb._core.sessions.results import GetSessionData
from agb._core.tools.tool import McpTool
from agb._core.wire import retry
from agb._core.wire.operation import Steps

# After so long without a byte the other side is asked for one; it then has as long to answer.
PING_INTERVAL_S = 20.0

# What the official client asks where the service does not say which server has `run_code`.
_TARGET = "wuying_codespace"
_SCHEMES = {"ws": "http", "wss": "https", "http": "http", "https": "https"}


@frozen
class Route:
    """The way to the streams of a session, as the service told it.

    Args:
        ws_url: Address, `""` if it is not known.
        token: Token of the session.
        tools: The tools that the service named with it.
    """

    ws_url: str
    token: str = field(repr=False)
    tools: Sequence[McpTool]

    @property
    def url(self) -> str:
        """The address as that of an HTTP request, with which every WebSocket begins."""
        try:
            parts = urlsplit(self.ws_url)
            is_whole = bool(parts.hostname) and parts.port != 0
            scheme = _SCHEMES.get(parts.scheme, "") if is_whole else ""
        except ValueError:
            return ""
        return parts._replace(scheme=scheme).geturl() if scheme else ""

    @property
    def target(self) -> str:
        """The server inside the session that runs code."""
        servers = (tool.server for tool in self.tools if tool.name == "run_code")
        return next(servers, "") or _TARGET


@frozen
class StreamRequest:
    """A stream as a value; nothing here opens it.

    Args:
        url: Where.
        token: Token of the session.
        frame: What is asked, as JSON.
        time_limit_s: How long the code may run, in seconds.
    """

    url: str
    token: str = field(repr=False)
    frame: str = field(repr=False)
    time_limit_s: float

    @property
    def origin(self) -> str:
        """Scheme, host and port of the URL, without what may be secret in it."""
        parts = urlsplit(self.url)
        return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"

    @property
    def path(self) -> str:
        """The path of the URL, without its query."""
        return urlsplit(self.url).path

    def allowance_s(self, timeout_s: float) -> float:
        """Return how long the whole stream may be waited for.

        Args:
            timeout_s: The configured time-out.
        """
        return max(timeout_s, self.time_limit_s + retry.ANSWER_MARGIN_S)


def prepare(
    session_id: str,
    route: Route,
    endpoint: str,
    invocation_id: str,
    source: str,
    language: str,
    timeout_s: float,
) -> Steps[tuple[StreamRequest, GetSessionData | None]]:
    """Check what is to be run and find out where.

    Returns:
        The request, and what was learned of the session if it had to be asked for.

    Raises:
        InvalidArgumentError: It can't be run.
        UnsupportedError: The service has no address for streams.
        AGBError: The service could not be asked.
    """
    arguments.filled_text("code", source)
    limit = math.ceil(arguments.seconds("timeout_s", timeout_s))
    name = code.language_name(language)
    learned = None
    if not route.ws_url:
        # Made by hand, or by a program that kept only its id.
        found = yield from sessions.get(session_id)
        learned = found.unwrap()
        route = Route(learned.ws_url, learned.token, learned.tool_list)
    if not route.url:
        address = route.ws_url.partition("?")[0]
        told = f"named {address!r:.100}" if address else "named none"
        raise UnsupportedError(
            f"The service at {endpoint} has no address for streaming in session {session_id}"
            f" (it {told}); nothing was run. Run the code without callbacks",
            tool="run_code",
            endpoint=endpoint,
        )
    params = {"language": name, "timeoutS": limit, "code": source}
    frame = {
        "invocationId": invocation_id,
        "source": "SDK",
        "target": route.target,
        "data": {"method": "run_code", "mode": "stream", "params": params},
    }
    return StreamRequest(route.url, route.token, json.dumps(frame), limit), learned
