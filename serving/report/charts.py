"""Charts as SVG: fans over years and bars about a line, in colours and dashes that everyone tells apart.

Both printers take the same drawing. Classes carry the colours so that a page may turn them dark.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from html import escape
from typing import Final

from serving.report.forms import signed

WIDE: Final = 680
_GAP: Final = 3
Scale = Callable[[float], float]
_FONT: Final = "Libertinus Serif, Georgia, serif"
_INK: Final = "#1d2733"
_GRID: Final = "#d9dee4"
# Okabe and Ito's blue and vermilion, and a grey.
_COLOURS: Final = {"past": _INK, "one": "#0072b2", "other": "#d55e00", "mark": "#4a4f57"}


@dataclass(frozen=True)
class Line:
    """Points over years. ``look`` is a key of the palette; ``label`` stands in the legend."""

    label: str
    years: tuple[int, ...]
    values: tuple[float, ...]
    look: str
    dashed: bool = False
    dots: bool = False


@dataclass(frozen=True)
class Band:
    """A band over years."""

    label: str
    years: tuple[int, ...]
    low: tuple[float, ...]
    high: tuple[float, ...]
    look: str


@dataclass(frozen=True)
class Mark:
    """One point that is named: a target."""

    label: str
    year: int
    value: float


@dataclass(frozen=True)
class Bar:
    """One bar from the line outwards."""

    label: str
    value: float


def fan(
    title: str, unit: str, lines: Sequence[Line], bands: Sequence[Band], marks: Sequence[Mark] = ()
) -> str:
    """Lines and bands over years, from zero up."""
    tall, left, right, top, bottom = 300, 48, 16, 46, 28
    years = [t for line in lines for t in line.years] + [t for band in bands for t in band.years]
    years += [mark.year for mark in marks]
    most = max([v for line in lines for v in line.values] + [v for b in bands for v in b.high] + [1e-9])
    first, last = min(years), max(max(years), min(years) + 1)
    step = _step(most)
    ceiling = step * (int(most / step) + 1)

    def x(year: float) -> float:
        return left + (year - first) / (last - first) * (WIDE - left - right)

    def y(value: float) -> float:
        return tall - bottom - value / ceiling * (tall - top - bottom)

    out = [_text(4, top - 10, unit)]
    ticks = [k * step for k in range(int(ceiling / step + 0.5) + 1)]
    for tick in ticks:
        out.append(_rule(left, y(tick), WIDE - right, y(tick)))
        out.append(_text(left - 6, y(tick) + 4, f"{tick:g}", anchor="end"))
    pace = next(p for p in (1, 2, 5, 10, 20, 50) if (last - first) / p <= 10)
    shown = range(first + (-first) % pace, last + 1, pace)
    out += [_text(x(year), tall - 8, str(year), anchor="middle") for year in shown]
    for band in bands:
        upper = [f"{x(t):.1f},{y(v):.1f}" for t, v in zip(band.years, band.high, strict=True)]
        lower = [f"{x(t):.1f},{y(v):.1f}" for t, v in zip(band.years, band.low, strict=True)]
        points = " ".join([*upper, *reversed(lower)])
        out.append(
            f'<polygon class="fill-{band.look}" points="{points}" fill="{_COLOURS[band.look]}" '
            f'fill-opacity="0.16"/>'
        )
    for line in lines:
        out += _drawn(line, x, y)
    for mark in marks:
        out.append(_diamond(x(mark.year), y(mark.value)))
    out += _legend(lines, bands, marks, left)
    return _svg(title, tall, out)


def _drawn(line: Line, x: Scale, y: Scale) -> list[str]:
    points = [(x(t), y(v)) for t, v in zip(line.years, line.values, strict=True)]
    # Over years without a figure no line is drawn: nobody knows what was there.
    starts = [k for k, year in enumerate(line.years) if k == 0 or year - line.years[k - 1] > _GAP]
    parts = [points[a:b] for a, b in zip(starts, [*starts[1:], len(points)], strict=True)]
    dash = ' stroke-dasharray="6 4"' if line.dashed else ""
    colour = _COLOURS[line.look]
    out = []
    for part in parts:
        path = " ".join(f"{a:.1f},{b:.1f}" for a, b in part)
        out.append(
            f'<polyline class="line-{line.look}" points="{path}" fill="none" stroke="{colour}" '
            f'stroke-width="2"{dash}/>'
        )
    if line.dots:
        out += [
            f'<circle class="fill-{line.look}" cx="{a:.1f}" cy="{b:.1f}" r="2.6" fill="{colour}"/>'
            for a, b in points
        ]
    return out


def _diamond(a: float, b: float) -> str:
    points = f"{a:.1f},{b - 6:.1f} {a + 6:.1f},{b:.1f} {a:.1f},{b + 6:.1f} {a - 6:.1f},{b:.1f}"
    return f'<polygon class="fill-mark" points="{points}" fill="{_COLOURS["mark"]}"/>'


def _legend(lines: Sequence[Line], bands: Sequence[Band], marks: Sequence[Mark], left: float) -> list[str]:
    """In one row, two where it would be too long."""
    entries: list[tuple[str, str, str]] = [
        ("line-dashed" if e.dashed else "line", e.look, e.label) for e in lines
    ]
    entries += [("band", e.look, e.label) for e in bands] + [("mark", "mark", e.label) for e in marks]
    out, at, row = [], left, 12.0
    for shape, look, label in entries:
        wide = 30 + 6.1 * len(label)
        if at + wide > WIDE:
            at, row = left, row + 17
        out += _swatch(shape, look, at, row)
        out.append(_text(at + 24, row + 4, label))
        at += wide + 8
    return out


def _swatch(shape: str, look: str, at: float, row: float) -> list[str]:
    colour = _COLOURS[look]
    if shape == "band":
        return [
            f'<rect class="fill-{look}" x="{at:.1f}" y="{row - 5:.1f}" width="18" height="10" '
            f'fill="{colour}" fill-opacity="0.25"/>'
        ]
    if shape == "mark":
        return [_diamond(at + 9, row)]
    dash = ' stroke-dasharray="6 4"' if shape == "line-dashed" else ""
    return [
        f'<line class="line-{look}" x1="{at:.1f}" y1="{row:.1f}" x2="{at + 18:.1f}" y2="{row:.1f}" '
        f'stroke="{colour}" stroke-width="2"{dash}/>'
    ]


def bars(title: str, unit: str, rows: Sequence[Bar]) -> str:
    """Bars about zero, one below the other: to the left what takes away, to the right what adds."""
    high, head, right = 26, 26, 62
    left = 20 + 6.0 * max((len(row.label) for row in rows), default=0)
    tall = head + high * len(rows) + 10
    low, top = min([0.0, *(row.value for row in rows)]), max([0.0, *(row.value for row in rows)])
    span = (top - low) or 1.0
    # Room for the figure at the end of a bar, on the side it grows to.
    begin = left + (right if low < 0 else 0)

    def x(value: float) -> float:
        return begin + (value - low) / span * (WIDE - right - begin)

    out = [_text(x(0), 14, f"{unit}", anchor="middle")]
    for k, row in enumerate(rows):
        y = head + high * k
        look = "other" if row.value < 0 else "one"
        a, b = sorted((x(0), x(row.value)))
        out.append(_text(left - 8, y + 16, row.label, anchor="end"))
        out.append(
            f'<rect class="fill-{look}" x="{a:.1f}" y="{y + 4}" width="{max(b - a, 0.5):.1f}" '
            f'height="{high - 9}" '
            f'fill="{_COLOURS[look]}"/>'
        )
        anchor, end = ("end", x(row.value) - 5) if row.value < 0 else ("start", x(row.value) + 5)
        out.append(_text(end, y + 16, signed(row.value), anchor=anchor))
    out.append(_rule(x(0), head - 4, x(0), tall - 6, strong=True))
    return _svg(title, tall, out)


def reliability(title: str, points: Sequence[tuple[float, float]]) -> str:
    """Chances told against how often they came true; on the diagonal they agree."""
    tall, left, top, size = 208, 60, 12, 150

    def x(value: float) -> float:
        return left + value * size

    def y(value: float) -> float:
        return top + (1 - value) * size

    out = []
    for tick in (0, 0.25, 0.5, 0.75, 1):
        out += [
            _rule(left, y(tick), left + size, y(tick)),
            _text(left - 6, y(tick) + 4, f"{tick:.0%}", anchor="end"),
        ]
        out.append(_text(x(tick), top + size + 16, f"{tick:.0%}", anchor="middle"))
    out.append(
        f'<line class="line-mark" x1="{x(0)}" y1="{y(0)}" x2="{x(1)}" y2="{y(1)}" '
        f'stroke="{_COLOURS["mark"]}" '
        'stroke-dasharray="4 4"/>'
    )
    out += [
        f'<circle class="fill-one" cx="{x(a):.1f}" cy="{y(b):.1f}" r="4" fill="{_COLOURS["one"]}"/>'
        for a, b in points
    ]
    out.append(_text(left + size + 24, y(0.75), "Each dot: targets that were given about the same chance."))
    out.append(
        _text(left + size + 24, y(0.75) + 18, "Across: the chance told. Up: the share that came true.")
    )
    out.append(_text(left + size + 24, y(0.75) + 36, "On the dashed line both agree."))
    out.append(_text(left + size / 2, tall - 8, "chance told", anchor="middle"))
    return _svg(title, tall, out)


def _step(most: float) -> float:
    """A round step of which about five make the height."""
    size = 10.0 ** len(str(int(most))) / 100 if most >= 1 else 0.1
    steps = (size * k for k in (0.5, 1.0, 2.0, 2.5, 5.0, 10.0, 20.0, 50.0, 100.0))
    return next(step for step in steps if most / step <= 6)


def _rule(x1: float, y1: float, x2: float, y2: float, *, strong: bool = False) -> str:
    colour = _INK if strong else _GRID
    kind = "axis" if strong else "grid"
    ends = f'x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}"'
    return f'<line class="{kind}" {ends} stroke="{colour}" stroke-width="1"/>'


def _text(x: float, y: float, text: str, *, anchor: str = "start", size: int = 12) -> str:
    place = f'x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}"'
    return f'<text class="ink" {place} font-size="{size}" fill="{_INK}">{escape(text)}</text>'


def _svg(title: str, tall: float, parts: Sequence[str]) -> str:
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDE} {tall}" width="{WIDE}" '
        f'height="{tall}" role="img" '
        f'aria-label="{escape(title)}" font-family="{_FONT}">{"".join(parts)}</svg>'
    )
