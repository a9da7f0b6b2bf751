"""Read and write `pins.yaml`: the links between records that a user has chosen.

    devices:
      4471: 901

The commands `sync pin` and `sync unpin` and the web page change the file. It can also be edited by hand and
kept in version control.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

from connector.catalog.declaration import Section
from connector.common import strict_yaml
from connector.common.user_folders import write_whole
from connector.errors import RunError, file_errors

Noun = Literal["organization", "location", "device"]
NOUNS: tuple[Noun, ...] = ("organization", "location", "device")
_HEAD = "# Links chosen by a user, as source id: target id. `sync pin` changes this file; it can be edited.\n"


@dataclass(frozen=True)
class Pins:
    """The pinned links: ids of source records mapped to ids of target records, by kind of record."""

    organization: Mapping[int, int] = field(default_factory=dict)
    location: Mapping[int, int] = field(default_factory=dict)
    device: Mapping[int, int] = field(default_factory=dict)

    def of(self, noun: Noun) -> Mapping[int, int]:
        """Return the pins of one kind of record."""
        found: Mapping[int, int] = getattr(self, noun)
        return found

    def pinned(self, noun: Noun, source: int, target: int) -> Pins:
        """Return a copy with one more pin. Raises RunError if the asset is pinned to another device."""
        others = {**self.of(noun), source: target}
        if noun == "device":
            for other, asset in self.device.items():
                if asset == target and other != source:
                    raise RunError(f"asset {target} is pinned to device {other}: unpin device {other} first")
        return replace(self, **{noun: others})

    def unpinned(self, noun: Noun, source: int) -> Pins:
        """Return a copy without one pin. Raises RunError if the record is not pinned."""
        if source not in self.of(noun):
            raise RunError(f"{noun} {source} is not pinned")
        return replace(self, **{noun: {key: to for key, to in self.of(noun).items() if key != source}})


def load_pins(path: Path) -> Pins:
    """Return the pins in a file; none if it does not exist. Raises RunError with file and line."""
    with file_errors(path):
        if not path.exists():
            return Pins()
    data = strict_yaml.load(path)
    if data is None:
        return Pins()
    top = Section(data, path)
    found: dict[Noun, dict[int, int]] = {}
    for noun in NOUNS:
        pins = found[noun] = {}
        key = noun + "s"
        for source, target in top.value(key, dict, {}).items():
            if not (_is_id(source) and _is_id(target)):
                raise top.fault("expected two ids here, such as 4471: 901", key, source)
            if noun == "device" and target in pins.values():
                raise top.fault(f"asset {target} is pinned to two devices", key, source)
            pins[source] = target
    top.finish()
    return Pins(**found)


def _is_id(value: Any) -> bool:
    return type(value) is int and value > 0


def save_pins(path: Path, pins: Pins) -> None:
    """Write the pins to a file, sorted, one per line. Raises RunError and leaves the file unchanged."""
    lines = [_HEAD]
    for noun in NOUNS:
        if pins.of(noun):
            lines.append(f"{noun}s:\n")
            lines += (f"  {source}: {target}\n" for source, target in sorted(pins.of(noun).items()))
    with file_errors(path):
        write_whole(path, "".join(lines).encode(), mode=0o644)
