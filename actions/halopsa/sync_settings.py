"""Reads the settings of HaloPSA that a sync needs: its own NinjaOne integration, and ids for tickets."""

from __future__ import annotations

from collections.abc import Iterable

from connector.handlers import Call, CallSteps, FieldDefinition, Json, RowError

_MODULE = 234
"""The id of the NinjaOne integration in HaloPSA."""
OF_ASSETS = 2
"""The value of `usage` in the definition of a custom field of assets; not all definitions have it."""
_CUSTOM_KINDS = {2: "choice", 4: "date", 6: "yes_no"}
_LISTS: dict[str, tuple[str, dict[str, Json], str, str]] = {
    "top level": ("list_top_levels", {}, "id", "name"),
    "asset group": ("list_asset_groups", {}, "id", "name"),
    "asset type": ("list_asset_types", {}, "id", "name"),
    "ticket type": ("list_ticket_types", {}, "id", "name"),
    "priority": ("list_priorities", {}, "priorityid", "name"),
    "ticket status": ("list_statuses", {}, "id", "name"),
    "outcome": ("list_outcomes", {"show_hidden": True}, "id", "outcome"),
}
"""For each kind of record: the action that lists it, its inputs, and the members with the id and name."""
_SETTINGS = {"include_integration_settings": True, "module_id": _MODULE}


class Settings:
    """The requests for settings that `sync check` and `sync init` send."""

    def describe(self) -> CallSteps:
        """Return the version of the instance and the agent's name, as far as they can be read."""
        found = {}
        for name, action in (("version", "get_instance_info"), ("name", "get_me")):
            try:
                found[name] = (yield Call(f"halopsa.{action}", {})).get(name) or ""
            except RowError as error:
                if error.code not in ("forbidden", "not_found"):
                    raise
        return found

    def other_writers(self) -> CallSteps:
        """Return integrations that write the same records, keyed by entity: HaloPSA's own, if it is on.

        None if the agent may not read the settings.
        """
        found = yield from self._settings()
        if found is None:
            return None
        writers = {}
        if found.get("halointegrator_ninjarmm"):
            writers["asset"] = "HaloPSA's own NinjaOne integrator imports devices"
        if found.get("ninja_alert_webhooks"):
            writers["ticket"] = "HaloPSA's own NinjaOne integration creates tickets for alerts"
        return writers

    def software_problem(self) -> CallSteps:
        """Return the reason why HaloPSA does not store software; its module for licenses must be on."""
        try:
            yield Call("halopsa.list_software_licenses", {"limit": 1})
        except RowError as error:
            if error.code not in ("forbidden", "not_found"):
                raise
            return (
                "HaloPSA does not list software licenses to this agent: turn on Configuration > Asset "
                "Management > Software Licensing, and give the application the permission for it"
            )
        return ""

    def takeover(self) -> CallSteps:
        """Return the settings of HaloPSA's own integration as mapping settings; None if unknown.

        `sites` has (organization, client, location, site) for each of its mappings.
        """
        found = yield from self._settings()
        if found is None:
            return None
        rows = found.get("ninja_sitemappings") or []
        return {
            "sites": [row for row in map(_site_mapping, rows) if row is not None],
            "fields": dict(_field_mappings(found.get("ninja_fieldmappings") or [])),
            "default_site": found.get("ninjadefaultsite") or None,
            "type": "{{ device." + (found.get("ninjarmmassettypefield") or "nodeClass") + " }}",
            "top_level": found.get("ninjatoplevel") or None,
            "type_group": found.get("ninjarmmdefaultgroup") or None,
            "by_name": bool(found.get("ninjarmmmatchname")),
            "ticket_type": found.get("ninja_alert_type") or None,
            "ticket_user": found.get("ninja_alert_user") or None,
        }

    def _settings(self) -> CallSteps:
        try:
            return (yield Call("halopsa.get_integration_settings", _SETTINGS))
        except RowError as error:
            if error.code in ("forbidden", "not_found"):
                return None
            raise

    def existing(self, noun: str) -> CallSteps:
        """Return pairs (id, name) of the records of a kind, such as "ticket type"; None if not permitted."""
        action, inputs, id, name = _LISTS[noun]
        rows = yield from _permitted(Call(f"halopsa.{action}", inputs))
        return None if rows is None else [(row.get(id), row.get(name)) for row in rows]

    def ticket_fields(self) -> CallSteps:
        """Return the custom fields that tickets can have; None if the agent may not read them.

        Only those of assets are excluded: the numbers of other kinds of records are not documented.
        """
        rows = yield from _permitted(Call("halopsa.list_custom_fields", {"include_values": True}))
        if rows is None:
            return None
        return [custom_field(row) for row in rows if is_custom(row) and row.get("usage") != OF_ASSETS]

    def user_client(self, id: int) -> CallSteps:
        """Return the id of a user's client; None if the user does not exist or cannot be seen."""
        row = yield from _permitted(Call("halopsa.get_user", {"user_id": id}))
        return None if row is None else int(row.get("client_id") or 0)


def _permitted(call: Call) -> CallSteps:
    """Return the result of a call; None if the agent has no permission, or the record does not exist."""
    try:
        return (yield call)
    except RowError as error:
        if error.code in ("forbidden", "not_found"):
            return None
        raise


def is_custom(row: Json) -> bool:
    """Return whether a definition is that of a custom field."""
    return str(row.get("name", "")).startswith("CF")


def custom_field(row: Json) -> FieldDefinition:
    """Return a custom field from its definition."""
    choices = {value["id"]: value["name"] for value in row.get("values") or [] if "name" in value}
    kind = _CUSTOM_KINDS.get(row.get("type"), "text")
    kind = "text" if kind == "choice" and not choices else kind
    return FieldDefinition(row["name"], row["name"], kind, choices or None)


def _site_mapping(row: Json) -> tuple[int, int, int, int] | None:
    try:
        names = ("third_party_client_id", "halo_client_id", "third_party_id", "halo_id")
        organization, client, location, site = (int(row[name]) for name in names)
    except (KeyError, TypeError, ValueError):
        return None
    return organization, client, location, site


def _field_mappings(rows: Iterable[Json]) -> Iterable[tuple[str, dict[str, str]]]:
    for row in rows:
        key = str(row.get("fiid")) if row.get("isassetfield") else str(row.get("name"))
        path = str(row.get("thirdpartyname") or "")
        if path and key:
            name = f"custom.{path[7:]}" if path.startswith("custom.") else f"device.{path}"
            yield key, {"value": "{{ " + name + " }}", "when": _when(row)}


def _when(row: Json) -> str:
    if not row.get("dontupdate"):
        return "always"
    return "empty" if row.get("populateemptyvalue") else "new"
