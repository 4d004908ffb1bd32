"""Figures as tables, and the place in the documentation where they stand."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import median
from typing import Final

from bench.rows import Row

_DOCUMENT: Final = Path(__file__).parents[1] / "docs" / "performance.md"
_BEGIN: Final = "<!-- figures: written by `make bench` -->\n"
_END: Final = "<!-- end of the figures -->\n"

_OURS: Final = "Mooring, SQLite"
_PEER: Final = "distribution 3"

Figures = Mapping[Row, Mapping[str, Sequence[float]]]


def table(figures: Figures) -> list[str]:
    """Medians of each row by contender, and the ratio that the bars are about."""
    names = list(dict.fromkeys(name for values in figures.values() for name in values))
    head = ["", *names, f"{_OURS} / {_PEER}", "bar"]
    lines = [_line(head), _line(["---", *("---:" for _ in head[1:])])]
    for row, values in figures.items():
        cells = [_figure(values, name, row.unit) for name in names]
        lines.append(_line([row.name, *cells, *_ratio(row, values)]))
    return lines


def write(lines: Sequence[str]) -> None:
    """Put the lines between the document's marks. Raises ValueError when it has none."""
    text = _DOCUMENT.read_text()
    before, _, rest = text.partition(_BEGIN)
    _, found, after = rest.partition(_END)
    if not found:
        raise ValueError(f"{_DOCUMENT} has no place for the figures: the lines {_BEGIN!r} and {_END!r}")
    _DOCUMENT.write_text(before + _BEGIN + "\n" + "\n".join(lines) + "\n\n" + _END + after)


def _ratio(row: Row, values: Mapping[str, Sequence[float]]) -> list[str]:
    if not (values.get(_OURS) and values.get(_PEER)):
        return ["", ""]
    ratio = median(values[_OURS]) / median(values[_PEER])
    if row.bar is None:
        return [f"{ratio:.2f}", ""]
    return [f"{ratio:.2f}", f"{row.bar:g}" if ratio >= row.bar else f"{row.bar:g}, missed"]


def _figure(values: Mapping[str, Sequence[float]], name: str, unit: str) -> str:
    if not values.get(name):
        return ""
    middle = median(values[name])
    return f"{middle:,.2f} {unit}" if middle < 10 else f"{middle:,.0f} {unit}".replace(" /s", "/s")


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"
