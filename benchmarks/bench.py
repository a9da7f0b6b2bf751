"""The context of a benchmark: sizes, servers, compared programs, a folder, and the `ninjaone` command."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from pathlib import Path

from benchmarks import measure
from benchmarks.measure import Run
from benchmarks.stub import CERTIFICATE, Stub

PEERS = Path(__file__).parent / "peers"


@dataclass(frozen=True)
class Sizes:
    """The sizes of the benchmarks: rounds, rows of a run, devices of a list.

    `seconds` is the least time of a run at each latency. `paced_rows` are those of a run with a short delay,
    and `slow_rows` those with the default delay.
    """

    rounds: int = 5
    rows: int = 10_000
    few_rows: int = 1_000
    paced_rows: int = 500
    slow_rows: int = 20
    many_rows: int = 1_000_000
    devices: int = 100_000
    detailed: int = 50_000
    seconds: float = 3.0
    cold_rounds: int = 20
    few_synced: int = 5_000
    many_synced: int = 50_000
    alerts: int = 24
    alert_gap_s: float = 4.0
    posts: int = 10_000
    receiver_kills: int = 20
    receiver_s: int = 15
    tenants: int = 500
    few_tenants: int = 60
    tenant_rows: int = 40


QUICK = Sizes(
    rounds=1,
    rows=500,
    few_rows=100,
    paced_rows=60,
    slow_rows=4,
    many_rows=5_000,
    devices=3_000,
    detailed=2_000,
    seconds=0.2,
    cold_rounds=1,
    few_synced=300,
    many_synced=600,
    alerts=2,
    alert_gap_s=1.0,
    posts=200,
    receiver_kills=1,
    receiver_s=1,
    tenants=10,
    few_tenants=5,
    tenant_rows=5,
)


@dataclass(frozen=True)
class Bench:
    """The context of one benchmark. `peers` has the Python of each compared program; None if missing."""

    folder: Path
    stub: Stub
    sizes: Sizes
    peers: dict[str, Path | None]

    def environment(self, **more: str) -> dict[str, str]:
        """Return environment variables for a process: no proxies, and a separate home and cache folder."""
        home = self.folder / "home"
        home.mkdir(exist_ok=True)
        passed = {name: os.environ[name] for name in ("PATH", "TMPDIR") if name in os.environ}
        kept = {"HOME": str(home), "XDG_CACHE_HOME": str(home / "cache"), "LANG": "C.UTF-8"}
        kept |= {name: str(CERTIFICATE) for name in ("REQUESTS_CA_BUNDLE", "SSL_CERT_FILE")}
        return {**passed, **kept, **more}

    def run(
        self,
        *command: str | Path,
        output: Path | None = None,
        folder: Path | None = None,
        environment: dict[str, str] | None = None,
    ) -> Run:
        """Run a command in the benchmark's folder and return its measurement. Raises UnmeasuredError."""
        return measure.run(command, folder or self.folder, environment or self.environment(), output)

    def ninjaone(
        self,
        *arguments: str | Path,
        output: Path | None = None,
        cache: Path | None = None,
        python: Path | None = None,
        folder: Path | None = None,
    ) -> Run:
        """Run the command `ninjaone` of this installation or of that of `python`. Raises UnmeasuredError.

        `cache` and `folder` replace its cache folder and the folder in which it runs.
        """
        program = (python or Path(sys.executable)).with_name("ninjaone")
        environment = self.environment(XDG_CACHE_HOME=str(cache)) if cache else self.environment()
        return self.run(program, *arguments, output=output, folder=folder, environment=environment)
