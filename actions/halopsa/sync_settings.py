"""Reads the settings of HaloPSA that a sync needs: its own NinjaOne integration, and ids for tickets."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from connector.handlers import Call, CallSteps, Json, RowError

_MODULE = 234
"""The id of the NinjaOne integration in HaloPSA."""
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

    def missing_ids(self, wanted: Mapping[str, Json]) -> CallSteps:
        """Return a message for each id that does not exist: ticket type, priority, status, outcome, user."""
        lists = {
            "type": ("list_ticket_types", "id", "ticket type"),
            "priority": ("list_priorities", "priorityid", "priority"),
            "status": ("list_statuses", "id", "ticket status"),
            "outcome": ("list_outcomes", "id", "outcome"),
        }
        problems = []
        for kind, value in wanted.items():
            if kind == "user":
                noun, is_known = kind, (yield from _has_user(value))
            else:
                action, id, noun = lists[kind.partition(" ")[0]]
                rows = yield Call(f"halopsa.{action}", {})
                is_known = value in [row.get(id) for row in rows] + [row.get("name") for row in rows]
            if not is_known:
                problems.append(f"{noun} {value} does not exist in HaloPSA, or the agent cannot see it")
        return problems


def _has_user(id: Json) -> CallSteps:
    try:
        yield Call("halopsa.get_user", {"user_id": id})
    except RowError as error:
        if error.code in ("forbidden", "not_found"):
            return False
        raise
    return True


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
