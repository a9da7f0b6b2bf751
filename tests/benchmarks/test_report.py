"""The reports of the benchmarks: figures with a verdict, tables, and plots."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest

from benchmarks import report
from benchmarks.bench import QUICK
from benchmarks.findings import Figure, Findings, Table, Target, paired
from benchmarks.plot import Plot

SVG = "{http://www.w3.org/2000/svg}"
PLOT = Plot(
    "rates",
    "Rows by latency <delay 0>",
    "latency, ms",
    "rows/s",
    {"one": [(1, 1000), (10, 100), (100, 10)], "eight": [(10, 800)]},
)


def test_a_plot_places_its_points_on_logarithmic_axes() -> None:
    root = ElementTree.fromstring(PLOT.svg())
    places = [(float(at.attrib["cx"]), float(at.attrib["cy"])) for at in root.iter(f"{SVG}circle")]
    (first, middle, last), (other,) = places[:3], places[3:]
    assert middle[0] - first[0] == pytest.approx(last[0] - middle[0], abs=0.2)
    assert middle[1] - first[1] == pytest.approx(last[1] - middle[1], abs=0.2)
    assert first[0] < last[0]
    assert first[1] < other[1] < middle[1] < last[1]  # Positions count from the top.
    texts = [text.text for text in root.iter(f"{SVG}text")]
    assert {"Rows by latency <delay 0>", "latency, ms", "rows/s", "one", "eight", "1,000"} <= set(texts)


def test_a_linear_axis_begins_at_zero() -> None:
    plot = Plot("mb", "Memory", "rows", "MB", {"one": [(1000, 30), (1_000_000, 60)]}, from_zero=True)
    root = ElementTree.fromstring(plot.svg())
    low, high = [float(at.attrib["cy"]) for at in root.iter(f"{SVG}circle")]
    places = {text.text: float(text.attrib["y"]) - 4 for text in root.iter(f"{SVG}text")}
    assert places["0"] - low == pytest.approx(low - high, abs=0.2)
    assert places["60"] == pytest.approx(high, abs=0.1)
    assert "1,000,000" in places


def test_a_plot_is_the_same_text_for_the_same_points() -> None:
    assert PLOT.svg() == Plot(**vars(PLOT)).svg()
    assert not re.search(r"\d\.\d\d", PLOT.svg())  # Positions are rounded.


def test_a_plot_with_a_single_point_is_drawn() -> None:
    assert Plot("one", "One", "x", "y", {"one": [(5, 7)]}).svg().count("<circle") == 1


def test_the_points_of_a_plot_are_also_a_table() -> None:
    assert list(PLOT.rows()) == [("1", "1,000", ""), ("10", "100", "800"), ("100", "10.0", "")]


def test_a_figure_is_judged_by_cpu_time_with_the_wall_time_beside() -> None:
    figure = Figure("start", 2.999, Target(3), " ms", wall=1.5)
    assert figure.cells() == ("start", "3.00 ms", "1.50 ms", "≥ 3 ms", "met")
    assert Figure("MB", 81, Target(80, most=True), " MB", 0).cells()[-1] == "**MISSED**"
    assert Figure("start", None, Target(3), " ms").cells() == ("start", "not measured", "", "≥ 3 ms", "")


def test_a_ratio_compares_the_programs_of_each_round() -> None:
    """A slow minute, which affects both programs of a round, does not change it."""
    assert paired([2.0, 20.0, 2.0], [1.0, 10.0, 1.0], lambda value: value) == 2.0
    assert paired(None, [1.0], lambda value: value) is None


def test_a_report_says_what_failed_and_what_was_skipped(tmp_path: Path) -> None:
    findings = Findings([Figure("a ÷ b", 2.0)], [Table("Runs", ("run", "s"), [("first", "1")])])
    findings.add(Findings(notes=["lists: it broke"], skipped=["airbyte-cdk"], plots=[PLOT]))
    measured = report.render(findings, QUICK, "Measured today.")
    assert "Not measured:\n\n- lists: it broke\n\nSkipped:\n\n- airbyte-cdk\n" in measured
    assert "![Rows by latency <delay 0>](images/rates.svg)" in measured
    assert "| 10 | 100 | 800 |" in measured
    document = tmp_path / "page.md"
    document.write_text(f"before\n{report.BEGIN}\nold\n{report.END}\nafter\n")
    (tmp_path / "images").mkdir()
    report.write(measured, findings.plots, document)
    assert document.read_text() == f"before\n{report.BEGIN}\n\n{measured}\n\n{report.END}\nafter\n"
    assert (tmp_path / "images/rates.svg").read_text() == PLOT.svg()
