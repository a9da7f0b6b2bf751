"""Write the results into a marked section of `docs/benchmarks.md`."""

from __future__ import annotations

import os
import platform
import re
import sys
from collections.abc import Iterable
from datetime import date
from pathlib import Path

from benchmarks import environments
from benchmarks.bench import QUICK, Sizes
from benchmarks.findings import Findings
from benchmarks.plot import Plot
from benchmarks.stub import Nginx

DOCUMENT = Path(__file__).parent.parent / "docs" / "benchmarks.md"
BEGIN, END = "<!-- measured: begin (written by `make bench`) -->", "<!-- measured: end -->"

_VERSIONS = {
    "ninjaone-connector": ("jinja2", "jsonschema", "pyyaml", "requests", "httptools", "msgspec"),
    "lhub_integ": ("jinja2", "requests", "urllib3", "click"),
    "ninjapy": ("aiohttp",),
    "airbyte-cdk": ("requests", "urllib3", "orjson"),
}
"""The compared programs, each with the dependencies that affect its speed."""


def render(findings: Findings, sizes: Sizes, setting: str) -> str:
    """Return the results as Markdown. Each plot has its points as a table below it."""
    head = ("figure (ratios: of CPU time)", "measured", "of wall time", "target", "")
    parts = [setting, _markdown(head, (f.cells() for f in findings.figures))]
    for title, reasons in (("Not measured:", findings.notes), ("Skipped:", findings.skipped)):
        if reasons:
            parts.append("\n".join([title, "", *(f"- {reason}" for reason in reasons)]))
    for plot in findings.plots:
        picture = f"![{plot.title}](images/{plot.name}.svg)"
        parts += [f"### {plot.title}", picture, f"{plot.y}:", _markdown(plot.head, plot.rows())]
    for table in filter(lambda table: table.rows, findings.tables):
        parts += [f"### {table.title}", _markdown(table.head, table.rows)]
    return "\n\n".join(parts)


def write(measured: str, plots: Iterable[Plot], document: Path = DOCUMENT) -> None:
    """Replace the marked section of a document, and write the plots into `images` beside it."""
    before, begin, rest = document.read_text().partition(BEGIN)
    _, end, after = rest.partition(END)
    if not (begin and end):
        raise SystemExit(f"{document} has no markers for the section of results")
    for plot in plots:
        (document.parent / "images" / f"{plot.name}.svg").write_text(plot.svg())
    document.write_text(f"{before}{BEGIN}\n\n{measured}\n\n{END}{after}")


def setting(nginx: Nginx | None, peers: dict[str, Path | None], sizes: Sizes) -> str:
    """Return a description of the machine and the program versions, without host names and paths."""
    pythons = {
        "ninjaone-connector": Path(sys.executable),
        "lhub_integ": peers["lhub"],
        "ninjapy": peers["ninjapy"],
        "airbyte-cdk": peers["airbyte"],
    }
    lines = [
        f"Measured on {date.today().isoformat()}, medians of {sizes.rounds} rounds "
        f"({sizes.cold_rounds} for cold starts).",
        *(["A short version, to try the benchmarks out: its figures say nothing."] if sizes is QUICK else []),
        "",
        f"- machine: {_cpu()}, {os.cpu_count()} cores, {platform.system()}; "
        f"load before: {os.getloadavg()[0]:.1f}",
        f"- Python {platform.python_version()} for all programs",
        f"- server: {f'nginx {nginx.version()}' if nginx else 'NOT nginx, but a small server in Python'}",
    ]
    for name, python in pythons.items():
        if python:
            own, *others = environments.versions(python, (name, *_VERSIONS[name])).items()
            lines.append(f"- {' '.join(own)} ({', '.join(' '.join(other) for other in others)})")
    return "\n".join(lines)


def _cpu() -> str:
    """Return the model name of the processor."""
    try:
        found = re.search(r"^model name\s*: (.*)$", Path("/proc/cpuinfo").read_text(), re.MULTILINE)
    except OSError:
        found = None
    return found[1].strip() if found else platform.processor() or platform.machine()


def _markdown(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    lines = [head, tuple("---" for _ in head), *rows]
    return "\n".join(f"| {' | '.join(cell.strip() for cell in line)} |" for line in lines)
