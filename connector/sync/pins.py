"""Pins: people's decisions about single records. `pins.yaml` is written by the commands and the page.

    devices:
      4471: 901

It can be read, edited and kept in version control.
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
_HEAD = "# Links that a person has chosen: source id: target id. Written by `sync pin`; can be edited.\n"


@dataclass(frozen=True)
class Pins:
    """The target's id for each pinned record of the source."""

    organization: Mapping[int, int] = field(default_factory=dict)
    location: Mapping[int, int] = field(default_factory=dict)
    device: Mapping[int, int] = field(default_factory=dict)

    def of(self, noun: Noun) -> Mapping[int, int]:
        """Return the pins of one kind of record."""
        found: Mapping[int, int] = getattr(self, noun)
        return found

    def pinned(self, noun: Noun, source: int, target: int) -> Pins:
        """Return these pins and one more. Raises RunError if another device has the asset."""
        others = {**self.of(noun), source: target}
        if noun == "device":
            for other, asset in self.device.items():
                if asset == target and other != source:
                    raise RunError(f"asset {target} is pinned to device {other}: unpin that one first")
        return replace(self, **{noun: others})

    def unpinned(self, noun: Noun, source: int) -> Pins:
        """Return these pins without one. Raises RunError if there is none."""
        if source not in self.of(noun):
            raise RunError(f"{noun} {source} is not pinned")
        return replace(self, **{noun: {key: to for key, to in self.of(noun).items() if key != source}})


def load_pins(path: Path) -> Pins:
    """Read pins; a file that does not exist has none. Raises RunError with file and line."""
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
    """Write pins, sorted, one per line. Raises RunError, and then the file is unchanged."""
    lines = [_HEAD]
    for noun in NOUNS:
        if pins.of(noun):
            lines.append(f"{noun}s:\n")
            lines += (f"  {source}: {target}\n" for source, target in sorted(pins.of(noun).items()))
    with file_errors(path):
        write_whole(path, "".join(lines).encode(), mode=0o644)
