"""Decisions of people, stored in a file that they can read."""

from __future__ import annotations

from pathlib import Path

import pytest

from connector.errors import RunError
from connector.sync.pins import Pins, load_pins, save_pins


def test_pins_come_back_sorted_one_a_line(tmp_path: Path) -> None:
    path = tmp_path / "pins.yaml"
    pins = Pins().pinned("device", 4471, 901).pinned("device", 12, 3).pinned("organization", 2, 17)
    save_pins(path, pins)
    assert load_pins(path) == pins
    assert path.read_text().splitlines()[1:] == [
        "organizations:",
        "  2: 17",
        "devices:",
        "  12: 3",
        "  4471: 901",
    ]


def test_no_file_and_a_file_with_only_comments_have_no_pins(tmp_path: Path) -> None:
    assert load_pins(tmp_path / "pins.yaml") == Pins()
    save_pins(tmp_path / "pins.yaml", Pins())
    assert load_pins(tmp_path / "pins.yaml") == Pins()


def test_a_pin_can_be_taken_back_once() -> None:
    pins = Pins().pinned("device", 1, 2).unpinned("device", 1)
    assert pins == Pins()
    with pytest.raises(RunError, match="device 1 is not pinned"):
        pins.unpinned("device", 1)


def test_an_asset_has_one_pinned_device() -> None:
    pins = Pins().pinned("device", 1, 2)
    assert pins.pinned("device", 1, 2) == pins
    with pytest.raises(RunError, match="asset 2 is pinned to device 1"):
        pins.pinned("device", 3, 2)


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("devices: {1: 2, 3: 2}", "line 1: devices.3: asset 2 is pinned to two devices"),
        ("devices:\n  1: 2\n  1: 3", 'line 3: the key "1" is repeated'),
        ("devices:\n  PC: 2", "line 2: devices.PC: expected two ids"),
        ("devices:\n  1: x", "line 2: devices.1: expected two ids"),
        ("assets: {1: 2}", 'unknown key "assets"'),
        ("[1]", "a mapping is expected"),
    ],
)
def test_a_wrong_pin_is_named_with_its_line(tmp_path: Path, text: str, error: str) -> None:
    path = tmp_path / "pins.yaml"
    path.write_text(text)
    with pytest.raises(RunError, match=r"pins\.yaml") as raised:
        load_pins(path)
    assert error in str(raised.value)


def test_pins_that_cannot_be_written_are_an_error_and_change_nothing(tmp_path: Path) -> None:
    with pytest.raises(RunError, match="cannot be accessed"):
        save_pins(tmp_path / "no" / "pins.yaml", Pins())
