"""The folder of a sync: `mapping.yaml`, `pins.yaml`, `state.db` and `plans/`."""

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
    """A folder whose mapping could be read."""

    path: Path
    mapping: SyncMapping
    pins: Pins

    @property
    def pins_file(self) -> Path:
        """The file of the pins."""
        return self.path / "pins.yaml"

    def read_state(self) -> State:
        """Open the state for reading, without a lock; it need not exist."""
        return State(self.path, write=False)

    @contextmanager
    def write_state(self, source: Source, target: Target, now: float) -> Iterator[State]:
        """Open the state for writing. Raises RunError if another sync uses it, or for other accounts."""
        with State(self.path, write=True, now=now) as state:
            state.require_pair(source.account, target.account)
            yield state


def open_folder(path: Path) -> SyncFolder:
    """Read the mapping and the pins of a folder. Raises RunError."""
    mapping = path / "mapping.yaml"
    with file_errors(mapping):
        if not mapping.is_file():
            raise RunError(
                f"{path} is not the folder of a sync: it has no mapping.yaml; sync init creates one"
            )
    return SyncFolder(path, load_mapping(mapping), load_pins(path / "pins.yaml"))
