"""Check a mapping against both services: ids that do not exist, names that no device has."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

from connector.common import strict_yaml
from connector.common.json_text import Json
from connector.errors import count_of, nearest
from connector.sync.mapping import SyncMapping


def missing_ids(
    mapping: SyncMapping,
    title: str,
    clients: Collection[int],
    sites: Mapping[int, int],
    organizations: Collection[int],
) -> Iterator[str]:
    """Yield a message with file and line for each id in the mapping that does not exist.

    `title` is the target's name; `sites` maps the id of a target's site to the id of its client.
    """
    unseen = f"does not exist in {title}, or the agent that signs in cannot see it"
    for row in mapping.clients.rows.values():
        at: tuple[str | int, ...] = ("clients", "map", row.at)
        if row.organization not in organizations:
            yield _at(mapping, (*at, "organization"), f"organization {row.organization} does not exist")
        if isinstance(row.client, int) and row.client not in clients:
            yield _at(mapping, (*at, "client"), f"client {row.client} {unseen}")
        for location, site in row.locations.items():
            if isinstance(site, int) and site not in sites:
                yield _at(mapping, (*at, "locations", location), f"site {site} {unseen}")
            elif isinstance(site, int) and sites[site] != row.client:
                message = f"site {site} belongs to client {sites[site]}, not to client {row.client}"
                yield _at(mapping, (*at, "locations", location), message)
    default = mapping.devices.default_site if mapping.devices else None
    if default is not None and default not in sites:
        yield _at(mapping, ("devices", "default_site"), f"site {default} {unseen}")


def unknown_members(mapping: SyncMapping, devices: Sequence[Mapping[str, Json]]) -> Iterator[str]:
    """Yield a warning for each device property that a template reads and no sampled device has."""
    if mapping.devices is None or not devices:
        return
    known = sorted({path for device in devices for path in member_paths("device", device)})
    for field in mapping.devices.fields:
        for path in sorted(field.template.paths):
            if path.startswith("device.") and not is_known(path, known):
                sample = count_of(len(devices), "device")
                yield f"field {field.key}: none of {sample} sampled has {path}{nearest(path, known)}"


def is_known(path: str, known: Iterable[str]) -> bool:
    """Return whether a property path equals a known path, or is the start of one."""
    return any(found == path or found.startswith(path + ".") for found in known)


def member_paths(name: str, value: Json) -> Iterator[str]:
    """Yield the dotted paths of all properties of a JSON object, such as `device.system.name`."""
    if isinstance(value, Mapping):
        for member, inner in value.items():
            yield from member_paths(f"{name}.{member}", inner)
    yield name


def _at(mapping: SyncMapping, keys: Sequence[str | int], message: str) -> str:
    return f"{mapping.path}, line {strict_yaml.line_of(mapping.path, keys)}: {message}"
