"""Measure the rows per second by the latency of the server, and the CPU time of a row that waits for it."""

from __future__ import annotations

import http.client
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from benchmarks import work
from benchmarks.bench import Bench
from benchmarks.findings import Figure, Findings, Table, Target, ratio, spread
from benchmarks.measure import Run, in_turn
from benchmarks.plot import Plot
from benchmarks.rows import TLS, by_hand, loop

LATENCIES_MS = (1, 3, 10, 30, 100, 300)
LATENCY_S, CONCURRENCY = 0.03, 32
FAR_S = 0.1
"""The latency in seconds of a server that is far away."""
_PROBES = 30

OURS, SDK, SESSION = "ninjaone run", "LogicHub SDK", "requests.Session loop"
CONCURRENT = tuple(f"ninjaone run --concurrency {number}" for number in (8, CONCURRENCY))


@dataclass(frozen=True)
class Timed:
    """The measurement of a run, and its rows per second from the first request to the last response."""

    run: Run
    rate: float


def measure(bench: Bench) -> Findings:
    """Return the rates of concurrent requests, of each program by latency, and a row's cost at 100 ms."""
    findings = _ideal(bench)
    findings.add(_by_latency(bench))
    findings.add(_far(bench))
    return findings


def _ideal(bench: Bench) -> Findings:
    """Return the rate of many concurrent requests, relative to the limit that the latency sets."""
    count = bench.sizes.rows
    rows = work.write_rows(bench.folder / "rows.jsonl", count)
    probes: list[float] = []

    def once() -> float:
        with bench.stub.serve(LATENCY_S, timed=True) as served:
            probes.append(_probe(served.url))
            job = work.write_job(bench.folder, served.url, rows)
            bench.ninjaone("run", job, "--restart", "--concurrency", str(CONCURRENCY))
        served.times = served.times[_PROBES:]
        return served.span_s(count)

    what = f"latency {LATENCY_S * 1000:.0f} ms, delay 0, `--concurrency {CONCURRENCY}`"
    runs, notes = in_turn({what: once}, bench.sizes.rounds)
    spans = runs.get(what)
    ideal = CONCURRENCY / LATENCY_S
    rate = count / median(spans) if spans else None
    figure = Figure(f"{what}: rows/s ÷ ({CONCURRENCY} ÷ latency)", ratio(rate, ideal), Target(0.88), digits=3)
    head = (
        "rows/s",
        "ideal",
        "first request to last response, s (min to max)",
        "latency of a bare client, ms",
    )
    lines = [
        (
            f"{count / median(spans):,.0f}",
            f"{ideal:,.0f}",
            f"{median(spans):.2f} ({spread(spans)})",
            f"{median(probes) * 1000:.1f}",
        )
        for spans in runs.values()
    ]
    return Findings([figure], [Table(f"{count:,} rows, {what}", head, lines)], notes)


def _by_latency(bench: Bench) -> Findings:
    """Return the rows per second of each program at each latency, measured once."""
    series: dict[str, list[tuple[float, float]]] = {}
    notes: list[str] = []
    for latency_ms in LATENCIES_MS:
        runs, failed = in_turn(_contestants(bench, latency_ms / 1000), 1)
        notes += [f"at a latency of {latency_ms} ms, {why}" for why in failed]
        for name, (timed,) in runs.items():
            series.setdefault(name, []).append((latency_ms, timed.rate))
    if not series:
        return Findings(notes=notes)
    title = "Rows per second by the latency of the server, delay 0"
    plot = Plot("benchmarks-latency", title, "latency, ms", "rows/s", series)
    return Findings(notes=notes, plots=[plot])


def _contestants(bench: Bench, latency_s: float) -> dict[str, Callable[[], Timed]]:
    """Return each program with the number of rows that take it `sizes.seconds` at this latency."""
    contestants: dict[str, Callable[[], Timed]] = {}
    for name in (OURS, *CONCURRENT, SDK, SESSION):
        threads = int(name.rpartition(" ")[2]) if name in CONCURRENT else 1
        count = max(5, round(bench.sizes.seconds * threads / (latency_s + 0.0005)))
        if name != SDK or bench.peers["lhub"]:
            contestants[name] = _once(bench, name, threads, min(count, bench.sizes.rows), latency_s)
    return contestants


def _once(
    bench: Bench, name: str, threads: int, count: int, latency_s: float, body: str = ""
) -> Callable[[], Timed]:
    """Return a function that runs a program over this number of rows, over TLS if there is a body."""

    def once() -> Timed:
        folder = bench.folder / f"{name}-{threads}-{count}-{latency_s}-{time.monotonic_ns()}"
        folder.mkdir()
        with bench.stub.serve(latency_s, timed=True, tls=bool(body), body=body) as served:
            run = _program(bench, name, threads, folder, served.url, count)()
        return Timed(run, count / served.span_s(count))

    return once


def _program(bench: Bench, name: str, threads: int, folder: Path, url: str, count: int) -> Callable[[], Run]:
    python = bench.peers["lhub"]
    if name == SDK and python:
        return by_hand(bench, python, folder, url, count)
    rows = work.write_rows(folder / "rows.jsonl", count)
    if name == SESSION:
        return loop(bench, Path(sys.executable), "requests_loop.py", url, rows, count)
    job = work.write_job(folder, url, rows)
    return lambda: bench.ninjaone("run", job, "--restart", "--concurrency", str(threads))


def _far(bench: Bench) -> Findings:
    """Return a row's cost over TLS, with JSON, and a latency of 100 ms.

    The CPU time is without that of the program's start, which is measured with a single row.
    """
    if not bench.stub.nginx:
        return Findings(skipped=[f"latency {FAR_S * 1000:g} ms {TLS}: nginx is not available here"])
    sizes = {}
    for name in (OURS, CONCURRENT[-1], SESSION, *([SDK] if bench.peers["lhub"] else [])):
        threads = CONCURRENCY if name in CONCURRENT else 1
        sizes[name] = (
            threads,
            max(5, min(bench.sizes.rows, round(bench.sizes.seconds * 3 * threads / FAR_S))),
        )
    contestants: dict[str, Callable[[], Timed]] = {}
    for name, (threads, count) in sizes.items():
        for rows in (1, count):
            once = _once(bench, name, threads, rows, FAR_S, body=work.RESPONSE)
            contestants[f"{name}, {rows} rows"] = once
    runs, notes = in_turn(contestants, -(-bench.sizes.rounds // 2))
    costs = {name: _costs_us(runs, name, count) for name, (_, count) in sizes.items()}
    lines, figures = [], []
    for name, (threads, count) in sizes.items():
        if cost := costs[name]:
            rate = median(timed.rate for timed in runs[f"{name}, {count} rows"])
            lines.append(
                (name, f"{median(cost):.0f} ({spread(cost, 0)})", f"{rate:,.1f}", f"{threads / FAR_S:g}")
            )
    where = f"latency {FAR_S * 1000:g} ms, {TLS}"
    for other in (SDK, SESSION):
        if (theirs := costs.get(other)) and (ours := costs[OURS]):
            figures.append(Figure(f"{other} ÷ {OURS}, {where}", median(theirs) / median(ours), digits=1))
    head = (
        "program",
        "CPU µs per row without the start (min to max)",
        "rows/s",
        "maximum at this latency",
    )
    return Findings(figures, [Table(f"Rows at a latency of {FAR_S * 1000:g} ms, {TLS}", head, lines)], notes)


def _costs_us(runs: Mapping[str, Sequence[Timed]], name: str, count: int) -> list[float]:
    """Return the CPU time of a row in microseconds, of each round; empty if it was not measured."""
    many, one = runs.get(f"{name}, {count} rows", ()), runs.get(f"{name}, 1 rows", ())
    return [
        (more.run.cpu_s - less.run.cpu_s) / (count - 1) * 1e6 for more, less in zip(many, one, strict=False)
    ]


def _probe(url: str) -> float:
    """Return the median time in seconds of a request by a minimal HTTP client."""
    connection = http.client.HTTPConnection(url.removeprefix("http://"))
    taken = []
    for number in range(_PROBES):
        began = time.perf_counter()
        connection.request("PATCH", f"/v2/device/{number}", b"{}")
        connection.getresponse().read()
        taken.append(time.perf_counter() - began)
    connection.close()
    return median(taken)
