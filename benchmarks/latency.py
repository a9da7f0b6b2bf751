"""Measure the throughput of concurrent requests, relative to the limit set by the server's latency."""

from __future__ import annotations

import http.client
import time
from statistics import median

from benchmarks import work
from benchmarks.bench import Bench
from benchmarks.findings import Figure, Findings, Table, Target, ratio, spread
from benchmarks.measure import in_turn

LATENCY_S, CONCURRENCY = 0.03, 32
_PROBES = 30


def measure(bench: Bench) -> Findings:
    """Return the time of many concurrent requests without a delay to a server with a latency."""
    count = bench.sizes.rows
    rows = work.write_rows(bench.folder / "rows.jsonl", count)
    probes: list[float] = []

    def once() -> float:
        with bench.stub.slow(LATENCY_S) as served:
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
