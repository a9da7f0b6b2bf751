"""Measure the CPU time of a row, of this and other programs, and with it the rows per second."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from statistics import median

from benchmarks import work
from benchmarks.bench import PEERS, Bench
from benchmarks.environments import CORE
from benchmarks.findings import Figure, Findings, Table, Target, paired, spread
from benchmarks.measure import Run, expect_lines, in_turn
from connector.hosts.lhub_build import build

OURS = "`ninjaone run`"
OURS_8 = "`ninjaone run --concurrency 8`"
PLAIN = "`ninjaone run` without the extra `fast`"
SEND = "(d) only the requests, by the connector's HTTP client"
SEND_PLAIN = "(d) without the extra `fast`"
SDK = "(a) LogicHub SDK"
HOSTED = "this connector in the LogicHub SDK"
SESSION = "(b) `requests.Session` loop"
NINJAPY = "(c) ninjapy loop"
INSTALLED = {PLAIN: CORE, SDK: "lhub", HOSTED: "hosted", NINJAPY: "ninjapy"}
"""The environments of the programs that have their own."""

NO_TARGET = Target()
TLS = "over TLS, with JSON in the responses"
Contestants = Mapping[str, Callable[[], Run]]


def measure(bench: Bench) -> Findings:
    """Return the measurements of all programs over the same rows, without and with TLS."""
    findings = Findings(
        skipped=[
            f"{name}: it cannot be installed here" for name, of in INSTALLED.items() if not bench.peers[of]
        ]
    )
    findings.add(_engine(bench))
    findings.add(_programs(bench))
    if bench.stub.nginx:
        findings.add(_over_tls(bench))
    else:
        findings.skipped.append(f"rows {TLS}: nginx is not available here")
    return findings


def _engine(bench: Bench) -> Findings:
    """Return the CPU time of a row in the engine: total, and without the request."""
    few, many = bench.sizes.few_rows, bench.sizes.rows
    with bench.stub.serve() as served:
        contestants: dict[str, Callable[[], Run]] = {}
        for count in (few, many):
            contestants.update(_with_and_without(bench, served.url, count))
        runs, notes = in_turn(contestants, bench.sizes.rounds)

    def per_row_us(name: str) -> list[float] | None:
        """Return the CPU time in microseconds of each further row, without that of the start."""
        less, more = runs.get(_sized(name, few)), runs.get(_sized(name, many))
        if not (less and more):
            return None
        pairs = zip(less, more, strict=True)
        return [(of_many.cpu_s - of_few.cpu_s) / (many - few) * 1e6 for of_few, of_many in pairs]

    def without_request(ours: str, send: str) -> float | None:
        rows, requests = per_row_us(ours), per_row_us(send)
        if not (rows and requests):
            return None
        return median(row - request for row, request in zip(rows, requests, strict=True))

    in_all, in_all_plain = _cpu_us(runs, _sized(OURS, many), many), _cpu_us(runs, _sized(PLAIN, many), many)
    figures = [
        Figure("engine: CPU time per row, total", in_all, Target(80, most=True), " µs", 0),
        Figure(
            "engine: CPU time per row without the request",
            without_request(OURS, SEND),
            Target(35, most=True),
            " µs",
            0,
        ),
        Figure("without `fast`: CPU time per row, total", in_all_plain, Target(160, most=True), " µs", 0),
        Figure(
            "without `fast`: CPU time per row without the request",
            without_request(PLAIN, SEND_PLAIN),
            unit=" µs",
            digits=0,
        ),
    ]
    lines = []
    for name in (OURS, SEND, PLAIN, SEND_PLAIN):
        if each := per_row_us(name):
            start_s = median(run.cpu_s for run in runs[_sized(name, few)]) - few * median(each) / 1e6
            lines.append((name, f"{median(each):.1f}", spread(each, 1), f"{start_s * 1000:.0f}"))
    head = ("program", "CPU µs per row", "min to max", "CPU ms of the start")
    title = f"CPU time of a row without that of the start (rows {few + 1:,} to {many:,})"
    return Findings(figures, [Table(title, head, lines)], notes)


def _with_and_without(bench: Bench, url: str, count: int) -> dict[str, Callable[[], Run]]:
    """Return the engine and the loop of its requests over this number of rows, with and without `fast`."""
    folder = bench.folder / f"rows-{count}"
    folder.mkdir()
    job = work.write_job(folder, url, work.write_rows(folder / "rows.jsonl", count))
    pythons = {(OURS, SEND): Path(sys.executable), (PLAIN, SEND_PLAIN): bench.peers[CORE]}
    contestants: dict[str, Callable[[], Run]] = {}
    for (ours, send), python in pythons.items():
        if python:
            contestants[_sized(ours, count)] = partial(bench.ninjaone, "run", job, "--restart", python=python)
            contestants[_sized(send, count)] = partial(
                bench.run, python, PEERS / "send_loop.py", folder / "connection.yaml", str(count)
            )
    return contestants


def _sized(name: str, count: int) -> str:
    return f"{name}, {count:,} rows"


def _programs(bench: Bench) -> Findings:
    """Return the CPU times and the rates of all programs with a server without latency."""
    folder, count = _folder(bench, "instant"), bench.sizes.rows
    with bench.stub.serve() as served:
        contestants = _contestants(bench, folder, served.url)
        runs, notes = in_turn(contestants, bench.sizes.rounds)
    eight = Figure(
        f"rows/s with `--concurrency 8` ÷ {SDK}",
        paired(runs.get(SDK), runs.get(OURS_8), lambda run: run.wall_s),
        Target(None, 20),
        digits=1,
    )
    figures = [*_ratios(runs, Target(12, 15), Target(1.7, 2.3), Target(10)), eight]
    title = f"{count:,} rows, delay 0, a server without latency"
    return Findings(figures, [_table(title, count, runs)], notes)


def _over_tls(bench: Bench) -> Findings:
    """Return the same over TLS, with a response of JSON for each row."""
    folder, count = _folder(bench, "tls"), bench.sizes.rows
    with bench.stub.serve(tls=True, body=work.RESPONSE) as served:
        contestants = _contestants(bench, folder, served.url)
        del contestants[OURS_8]
        runs, notes = in_turn(contestants, -(-bench.sizes.rounds // 2))
    figures = [
        Figure(f"CPU time per row {TLS}", _cpu_us(runs, OURS, count), unit=" µs", digits=0),
        *_ratios(runs, where=f", {TLS}"),
    ]
    title = f"{count:,} rows, delay 0, a server without latency, {TLS} ({len(work.RESPONSE):,} bytes)"
    return Findings(figures, [_table(title, count, runs)], notes)


def _ratios(
    runs: Mapping[str, Sequence[Run]],
    sdk: Target = NO_TARGET,
    session: Target = NO_TARGET,
    hosted: Target = NO_TARGET,
    where: str = "",
) -> list[Figure]:
    """Return the CPU times of other programs as ratios to this one's, with those of the elapsed times."""
    compared = (
        (SDK, OURS, sdk, 1),
        (SESSION, OURS, session, 2),
        (NINJAPY, OURS, NO_TARGET, 2),
        (SDK, HOSTED, hosted, 1),
    )
    return [
        Figure(
            f"{other} ÷ {ours}{where}",
            paired(runs.get(other), runs.get(ours), lambda run: run.cpu_s),
            target,
            digits=digits,
            wall=paired(runs.get(other), runs.get(ours), lambda run: run.wall_s),
        )
        for other, ours, target, digits in compared
    ]


def _cpu_us(runs: Mapping[str, Sequence[Run]], name: str, count: int) -> float | None:
    """Return the median CPU time of a row in microseconds, with its share of the program's start."""
    return median(run.cpu_s for run in runs[name]) / count * 1e6 if name in runs else None


def _folder(bench: Bench, name: str) -> Path:
    folder = bench.folder / name
    folder.mkdir()
    return folder


def _contestants(bench: Bench, folder: Path, url: str) -> dict[str, Callable[[], Run]]:
    count = bench.sizes.rows
    rows = work.write_rows(folder / "rows.jsonl", count)
    job = work.write_job(folder, url, rows)
    contestants: dict[str, Callable[[], Run]] = {
        OURS: lambda: bench.ninjaone("run", job, "--restart"),
        OURS_8: lambda: bench.ninjaone("run", job, "--restart", "--concurrency", "8"),
        SESSION: loop(bench, Path(sys.executable), "requests_loop.py", url, rows, count),
    }
    if plain := bench.peers[CORE]:
        contestants[PLAIN] = lambda: bench.ninjaone("run", job, "--restart", python=plain)
    if python := bench.peers["ninjapy"]:
        contestants[NINJAPY] = loop(bench, python, "ninjapy_loop.py", url, rows, count)
    if sdk := bench.peers["lhub"]:
        contestants[SDK] = by_hand(bench, sdk, folder, url, count)
    if hosted := bench.peers["hosted"]:
        contestants[HOSTED] = _hosted(bench, hosted, folder, url)
    return contestants


def loop(
    bench: Bench, python: Path, script: str, url: str, rows: Path, count: int, *more: str
) -> Callable[[], Run]:
    """Return a function that runs a loop of `peers` over rows."""
    out = rows.with_name(f"{script}.jsonl")

    def once() -> Run:
        run = bench.run(python, PEERS / script, url, rows, out, *more)
        expect_lines(out, count)
        return run

    return once


def by_hand(bench: Bench, python: Path, folder: Path, url: str, count: int) -> Callable[[], Run]:
    """Create a typical integration for the LogicHub SDK; return a function that runs it."""
    folder = folder / "by-hand"
    folder.mkdir()
    shutil.copy(PEERS / "lhub_update_device.py", folder / "main.py")
    settings = {"base_url": url, "client_id": "bench", "client_secret": "bench-secret"}
    return _integration(bench, python, folder, count, **settings)


def _hosted(bench: Bench, python: Path, folder: Path, url: str) -> Callable[[], Run]:
    """Build the connector's integration for the LogicHub SDK; return a function that runs it."""
    folder = folder / "hosted"
    build(folder, ["update_device"])
    return _integration(
        bench,
        python,
        folder,
        bench.sizes.rows,
        NINJAONE_BASE_URL=url,
        NINJAONE_CLIENT_ID="bench",
        NINJAONE_CLIENT_SECRET="bench-secret",
        time_between_consecutive_requests_milliseconds="0",
    )


def _integration(bench: Bench, python: Path, folder: Path, count: int, **variables: str) -> Callable[[], Run]:
    """Return a function that runs `update_device` of an integration with the LogicHub SDK."""
    rows = folder / "rows"
    rows.mkdir()
    work.write_rows(rows / "part-00000", count, id_field="lhub_id")
    out = folder / "out.jsonl"
    environment = bench.environment(
        **variables,
        __lh_integration_input_data_json_folder_path=str(rows),
        __lh_integration_output_data_json_file_path=str(out),
        **{f"___{name}": template for name, template in work.UPDATE.items()},
    )
    entrypoint = "main.update_device"

    def once() -> Run:
        run = bench.run(
            python, "-m", "lhub_integ.shim_exec", "-e", entrypoint, folder=folder, environment=environment
        )
        expect_lines(out, count, bad=rb"\"has_error\": true")
        return run

    return once


def _table(title: str, rows: int, runs: Mapping[str, Sequence[Run]]) -> Table:
    head = ("program", "CPU µs per row (min to max)", "rows/s", "s (min to max)", "peak memory, MB")
    lines = []
    for name, taken in runs.items():
        cpu, wall = [run.cpu_s / rows * 1e6 for run in taken], [run.wall_s for run in taken]
        lines.append(
            (
                name,
                f"{median(cpu):,.0f} ({spread(cpu, 0)})",
                f"{rows / median(wall):,.0f}",
                f"{median(wall):.2f} ({spread(wall)})",
                f"{median(run.peak_bytes for run in taken) / 1e6:.0f}",
            )
        )
    return Table(title, head, lines)
