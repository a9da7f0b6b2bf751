"""Traps: ways in which HaloPSA instances differ or behave unexpectedly, each of which can be simulated.

`TRAPS` lists the traps with their values, the default first. A trap is set when the sandbox is created, or
while it runs.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Trap:
    """A trap with its possible values, the default first; also any value that matches `pattern`."""

    name: str
    values: tuple[str, ...]
    about: str
    pattern: str = ""

    def check(self, value: str) -> None:
        """Raise ValueError if the trap does not have this value."""
        if value not in self.values and not (self.pattern and re.fullmatch(self.pattern, value)):
            known = ", ".join(self.values) + (", or for example 300/5" if self.pattern else "")
            raise ValueError(f"trap {self.name} has no value {value!r}; its values are {known}")


TRAPS: tuple[Trap, ...] = (
    # Traps for signing in.
    Trap("tenant", ("needed", "optional"), "whether a token request must have the tenant in its query"),
    Trap("scope", ("needed", "optional"), "whether a token request must have a scope"),
    Trap("user_agent", ("needed", "optional"), "whether a request without User-Agent is refused with 403"),
    # Traps for lists.
    Trap("page_cap", ("by_resource", "ignored"), "whether pages have at most 50 assets or 100 other records"),
    Trap(
        "paging",
        ("obeyed", "ignored", "empty_once", "empty"),
        "whether page_no is used, or every page is page 1, or page 2 is empty (once or always)",
    ),
    Trap("asset_fields", ("flag", "flag_and_type"), "whether includeassetfields also needs assettype_id"),
    Trap("list_customfields", ("no", "yes"), "whether the items of lists include customfields"),
    Trap(
        "unknown_parameters", ("ignored", "refused"), "whether an unknown filter is ignored, or returns 400"
    ),
    Trap("orderdesc", ("strict", "lenient"), "whether 1 in the query is invalid as a boolean, or means true"),
    Trap("ticketids", ("all", "open_only"), "whether ticketids also finds closed tickets"),
    Trap(
        "unfiltered",
        ("times_out", "served"),
        "whether requests for /AssetSoftware and /Actions without a filter return 504",
    ),
    Trap("times", ("zoneless", "zoned"), "whether times in responses lack a time zone"),
    # Traps for requests that write.
    Trap("bodies", ("arrays", "both"), "whether a body that is not an array is rejected"),
    Trap(
        "answer",
        ("last", "all", "list"),
        "whether the response to a POST is the last record, all records, or an array with only the last",
    ),
    Trap(
        "arrays", ("atomic", "one_by_one"), "whether nothing is saved when one record of an array is refused"
    ),
    Trap(
        "sub_arrays",
        ("replace", "merge"),
        "whether fields, customfields, users and software replace the stored ones",
    ),
    Trap(
        "type_fields",
        ("ignored", "added"),
        "whether a field that the asset's type lacks is ignored, or added to the type",
    ),
    Trap("external_ids", ("writable", "ignored"), "whether ninjarmmid and ninjarmm_id are stored"),
    Trap("stamps", ("writable", "ignored"), "whether ninja_alert_id and a ticket's customfields are stored"),
    Trap(
        "validate_only",
        ("obeyed", "ignored"),
        "whether a POST with _validateonly or _validate_only only checks the records",
    ),
    Trap("outcome", ("required", "optional"), "whether notes and other ticket actions require an `outcome`"),
    Trap(
        "notes", ("accepted", "forbidden", "refused_when_closed"), "whether actions can be added to tickets"
    ),
    Trap("priorities", ("by_sla", "any"), "whether a priority must belong to the SLA of the ticket type"),
    Trap(
        "type_sla", ("set", "none"), "whether ticket types have an SLA; without one a priority is not stored"
    ),
    Trap(
        "closing",
        ("accepted", "refused", "refused_silently"),
        "whether a ticket without CFResolution is closed, or stays open, with a _warning or silently",
    ),
    Trap(
        "deleted_tickets",
        ("gone", "marked"),
        "whether a deleted ticket returns 404, or a record with deleted: true",
    ),
    Trap("software_module", ("on", "off"), "whether the instance records the software installed on assets"),
    Trap("automations", ("none", "close"), "whether an automation closes each new ticket after the response"),
    Trap(
        "answers",
        ("sent", "reset", "reset_once", "gateway", "gateway_once"),
        "whether responses to writes are lost after the data was saved",
    ),
    # Traps for error responses and permissions.
    Trap(
        "rate_limit",
        ("700/5", "none"),
        "maximum number of requests in a rolling window of minutes, such as 300/5",
        r"[1-9]\d{0,5}/[1-9]\d{0,2}",
    ),
    Trap("retry_after", ("sent", "absent"), "whether a 429 has a Retry-After header"),
    Trap("forbidden", ("empty", "text"), "whether a 403 has an empty body"),
    Trap(
        "invalid",
        ("by_path", "message", "class_name", "result_code", "error", "text"),
        "the form of a 400: keyed by JSON path, one of four kinds of object, or plain text",
    ),
    Trap(
        "html", ("no", "page", "page_once"), "whether requests have no effect, and get 200 with an HTML page"
    ),
    Trap("warning", ("no", "yes"), "whether records in the response to a POST have a _warning"),
    Trap(
        "agent_sees",
        ("all", "one_client", "one_client_404", "some_types", "some_fields"),
        "what the agent can see: all, one client (others return 403 or 404), some types or some fields",
    ),
    Trap("integration", ("off", "on", "forbidden"), "whether the built-in NinjaOne integration is in use"),
    # Traps for webhooks.
    Trap("webhook_body", ("full", "event"), "whether deliveries contain the ticket"),
    Trap("webhook_batch", ("no", "yes"), "whether events are delivered two at a time, as an array"),
    Trap("webhook_delivery", ("once", "doubled", "late", "lost"), "how often and when events are delivered"),
)
_BY_NAME = {trap.name: trap for trap in TRAPS}


class Traps:
    """The current values of all traps. `traps["closing"]` is the value of one trap."""

    def __init__(self, values: Mapping[str, str] | None = None) -> None:
        self._values = {trap.name: trap.values[0] for trap in TRAPS}
        for name, value in (values or {}).items():
            self.set(name, value)

    def __getitem__(self, name: str) -> str:
        return self._values[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def is_on(self, name: str, value: str) -> bool:
        """Return whether a trap has this value. Raises KeyError if the name or value is unknown."""
        if value not in _BY_NAME[name].values:
            raise KeyError(value)
        return self._values[name] == value

    def set(self, name: str, value: str) -> None:
        """Set a trap. Raises ValueError if the name or value is unknown."""
        if name not in _BY_NAME:
            raise ValueError(f"there is no trap {name!r}; the traps are {', '.join(_BY_NAME)}")
        _BY_NAME[name].check(value)
        self._values[name] = value

    def describe(self) -> dict[str, str]:
        """Return the values of all traps, keyed by name."""
        return dict(self._values)

    def once(self, name: str, value: str) -> bool:
        """Return whether a trap has the value `value`, or `value_once`, which is reset by this call."""
        if self._values[name] == f"{value}_once":
            self._values[name] = _BY_NAME[name].values[0]
            return True
        return self._values[name] == value


def describe_traps() -> tuple[str, ...]:
    """Return a line for each trap: its values, the default first, and its description."""
    return tuple(f"{trap.name}={'|'.join(trap.values)}: {trap.about}" for trap in TRAPS)
