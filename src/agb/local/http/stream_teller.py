"""Tells a client what happens in a stream: what the code prints and shows, and how it ends."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import cast

from starlette.websockets import WebSocket

from ..tools.cell import Cell
from .envelope import ApiFailure, new_request_id
from .stream_frames import Frame

# Characters of output in one frame at most.
_PIECE = 1 << 16


class Teller:
    """Tells a client what happens in one stream."""

    def __init__(self, socket: WebSocket, frame: Frame) -> None:
        self._socket = socket
        self._frame = frame
        self._trace_id = new_request_id()
        self._number = 0

    async def tell(self, event: dict[str, object]) -> None:
        """Tell what the sandbox told: a piece of output, or something shown."""
        for kind, content in event.items():
            if kind == "result":
                await self._event("result", result=_shown(cast("dict[str, object]", content)))
            else:
                await self._event(kind, chunk=content)

    async def finish(self, cell: Cell) -> None:
        """Tell the rest of a cell, and how it ended."""
        # The wire has no field for a traceback.
        for kind, texts in (("stdout", cell.stdout), ("stderr", [*cell.stderr, cell.traceback])):
            for text in texts:
                for piece in _pieces(text):
                    await self._event(kind, chunk=piece)
        for bundle in cell.bundles:
            await self.tell({"result": bundle})
        if cell.failure is not None:
            await self._error("TimeoutError" if cell.timed_out else "ExecutionError", cell.failure)
        await self._end(cell.failure, cell.count, cell.duration_s)

    async def fail(self, failure: ApiFailure) -> None:
        """Tell why the code did not run, or why nothing more of it is known."""
        await self._error(failure.code, failure.message)
        await self._end(failure.message, None, 0.0)

    async def _error(self, code: str, message: str) -> None:
        # Always an object: clients take a text for a broken protocol.
        error = {"code": code, "message": message, "traceId": self._trace_id}
        await self._event("error", error=error)

    async def _end(self, failure: str | None, count: int | None, duration_s: float) -> None:
        await self._send(
            phase="end",
            status="finished" if failure is None else "failed",
            executionCount=count,
            executionTime=duration_s,
            executionError=failure,
        )

    async def _event(self, kind: str, **content: object) -> None:
        self._number += 1
        await self._send(phase="event", seq=self._number, eventType=kind, **content)

    async def _send(self, **data: object) -> None:
        frame = self._frame
        message = {"invocationId": frame.id, "source": frame.target, "target": frame.source}
        # ASCII, so that text from a sandbox can't break the encoding, whatever it holds.
        await self._socket.send_text(json.dumps({**message, "data": data}, separators=(",", ":")))


def _shown(bundle: dict[str, object]) -> dict[str, object]:
    mime = {kind: content for kind, content in bundle.items() if kind != "isMainResult"}
    return {"isMainResult": bundle.get("isMainResult") is True, "mime": mime}


def _pieces(text: str) -> Iterable[str]:
    return (text[start : start + _PIECE] for start in range(0, len(text), _PIECE))
