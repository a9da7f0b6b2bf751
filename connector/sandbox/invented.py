"""Invented companies, people and numbers for all sandboxes, generated from a seed.

All functions are pure, so sandboxes of different services with the same seed have the same companies with the
same machines. All domains are reserved for examples.
"""

from __future__ import annotations

from typing import Any

EPOCH = 1_780_000_000.0
"""The latest time of generated data, in epoch seconds."""

JSON = dict[str, Any]

_MASK = 2**64 - 1


def mix(*numbers: int) -> int:
    """Return 64 pseudo-random bits for a few integers (the final steps of splitmix64 for each)."""
    state = 0x9E3779B97F4A7C15
    for number in numbers:
        state = (state + number * 0x9E3779B97F4A7C15) & _MASK
        state = ((state ^ (state >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
        state = ((state ^ (state >> 27)) * 0x94D049BB133111EB) & _MASK
        state ^= state >> 31
    return state


def uid(*numbers: int) -> str:
    """Return a pseudo-random UUID (version 4) for a few integers."""
    high, low = f"{mix(*numbers, 1):016x}", f"{mix(*numbers, 2):016x}"
    return f"{high[:8]}-{high[8:12]}-4{high[13:]}-a{low[1:4]}-{low[4:]}"


_FIRST = (
    "Alder", "Birch", "Cedar", "Dover", "Elm", "Fairview", "Grove", "Harbor", "Ivy", "Juniper",
    "Kingsway", "Lakeside", "Maple", "Northgate", "Oak", "Parkside", "Quarry", "River", "Summit", "Valley",
)  # fmt: skip
_SECOND = (
    "Dental", "Logistics", "School", "Bakery", "Legal", "Clinic", "Foods", "Motors", "Studio", "Library",
)  # fmt: skip
_PEOPLE = (
    "Alex", "Blake", "Casey", "Drew", "Ellis", "Frankie", "Gray", "Harper", "Jamie", "Kit",
    "Lee", "Morgan", "Noel", "Parker", "Quinn", "Robin",
)  # fmt: skip
_FAMILIES = (
    "Able", "Brook", "Carter", "Dale", "East", "Ford", "Green", "Hill", "Lane", "Mason",
    "North", "Page", "Reed", "Stone", "Wells", "York",
)  # fmt: skip
_PLACES = ("Main Office", "Branch", "Warehouse")


def company_count(devices: int) -> int:
    """Return how many companies own this number of devices."""
    return min(200, max(4, devices // 50))


def company(seed: int, number: int) -> str:
    """Return the name of the company with this number (from 1)."""
    index = number - 1
    second = _SECOND[(index // len(_FIRST) + index + mix(seed)) % len(_SECOND)]
    return f"{_FIRST[index % len(_FIRST)]} {second}"


def places(number: int) -> tuple[str, ...]:
    """Return the names of a company's one to three locations."""
    return _PLACES[: 1 + number % 3]


def company_of(seed: int, device: int, companies: int) -> int:
    """Return the number of the company that owns a device."""
    return mix(seed, device) % companies + 1


def place_of(seed: int, device: int, company_number: int) -> int:
    """Return the index of a device's location among the locations of its company."""
    return (mix(seed, device) >> 12) % len(places(company_number))


def person(seed: int, number: int) -> tuple[str, str]:
    """Return the first name and the family name of a person."""
    first = _PEOPLE[(number - 1) % len(_PEOPLE)]
    return first, _FAMILIES[((number - 1) // len(_PEOPLE) + number + seed) % len(_FAMILIES)]


def serial_number(device: int) -> str:
    """Return the serial number of a device."""
    return f"EX{device:07d}"
