"""Reads, creates, changes and finds tickets of HaloPSA in a sync."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from connector.handlers import Call, CallSteps, Json, RowError, TicketReading, convert_time, parse_time

AT_ONCE = 100
"""The maximum number of ids in one request for tickets."""
DAY_S = 86_400
_TICKET = {
    "type": "tickettype_id",
    "client": "client_id",
    "site": "site_id",
    "user": "user_id",
    "priority": "priority_id",
    **{name: name for name in ("summary", "details", "source", *(f"category_{n}" for n in range(1, 5)))},
    "assets": "asset_ids",
    "alert": "ninja_alert_id",
    "device": "ninja_device_id",
}
"""The inputs of create_ticket, keyed by the name that the sync has for each value."""
STAMP = "[alert {}]"
"""The last line of the details if there is no custom field for the stamp."""


class Tickets:
    """The tickets of the target.

    `stamp_field` is the custom field by which a ticket is looked up; without one, the details end with the
    stamp. Whether somebody has worked on a ticket is only read if `is_touched_read`.
    """

    def __init__(self) -> None:
        self.stamp_field: str | None = None
        self.is_touched_read = True
        self._me: int | None = None
        self._statuses: dict[str, int] = {}
        self._initial: dict[int, int] = {}
        self._integration: dict[str, int] | None = None

    # Reading.

    def tickets(self, ids: Collection[int]) -> CallSteps:
        """Read tickets. For a single one, they include its stamp and whether somebody has worked on it.

        Some instances list open tickets only: tickets that are missing in a list are read one by one.
        """
        wanted = sorted(set(ids))
        if len(wanted) == 1:
            return [(yield from self._ticket(wanted[0]))]
        found: dict[int, TicketReading] = {}
        for at in range(0, len(wanted), AT_ONCE):
            numbers = ",".join(map(str, wanted[at : at + AT_ONCE]))
            rows = yield Call("halopsa.list_tickets", {"ticket_ids": numbers})
            found |= {row["id"]: _reading(row) for row in rows if row["id"] in wanted}
        for number in wanted:
            if number not in found:
                found[number] = yield from self._ticket(number)
        return [found[number] for number in wanted]

    def _ticket(self, number: int) -> CallSteps:
        try:
            row = yield Call("halopsa.get_ticket", {"ticket_id": number, "include_details": True})
        except RowError as error:
            if error.code == "not_found":
                return TicketReading(number, "deleted")
            raise
        reading = _reading(row, stamp=_stamp_of(row, self.stamp_field))
        if reading.status == "open" and self.is_touched_read:
            touched = yield from self._is_touched(row)
            return TicketReading(number, "open", is_touched=touched, stamp=reading.stamp)
        return reading

    def _is_touched(self, row: Json) -> CallSteps:
        """Return whether a ticket's status was changed, or another agent has added an action."""
        if not self._initial:
            kinds = yield Call("halopsa.list_ticket_types", {})
            self._initial = {kind["id"]: kind.get("initial_status") or 0 for kind in kinds}
            self._me = (yield Call("halopsa.get_me", {})).get("id")
        initial = self._initial.get(row.get("tickettype_id") or 0)
        if initial and row.get("status_id") != initial:
            return True
        actions = yield Call("halopsa.list_ticket_actions", {"ticket_id": row["id"], "exclude_system": True})
        return any(action.get("who_agentid") not in (None, 0, self._me) for action in actions)

    # Writing.

    def save_ticket(self, id: int | None, values: Mapping[str, Json]) -> CallSteps:
        """Create a ticket, or change one, and return its id.

        To create: type, client, site, user, priority, summary, details, source, assets, alert, device, stamp,
        `category_N` and `CF…`. To change: `close` and `reopen` with a status (its name or id); `note` with an
        `outcome`; `asset` and `user`, which are added; `summary` and `details`. If there is a user but no
        site, the user's site is used.
        """
        if values.get("user") and not values.get("site"):
            user = yield Call("halopsa.get_user", {"user_id": values["user"]})
            values = {**values, "site": user.get("site_id")}
        if id is None:
            return (yield self._create(values))["id"]
        if "summary" in values:
            inputs = {name: values[name] for name in ("summary", "details") if values.get(name)}
            yield Call("halopsa.update_ticket", {"ticket_id": id, **inputs})
            return id
        if "note" in values:
            inputs = {"ticket_id": id, "note": values["note"], "outcome": values["outcome"]}
            yield Call("halopsa.add_note", inputs)
        if "asset" in values or "user" in values:
            yield from self._add(id, values)
        if "reopen" in values:
            status = yield from self._status(values["reopen"])
            yield Call("halopsa.update_ticket", {"ticket_id": id, "status_id": status})
        if "close" in values:
            yield Call("halopsa.close_ticket", {"ticket_id": id, "status": str(values["close"])})
        return id

    def _create(self, values: Mapping[str, Json]) -> Call:
        inputs = {input: values[name] for name, input in _TICKET.items() if values.get(name) is not None}
        custom = {name: value for name, value in values.items() if name.startswith("CF")}
        stamp = values.get("stamp")
        if stamp and self.stamp_field:
            custom[self.stamp_field] = stamp
        elif stamp:
            text = inputs.get("details") or ""
            inputs["details"] = f"{text}\n\n{STAMP.format(stamp)}".strip()
        return Call("halopsa.create_ticket", {**inputs, "customfields": custom or None})

    def _add(self, id: int, values: Mapping[str, Json]) -> CallSteps:
        row = yield Call("halopsa.get_ticket", {"ticket_id": id, "include_details": True})
        assets = [asset["id"] for asset in row.get("assets") or []]
        inputs: dict[str, Json] = {}
        if values.get("asset") and values["asset"] not in assets:
            inputs["asset_ids"] = [*assets, values["asset"]]
        if values.get("user"):
            inputs |= {"user_id": values["user"], "site_id": values["site"]}
        if inputs:
            yield Call("halopsa.update_ticket", {"ticket_id": id, **inputs})

    def _status(self, named: int | str) -> CallSteps:
        if isinstance(named, int):
            return named
        if not self._statuses:
            rows = yield Call("halopsa.list_statuses", {})
            self._statuses = {row["name"]: row["id"] for row in rows}
        if named not in self._statuses:
            raise RowError("input_invalid", f'there is no ticket status "{named}"')
        return self._statuses[named]

    # Finding records that may have been created.

    def find_ticket(self, values: Mapping[str, Json], since: float) -> CallSteps:
        """Return the ticket with a stamp, or None: open, closed and deleted ones, by the stamp alone.

        With an `alert` in place of a stamp it is the open ticket that HaloPSA's own integration has created.

        `since` is when it was started; `until` in the values is the latest time at which it can have been
        sent.
        """
        if "alert" in values:
            return (yield from self._of_integration(str(values["alert"])))
        window = {
            "date_field": "dateoccured",
            "start_date": convert_time(since - DAY_S, "iso"),
            "end_date": convert_time(float(values.get("until") or since) + DAY_S, "iso"),
        }
        for deleted in (False, True):
            inputs = {"client_id": values.get("client"), "tickettype_id": values.get("type"), **window}
            rows = yield Call("halopsa.list_tickets", {**inputs, "deleted": deleted or None})
            for row in sorted(rows, key=lambda row: -row["id"]):
                if (yield from self._stamp(row)) == values["stamp"]:
                    return row["id"]
        return None

    def _stamp(self, row: Json) -> CallSteps:
        """Return the stamp of a ticket in a list.

        The ticket is read if the list does not contain the stamp.
        """
        if not self.stamp_field or "customfields" not in row:
            try:
                row = yield Call("halopsa.get_ticket", {"ticket_id": row["id"], "include_details": True})
            except RowError as error:
                if error.code == "not_found":
                    return ""
                raise
        return _stamp_of(row, self.stamp_field)

    def stamped_tickets(self, types: Collection[int], since: float) -> CallSteps:
        """Read the tickets of these types (none: of any type) that have a stamp.

        They are all open ones, and those closed or deleted that were opened since a time; if they have the id
        of an alert, they can be of other types. Deleted ones may only be known by that id.
        """
        window = {"date_field": "dateoccured", "start_date": convert_time(since, "iso")}
        lists: list[dict[str, Json]] = [
            {"open_only": True, "alert_type": "ninjarmm"},
            {"deleted": True, "alert_type": "ninjarmm", **window},
        ]
        for kind in sorted(types) or [None]:
            for part in ({"open_only": True}, {"closed_only": True, **window}):
                lists.append({"tickettype_id": kind, **part})
        rows: dict[int, Json] = {}
        for inputs in lists:
            for row in (yield Call("halopsa.list_tickets", inputs)):
                rows[row["id"]] = {**rows.get(row["id"], {}), **row}
        found = []
        for row in rows.values():
            stamp = yield from self._stamp(row)
            if not stamp and row.get("deleted") and row.get("ninja_alert_id"):
                stamp = f"{row['ninja_alert_id']}#1"
            if stamp:
                found.append(_reading(row, stamp))
        return found

    def _of_integration(self, alert: str) -> CallSteps:
        """Return the open ticket of an alert. All open tickets are listed once."""
        if self._integration is None:
            rows = yield Call("halopsa.list_tickets", {"open_only": True, "alert_type": "ninjarmm"})
            self._integration = {str(row.get("ninja_alert_id") or ""): row["id"] for row in rows}
        return self._integration.get(alert) if alert else None


def _reading(row: Json, stamp: str = "") -> TicketReading:
    status, into = "open", None
    if row.get("merged_into_id"):
        status, into = "merged", int(row["merged_into_id"])
    elif row.get("deleted"):
        status = "deleted"
    elif row.get("hasbeenclosed") is True:
        status = "closed"
    opened, closed = (_seconds(row.get(name)) for name in ("dateoccurred", "dateclosed"))
    return TicketReading(row["id"], status, into, stamp=stamp, opened=opened, closed=closed)


def _seconds(time: Json) -> float:
    """Return a time in epoch seconds; 0 if there is none."""
    try:
        return parse_time(time).timestamp() if time else 0.0
    except ValueError:
        return 0.0


def _stamp_of(row: Json, field: str | None) -> str:
    """Return the stamp of a ticket that was read with all details; an empty text if it has none."""
    values = {custom["name"]: custom.get("value") for custom in row.get("customfields") or []}
    if field and values.get(field):
        return str(values[field])
    start = STAMP.partition("{}")[0]
    for line in reversed(_lines(row.get("details"))):
        if line.startswith(start) and line.endswith("]"):
            return line[len(start) : -1]
    return ""


def _lines(text: Json) -> list[str]:
    return [line.strip() for line in str(text or "").replace("<br>", "\n").splitlines()]
