"""A picture of measurements: groups of horizontal bars, as SVG."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape

_WIDTH, _LEFT, _BAR, _GAP = 720, 190, 22, 30
_OURS, _OTHERS = "#2f6fdf", "#9aa7b8"


def bars(groups: Mapping[str, Mapping[str, float]], *, unit: str) -> str:
    """Draw groups of values, each group to its own scale.

    Args:
        groups: Title → name → value; the first of each group is ours.
        unit: What the values are in.

    Returns:
        The text of an SVG file.
    """
    lines: list[str] = []
    y = 10
    for title, values in groups.items():
        y += _GAP
        lines.append(f'<text x="10" y="{y}" font-weight="bold">{escape(title)}</text>')
        y += 10
        scale = (_WIDTH - _LEFT - 90) / max(values.values())
        for index, (name, value) in enumerate(values.items()):
            width, middle = value * scale, y + 16
            colour = _OTHERS if index else _OURS
            number = f"{value:.3g}" if value < 1000 else f"{value:.0f}"
            lines += [
                f'<text x="{_LEFT - 8}" y="{middle}" text-anchor="end">{escape(name)}</text>',
                f'<rect x="{_LEFT}" y="{y}" width="{width:.1f}" height="{_BAR}" fill="{colour}"/>',
                f'<text x="{_LEFT + width + 6:.1f}" y="{middle}">{number} {unit}</text>',
            ]
            y += _BAR + 4
    style = "font-family:system-ui,sans-serif;font-size:14px;fill:#333"
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {y + 16}" style="{style}">'
    )
    background = f'<rect width="{_WIDTH}" height="{y + 16}" fill="#fff"/>'
    return "\n".join([head, background, *lines, "</svg>\n"])
