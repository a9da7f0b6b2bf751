"""`python -m tests.fuzz --seconds N [TARGET...]`: try inputs for this time; exit 1 if one fails.

Each target runs in a separate process with limited memory, which is ended if it hangs; its last input is
printed.
"""

from __future__ import annotations

import argparse
import multiprocessing
import sys
import time
import traceback
import warnings
from collections.abc import Sequence
from multiprocessing.connection import Connection
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis.errors import HypothesisWarning

from tests.fuzz.target import Target
from tests.fuzz.test_targets import TARGETS

MAX_MEMORY = 3 << 30
"""The maximum address space of a target's process, in bytes."""
PATIENCE_S = 300
"""The maximum time of an input, also on a busy machine, in seconds."""
BATCH = 100
"""The number of inputs between two checks of the time."""


def main(arguments: Sequence[str]) -> int:
    """Run the targets one after the other, each for its share of the time. Return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument(
        "--seed", type=int, default=time.time_ns() % 10**9, help="repeat the inputs of this seed"
    )
    parser.add_argument("targets", nargs="*", metavar="TARGET", help=", ".join(t.name for t in TARGETS))
    options = parser.parse_args(arguments)
    warnings.simplefilter("ignore", HypothesisWarning)
    chosen = [target for target in TARGETS if not options.targets or target.name in options.targets]
    print(f"seed {options.seed}")
    found = [_drive(target, options.seconds / len(chosen), options.seed) for target in chosen]
    return int(any(found))


def _drive(target: Target, seconds: float, first_seed: int) -> bool:
    """Run one target in a separate process. Return whether an input failed."""
    with TemporaryDirectory() as folder:
        last = Path(folder) / "last"
        ours, theirs = multiprocessing.Pipe(duplex=False)
        process = multiprocessing.get_context("fork").Process(
            target=_try_many, args=(target, seconds, first_seed, last, theirs)
        )
        process.start()
        theirs.close()
        count, found = 0, ""
        try:
            while ours.poll(PATIENCE_S):
                count, found = ours.recv()
                if found:
                    break
            else:
                found = "it hangs"
        except EOFError:
            process.join()
            found = f"the process ended with {process.exitcode}" if process.exitcode else ""
        process.kill()
        process.join()
        print(f"{target.name}: {count} inputs, {'1 failed' if found else 'all passed'}", flush=True)
        if found:
            print(
                found,
                "\n  the last input:",
                last.read_text()[:2000] if last.exists() else "none",
                flush=True,
            )
        return bool(found)


def _try_many(target: Target, seconds: float, first_seed: int, last: Path, told: Connection) -> None:
    _bound_memory()
    count, end = 0, time.monotonic() + seconds

    def try_one(value: Any) -> None:
        nonlocal count
        count += 1
        last.write_text(repr(value)[:10_000], "utf-8", "backslashreplace")
        target.try_one(value)

    every = settings(
        max_examples=BATCH,
        database=None,
        deadline=None,
        phases=(Phase.generate, Phase.shrink),
        suppress_health_check=list(HealthCheck),
    )
    batch = first_seed
    while time.monotonic() < end:
        try:
            seed(batch)(every(given(target.inputs)(try_one)))()
        except Exception:
            lines = traceback.format_exc().splitlines()[-40:]
            told.send((count, "\n".join([f"seed {batch}", *(line[:200] for line in lines)])))
            return
        told.send((count, ""))
        batch += 1


def _bound_memory() -> None:
    if sys.platform == "linux":
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (MAX_MEMORY, MAX_MEMORY))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
