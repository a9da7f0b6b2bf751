"""Tests on one asset and one ticket how HaloPSA behaves in cases that its documentation does not describe.

Each question is a generator that returns its level and its answer: `ok` if the sync works with it, `warning`
if something does not work, `open` if it could not be answered. Only the test asset and the test ticket are
changed, which are found by their name.
"""

from __future__ import annotations

from collections.abc import Mapping

from connector.actions.halopsa.sync_target import SyncTarget  # type: ignore[import-not-found]
from connector.handlers import Call, CallSteps, Json, RowError

_DAY_S = 86_400.0
_TYPES = 20
"""The maximum number of asset types that are read to find one with two text fields."""


class SyncProbe(SyncTarget):
    """The questions about HaloPSA.

    `name` is the name of the test records, `client` the id of their client.
    """

    questions = (
        ("test asset", "create_test_asset"),
        ("ninjarmm_id", "ask_asset_id"),
        ("fields", "ask_fields"),
        ("customfields", "ask_custom_fields"),
        ("users", "ask_users"),
        ("software", "ask_software"),
        ("other fields", "ask_other_fields"),
        ("validation of assets", "ask_asset_validation"),
        ("list of assets", "ask_asset_list"),
        ("test ticket", "create_test_ticket"),
        ("stamp of tickets", "ask_stamp"),
        ("ninja_alert_id", "ask_alert_id"),
        ("look-up of tickets", "ask_lookup"),
        ("notes", "ask_note"),
        ("closing", "ask_closing"),
        ("ticketids", "ask_closed_in_list"),
        ("reopening", "ask_reopening"),
        ("validation of tickets", "ask_ticket_validation"),
    )
    not_asked = (
        ("arrays", "a request with several records is not sent: the sync sends one record in a request"),
        ("page sizes", "the sync reads pages of any size"),
        (
            "request limit",
            "the limit is read from the first 429 response; whether it applies per app is not known",
        ),
        ("webhook retries", "they need deliveries that fail; lost deliveries are found by polling"),
    )

    def __init__(self) -> None:
        super().__init__()
        self.name, self.client, self.began = "", 0, 0.0
        self.ticket_values: Mapping[str, Json] | None = None
        self.note_outcome: int | None = None
        self.closed_status: Json = "Closed"
        self.reopen_status: Json = None
        self._test_asset: int | None = None
        self._test_ticket: int | None = None
        self._fields: list[str] = []

    # The asset.

    def create_test_asset(self) -> CallSteps:
        """Create the test asset, whose type has two text fields."""
        kind, self._fields = yield from self._kind()
        fields = dict.fromkeys(self._fields, "test")
        inputs = {"client_id": self.client, "site_id": (yield from self._site_of_client())}
        inputs |= {"assettype_id": kind["id"], "inventory_number": self.name, "ninjarmm_id": self._device}
        row = yield Call("halopsa.create_asset", {**inputs, "fields": fields or None, "notes": "test"})
        self._test_asset = row["id"]
        return "ok", f"asset {self._test_asset} of type {kind['name']} in client {self.client}"

    @property
    def _device(self) -> int:
        """An id that no device has."""
        return 2_000_000_000 + int(self.began) % 100_000_000

    def _kind(self) -> CallSteps:
        kinds = yield Call("halopsa.list_asset_types", {})
        fields = {row["id"]: row for row in (yield Call("halopsa.list_asset_fields", {}))}
        best, numbers = None, []
        for kind in kinds[:_TYPES]:
            shown = yield from self.type_fields(kind["id"])
            texts = [f for f in sorted(shown) if not fields.get(f, {}).get("values") and _is_text(fields, f)]
            if best is None or len(texts) > len(numbers):
                best, numbers = kind, texts
            if len(numbers) > 1:
                break
        if best is None:
            raise RowError("not_found", "the agent sees no asset type")
        return best, [str(number) for number in numbers[:2]]

    def _site_of_client(self) -> CallSteps:
        sites = yield Call("halopsa.list_sites", {"client_id": self.client})
        return sites[0]["id"] if sites else None

    def _read_asset(self) -> CallSteps:
        if self._test_asset is None:
            raise RowError("not_found", "there is no test asset")
        return (yield Call("halopsa.get_asset", {"asset_id": self._test_asset, "include_details": True}))

    def _update_asset(self, **inputs: Json) -> Call:
        return Call("halopsa.update_asset", {"asset_id": self._test_asset, **inputs})

    def ask_asset_id(self) -> CallSteps:
        """Whether the id of a device is stored."""
        row = yield from self._read_asset()
        if row.get("ninjarmm_id") == self._device:
            return "ok", "is stored: assets are found by it after a loss of state.db"
        return "warning", "is not stored: after a loss of state.db, assets are only found by match.field"

    def ask_fields(self) -> CallSteps:
        """Whether fields that are not sent are emptied."""
        row = yield from self._read_asset()
        if len(self._fields) < 2:
            return "open", "the agent sees no asset type with two text fields"
        first, second = self._fields
        before = _values(row, "fields", "id")
        if before.get(first) != "test" or before.get(second) != "test":
            return "warning", "the values of a new asset were not stored"
        yield self._update_asset(fields={first: "changed"}, only_given=True)
        after = _values((yield from self._read_asset()), "fields", "id")
        if after.get(first) != "changed":
            return "warning", "an update was not stored"
        return "ok", _others(after.get(second) == "test")

    def ask_custom_fields(self) -> CallSteps:
        """Whether custom fields that are not sent are emptied."""
        row = yield from self._read_asset()
        kinds = {custom["name"]: custom.get("type") for custom in row.get("customfields") or []}
        names = [name for name, kind in kinds.items() if kind in (None, 0)][:2]
        if len(names) < 2:
            return "open", "assets do not have two custom text fields"
        yield self._update_asset(customfields=dict.fromkeys(names, "test"), only_given=True)
        yield self._update_asset(customfields={names[0]: "changed"}, only_given=True)
        after = _values((yield from self._read_asset()), "customfields", "name")
        if after.get(names[0]) != "changed":
            return "warning", "an update was not stored"
        return "ok", _others(after.get(names[1]) == "test")

    def ask_users(self) -> CallSteps:
        """Whether a new user replaces the current one."""
        yield from self._read_asset()
        users = [user["id"] for user in (yield Call("halopsa.list_users", {"client_id": self.client}))][:2]
        if len(users) < 2:
            return "open", f"client {self.client} does not have two users"
        for user in users:
            yield self._update_asset(user_ids=[user])
        found = [user["id"] for user in (yield from self._read_asset()).get("users") or []]
        if found == users[1:]:
            return "ok", "a new user replaces the current one"
        if users[1] in found:
            return "warning", "a new user is added to the current ones: assets keep their previous users"
        return "warning", "users are not stored"

    def ask_software(self) -> CallSteps:
        """Whether software is stored, and a new list replaces the current one."""
        yield from self._read_asset()
        for name in ("Test 1", "Test 2"):
            yield self._update_asset(software=[{"name": name, "version": "1"}])
        rows = yield Call("halopsa.list_asset_software", {"asset_id": self._test_asset})
        found = sorted(row.get("name") for row in rows)
        if found == ["Test 2"]:
            return "ok", "is stored; a new list replaces the current one"
        if "Test 2" in found:
            return "warning", "is stored, but removed software stays in the list"
        return "warning", "is not stored: set devices.software to false"

    def ask_other_fields(self) -> CallSteps:
        """Whether an update without fields keeps them."""
        before = yield from self._read_asset()
        yield self._update_asset(notes="changed")
        after = yield from self._read_asset()
        lost = [n for n in ("fields", "customfields", "users") if _stored(before, n) != _stored(after, n)]
        if lost:
            return "warning", f"an update of the notes alone has changed {', '.join(lost)}"
        return "ok", "an update of the notes alone keeps fields, custom fields and users"

    def ask_asset_validation(self) -> CallSteps:
        """Whether `_validateonly` saves nothing."""
        yield from self._read_asset()
        yield self._update_asset(notes="validated", validate_only=True)
        is_saved = (yield from self._read_asset()).get("notes") == "validated"
        return "ok", "_validateonly is ignored: the asset is saved" if is_saved else "nothing is saved"

    def ask_asset_list(self) -> CallSteps:
        """Which members the items in lists of assets have."""
        yield from self._read_asset()
        inputs = {"client_id": self.client, "include_fields": True, "include_inactive": True}
        rows = yield Call("halopsa.list_assets", inputs)
        row = next((row for row in rows if row["id"] == self._test_asset), None)
        if row is None:
            return "warning", "the list of a client's assets does not have a new asset"
        parts = [
            "rows have fields" if "fields" in row else "rows have fields only if the type is given",
            "and custom fields"
            if "customfields" in row
            else "but no custom fields, so assets are read one by one",
        ]
        return "ok", " ".join(parts)

    # The ticket.

    def create_test_ticket(self) -> CallSteps:
        """Create the test ticket in the same way as the sync."""
        if self.ticket_values is None:
            return "open", "the mapping has no alerts, so no ticket is created"
        given = {**self.ticket_values, "client": self.client, "summary": self.name, "details": "test"}
        given |= {"stamp": self.name, "alert": self.name, "device": self._device}
        given |= {"assets": [self._test_asset]} if self._test_asset is not None else {}
        self._test_ticket = yield from self.save_ticket(None, given)
        return "ok", f"ticket {self._test_ticket}"

    def _read_ticket(self) -> CallSteps:
        if self._test_ticket is None:
            raise RowError("not_found", "there is no test ticket")
        return (yield from self.tickets([self._test_ticket]))[0]

    def ask_stamp(self) -> CallSteps:
        """Whether the stamp of a ticket, which identifies its alert, can be read back."""
        found = yield from self._read_ticket()
        where = self.stamp_field or "the details"
        if found.stamp == self.name:
            return "ok", f"can be read back from {where}"
        return "warning", f"cannot be read back from {where}: no tickets are created; check alerts.stamp"

    def ask_alert_id(self) -> CallSteps:
        """Whether the id of an alert is stored."""
        yield from self._read_ticket()
        rows = yield Call("halopsa.list_tickets", {"open_only": True, "alert_type": "ninjarmm"})
        if any(row["id"] == self._test_ticket and row.get("ninja_alert_id") == self.name for row in rows):
            return "ok", "is stored: tickets are also found by it"
        return "ok", "is not stored or not listed: tickets are found by their stamps alone"

    def ask_lookup(self) -> CallSteps:
        """Whether the look-up after a lost response finds the ticket."""
        yield from self._read_ticket()
        kind = (self.ticket_values or {}).get("type")
        known = {"client": self.client, "type": kind, "stamp": self.name}
        found = yield from self.find_ticket({**known, "until": self.began + 600}, self.began)
        if found == self._test_ticket:
            return "ok", "finds a ticket by its stamp after a lost response"
        return (
            "warning",
            f"does not find ticket {self._test_ticket} by its stamp: lost responses may lead to duplicates",
        )

    def ask_note(self) -> CallSteps:
        """Whether notes can be written."""
        yield from self._read_ticket()
        yield from self.save_ticket(self._test_ticket, {"note": "test", "outcome": self.note_outcome})
        return "ok", "can be written"

    def ask_closing(self) -> CallSteps:
        """Whether a ticket can be closed with the status alone."""
        yield from self._read_ticket()
        yield from self.save_ticket(self._test_ticket, {"close": self.closed_status})
        return "ok", f"works with the status {self.closed_status}"

    def ask_closed_in_list(self) -> CallSteps:
        """Whether a list of ids has closed tickets."""
        if (yield from self._read_ticket()).status != "closed":
            return "open", "the test ticket is not closed"
        rows = yield Call("halopsa.list_tickets", {"ticket_ids": str(self._test_ticket)})
        if any(row["id"] == self._test_ticket for row in rows):
            return "ok", "lists closed tickets"
        return "ok", "lists open tickets only: closed ones are read one by one"

    def ask_reopening(self) -> CallSteps:
        """Whether a closed ticket can be reopened."""
        if self.reopen_status is None:
            return "open", "alerts.reopen_status is not set"
        if (yield from self._read_ticket()).status != "closed":
            return "open", "the test ticket is not closed"
        yield from self.save_ticket(self._test_ticket, {"reopen": self.reopen_status})
        if (yield from self._read_ticket()).status == "open":
            return "ok", f"works with the status {self.reopen_status}"
        return (
            "warning",
            f"status {self.reopen_status} leaves the ticket closed: set alerts.reopen_status to none",
        )

    def ask_ticket_validation(self) -> CallSteps:
        """Whether `_validate_only` saves nothing."""
        yield from self._read_ticket()
        inputs = {"ticket_id": self._test_ticket, "details": "validated", "validate_only": True}
        yield Call("halopsa.update_ticket", inputs)
        row = yield Call("halopsa.get_ticket", {"ticket_id": self._test_ticket, "include_details": True})
        is_saved = row.get("details") == "validated"
        return "ok", "_validate_only is ignored: the ticket is saved" if is_saved else "nothing is saved"

    # Removing the test records.

    def left(self) -> CallSteps:
        """Return (`asset` or `ticket`, id) for each record that still has the name of the test records."""
        inputs = {"client_id": self.client, "include_inactive": True}
        assets = yield Call("halopsa.list_assets", inputs)
        # Not by date, because filters by date depend on clocks and time zones.
        rows = yield Call("halopsa.list_tickets", {"client_id": self.client, "search": self.name})
        tickets = {row["id"] for row in rows if row.get("summary") == self.name and not row.get("deleted")}
        if self._test_ticket is not None and (yield from self._read_ticket()).status != "deleted":
            tickets.add(self._test_ticket)
        found = [("asset", row["id"]) for row in assets if row.get("inventory_number") == self.name]
        return [*found, *(("ticket", number) for number in sorted(tickets))]

    def remove(self, kind: str, id: int) -> CallSteps:
        """Delete a test record."""
        yield Call(f"halopsa.delete_{kind}", {f"{kind}_id": id})


def _is_text(fields: Mapping[int, Json], number: int) -> bool:
    return str(fields.get(number, {}).get("validate") or "") not in ("numeric", "date")


def _values(row: Json, member: str, key: str) -> dict[str, Json]:
    return {str(field[key]): field.get("value") for field in row.get(member) or []}


def _stored(row: Json, member: str) -> Json:
    if member == "users":
        return [user["id"] for user in row.get("users") or []]
    return _values(row, member, "id")


def _others(are_kept: bool) -> str:
    if are_kept:
        return "those that are not sent keep their values"
    return "those that are not sent are emptied, so the sync sends all of them"
