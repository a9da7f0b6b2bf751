"""A sync folder with its files `mapping.yaml`, `pins.yaml` and `state.db`, and its folder `plans/`."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from connector.errors import RunError, file_errors
from connector.sync.mapping import SyncMapping
from connector.sync.mapping_file import load_mapping
from connector.sync.pins import Pins, load_pins
from connector.sync.records import Source, Target
from connector.sync.state import State


@dataclass(frozen=True)
class SyncFolder:
    """A sync folder with its mapping and pins."""

    path: Path
    mapping: SyncMapping
    pins: Pins

    @property
    def pins_file(self) -> Path:
        """The path of `pins.yaml`."""
        return self.path / "pins.yaml"

    def read_state(self) -> State:
        """Return `state.db` opened for reading, without a lock; the file need not exist."""
        return State(self.path, write=False)

    @contextmanager
    def read_state_of(self, source: Source, target: Target) -> Iterator[State]:
        """Open the state for reading. Raises RunError if it belongs to other accounts."""
        with self.read_state() as state:
            state.check_pair(source.account, target.account)
            yield state

    @contextmanager
    def write_state(self, source: Source, target: Target, now: float) -> Iterator[State]:
        """Open `state.db` for writing. Raises RunError if another sync uses it, or for other accounts."""
        with State(self.path, write=True, now=now) as state:
            state.require_pair(source.account, target.account)
            yield state


def open_folder(path: Path) -> SyncFolder:
    """Return a sync folder with its mapping and pins. Raises RunError."""
    mapping = path / "mapping.yaml"
    with file_errors(mapping):
        if not mapping.is_file():
            raise RunError(f"{path} is not a sync folder: it has no mapping.yaml; `sync init` creates one")
    return SyncFolder(path, load_mapping(mapping), load_pins(path / "pins.yaml"))
