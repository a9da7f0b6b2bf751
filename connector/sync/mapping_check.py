"""Check the templates of a mapping against sampled devices: names that no device has."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from connector.common.json_text import Json
from connector.errors import count_of, nearest
from connector.sync.mapping import DeviceMapping
from connector.sync.templates import MappingTemplate


def unknown_members(
    devices: DeviceMapping, sample: Sequence[Mapping[str, Json]], custom: Iterable[str]
) -> Iterator[str]:
    """Yield a warning for each property that a template reads and no sampled device has.

    `custom` are the names of the custom fields that any device has.
    """
    if not sample:
        return
    known = sorted({path for device in sample for path in member_paths("device", device)})
    known += [f"custom.{name}" for name in custom]
    for name, template in devices.named_templates:
        for path in sorted(template.paths):
            if path.startswith(("device.", "custom.")) and not is_known(path, known):
                shown = f"{count_of(len(sample), 'device')} sampled" if path[0] == "d" else "the devices"
                yield f"{name}: none of {shown} has {path}{nearest(path, known)}"


def unknown_paths(
    noun: str, templates: Iterable[tuple[str, MappingTemplate]], records: Sequence[Mapping[str, Json]]
) -> Iterator[str]:
    """Yield a warning for each property that a template reads and none of the records has."""
    known = sorted({path for record in records for path in member_paths(noun, record)} - {noun})
    for name, template in templates:
        for path in sorted(template.paths):
            if records and path.startswith(f"{noun}.") and not is_known(path, known):
                yield f"{name}: none of {count_of(len(records), noun)} has {path}{nearest(path, known)}"


def is_known(path: str, known: Iterable[str]) -> bool:
    """Return whether a property path equals a known path, or is the start of one."""
    return any(found == path or found.startswith(path + ".") for found in known)


def member_paths(name: str, value: Json) -> Iterator[str]:
    """Yield the dotted paths of all properties of a JSON object, such as `device.system.name`."""
    if isinstance(value, Mapping):
        for member, inner in value.items():
            yield from member_paths(f"{name}.{member}", inner)
    yield name
