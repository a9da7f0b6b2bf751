"""Endpoints for clients, their sites and their users."""

from __future__ import annotations

from typing import Any

from connector.sandbox.halopsa.api.bodies import known_values
from connector.sandbox.halopsa.api.call import LIST, HaloCall, endpoint, integer, query, require_client
from connector.sandbox.halopsa.api.custom import check_custom, save_custom, shown_custom
from connector.sandbox.halopsa.api.lists import contains, is_listed, ordered, page
from connector.sandbox.halopsa.api.writes import RETURN_ALL, Writer, write
from connector.sandbox.halopsa.data.seed import CLIENTS_FROM, SITES_FROM, USERS_FROM
from connector.sandbox.halopsa.data.state import State
from connector.sandbox.halopsa.errors import InvalidRecordError
from connector.sandbox.invented import JSON
from connector.sandbox.messages import ServerResponse
from connector.sandbox.types import Anything

_ARRAYS = ("customfields", "fields", "site_fields")
_FILTERS = query("includeinactive", "includeactive", "toplevel_id")
_DETAILS = query("includedetails", "includeactivity")


def _client_row(state: State, client: JSON) -> JSON:
    top_level = state.top_levels.get(client.get("toplevel_id", 0), {})
    site = state.sites.get(client.get("main_site_id", 0), {})
    return client | {"toplevel_name": top_level.get("name", ""), "main_site_name": site.get("name", "")}


def _site_row(state: State, site: JSON) -> JSON:
    client = state.clients.get(site["client_id"], {})
    name = client.get("name", "")
    # the API document declares a site's client as a number with decimals
    return site | {
        "client_id": float(site["client_id"]),
        "client_name": name,
        "clientsite_name": f"{name}/{site['name']}",
    }


def _user_row(state: State, user: JSON) -> JSON:
    site = state.sites.get(int(user.get("site_id") or 0), {})
    client = state.clients.get(site.get("client_id", 0), {})
    return user | {
        "site_id": float(user.get("site_id") or 0),
        "site_name": site.get("name", ""),
        "client_id": client.get("id", 0),
        "client_name": client.get("name", ""),
    }


def _row(call: HaloCall, entity: str, row: JSON, *, details: bool) -> JSON:
    """Return a row with its custom fields.

    A row of a list (without `details`) has them only with `list_customfields=yes` (see `traps`).
    """
    if not details and call.state.traps.is_on("list_customfields", "no"):
        return row
    values = call.state.custom_values.get((entity, row["id"]), {})
    return row | {"customfields": shown_custom(call.state, entity, values)}


def _save_custom(call: HaloCall, entity: str, number: int, record: JSON) -> None:
    save_custom(call, entity, call.state.custom_values.setdefault((entity, number), {}), record)


def _values(call: HaloCall, record: JSON, schema: str) -> JSON:
    """Return the members of a record that are stored."""
    values = known_values(record, schema, without=_ARRAYS)
    if call.state.traps.is_on("external_ids", "ignored"):
        values.pop("ninjarmmid", None)
    return {name: value for name, value in values.items() if value is not None}


def _check_name(record: JSON, known: Any, path: str) -> None:
    if not str(record.get("name") or ("" if "name" in record or known is None else "x")).strip():
        raise InvalidRecordError(f"{path}.name", "A name must be entered.")


# Endpoints for clients.


@endpoint(
    "GET", "/Client", "listClients", query={**LIST, **_FILTERS, **query("search_name_only", "client_ids")}
)
def list_clients(call: HaloCall) -> JSON:
    """Return a page of the clients."""
    top_level = integer(call, "toplevel_id")
    found = [
        client
        for client in call.state.clients.values()
        if is_listed(call, client)
        and call.state.sees_client(client["id"])
        and top_level in (None, client.get("toplevel_id"))
        and contains(call, "search", client["name"])
    ]
    rows = [_client_row(call.state, client) for client in ordered(call, found)]
    return page(call, "clients", rows, lambda row: _row(call, "client", row, details=False))


@endpoint("GET", "/Client/{id}", "getClient", query=_DETAILS)
def get_client(call: HaloCall, id: int) -> JSON:
    """Return one client."""
    client = call.state.client(id)
    require_client(call, id, "Client", id)
    return _row(call, "client", _client_row(call.state, client), details=True)


def _check_client(call: HaloCall, record: JSON, path: str) -> None:
    known = call.state.client(record["id"]) if record.get("id") else None
    if known:
        require_client(call, known["id"], "Client", known["id"])
    _check_name(record, known, path)
    if record.get("toplevel_id") and record["toplevel_id"] not in call.state.top_levels:
        raise InvalidRecordError(f"{path}.toplevel_id", "The top level does not exist.")
    check_custom(call, "client", record, path)


def _save_client(call: HaloCall, record: JSON) -> int:
    state, values = call.state, _values(call, record, "Area")
    values.pop("main_site_id", None)
    number = int(record.get("id") or state.next_number("clients", state.clients, CLIENTS_FROM))
    if number not in state.clients:
        site_name = values.pop("newclient_sitename", "") or "Main"
        state.clients[number] = {"id": number, "toplevel_id": 1, "inactive": False, "ninjarmmid": 0}
        state.clients[number]["main_site_id"] = add_site(state, number, {"name": site_name})
    state.clients[number] |= values
    _save_custom(call, "client", number, record)
    return number


def add_site(state: State, client_id: int, values: JSON) -> int:
    """Add a site to a client, and return the id of the site."""
    number = state.next_number("sites", state.sites, SITES_FROM)
    state.sites[number] = {
        "id": number,
        "inactive": False,
        "ninjarmmid": 0,
        **values,
        "client_id": client_id,
    }
    return number


_CLIENTS = Writer("Area", _check_client, _save_client, get_client)


@endpoint("POST", "/Client", "saveClients", query=RETURN_ALL, body=Anything())
def save_clients(call: HaloCall) -> ServerResponse:
    """Create or update clients. A new client gets a main site."""
    return write(call, _CLIENTS)


@endpoint("DELETE", "/Client/{id}", "deleteClient")
def delete_client(call: HaloCall, id: int) -> JSON:
    """Delete a client with its sites and users."""
    found = get_client(call, id)
    for site in call.state.sites_of(id):
        delete_site(call, site["id"])
    del call.state.clients[id]
    return found


# Endpoints for sites.


@endpoint("GET", "/Site", "listSites", query={**LIST, **_FILTERS, **query("client_id", "site_id")})
def list_sites(call: HaloCall) -> JSON:
    """Return a page of the sites."""
    client_id, site_id, top_level = (integer(call, name) for name in ("client_id", "site_id", "toplevel_id"))
    clients = call.state.clients
    found = [
        site
        for site in call.state.sites.values()
        if is_listed(call, site)
        and call.state.sees_client(site["client_id"])
        and client_id in (None, site["client_id"])
        and site_id in (None, site["id"])
        and top_level in (None, clients.get(site["client_id"], {}).get("toplevel_id"))
        and contains(call, "search", site["name"])
    ]
    rows = [_site_row(call.state, site) for site in ordered(call, found)]
    return page(call, "sites", rows, lambda row: _row(call, "site", row, details=False))


@endpoint("GET", "/Site/{id}", "getSite", query=_DETAILS)
def get_site(call: HaloCall, id: int) -> JSON:
    """Return one site."""
    site = call.state.site(id)
    require_client(call, site["client_id"], "Site", id)
    return _row(call, "site", _site_row(call.state, site), details=True)


def _check_site(call: HaloCall, record: JSON, path: str) -> None:
    known = call.state.site(record["id"]) if record.get("id") else None
    _check_name(record, known, path)
    client_id = record.get("client_id") or (known or {}).get("client_id")
    if client_id not in call.state.clients:
        raise InvalidRecordError(f"{path}.client_id", "A client must be selected.")
    require_client(call, int(client_id), "Site", record.get("id", ""))
    check_custom(call, "site", record, path)


def _save_site(call: HaloCall, record: JSON) -> int:
    state, values = call.state, _values(call, record, "Site")
    if "client_id" in values:
        values["client_id"] = int(values["client_id"])
    number = record.get("id") or add_site(state, values["client_id"], {})
    state.sites[number] |= values
    _save_custom(call, "site", number, record)
    return int(number)


_SITES = Writer("Site", _check_site, _save_site, get_site)


@endpoint("POST", "/Site", "saveSites", query=RETURN_ALL, body=Anything())
def save_sites(call: HaloCall) -> ServerResponse:
    """Create or update sites."""
    return write(call, _SITES)


@endpoint("DELETE", "/Site/{id}", "deleteSite")
def delete_site(call: HaloCall, id: int) -> JSON:
    """Delete a site with its users."""
    found = get_site(call, id)
    for user in [user for user in call.state.users.values() if user.get("site_id") == id]:
        del call.state.users[user["id"]]
    del call.state.sites[id]
    return found


# Endpoints for users.


@endpoint(
    "GET", "/Users", "listUsers", query={**LIST, **_FILTERS, **query("client_id", "site_id", "asset_id")}
)
def list_users(call: HaloCall) -> JSON:
    """Return a page of the users."""
    state = call.state
    client_id, site_id, asset_id = (integer(call, name) for name in ("client_id", "site_id", "asset_id"))
    of_asset = None if asset_id is None else state.assets.changes(asset_id).users or []
    found = [
        user
        for user in state.users.values()
        if is_listed(call, user)
        and state.sees_client(state.client_of_user(user))
        and (client_id is None or client_id == state.client_of_user(user))
        and site_id in (None, user.get("site_id"))
        and (of_asset is None or user["id"] in of_asset)
        and contains(call, "search", user["name"], user.get("emailaddress"), user.get("login"))
    ]
    rows = [_user_row(state, user) for user in ordered(call, found)]
    return page(call, "users", rows, lambda row: _row(call, "user", row, details=False))


@endpoint("GET", "/Users/{id}", "getUser", query=_DETAILS)
def get_user(call: HaloCall, id: int) -> JSON:
    """Return one user."""
    user = call.state.user(id)
    require_client(call, call.state.client_of_user(user), "User", id)
    return _row(call, "user", _user_row(call.state, user), details=True)


def _check_user(call: HaloCall, record: JSON, path: str) -> None:
    known = call.state.user(record["id"]) if record.get("id") else None
    _check_name(record, known, path)
    site_id = record.get("site_id") or (known or {}).get("site_id")
    if site_id not in call.state.sites:
        raise InvalidRecordError(f"{path}.site_id", "A site must be selected.")
    require_client(call, call.state.sites[int(site_id)]["client_id"], "User", record.get("id", ""))
    check_custom(call, "user", record, path)


def _save_user(call: HaloCall, record: JSON) -> int:
    state, values = call.state, _values(call, record, "Users")
    if "site_id" in values:
        values["site_id"] = int(values["site_id"])
    number = int(record.get("id") or state.next_number("users", state.users, USERS_FROM))
    new = {"id": number, "emailaddress": "", "login": "", "inactive": False}
    state.users[number] = state.users.get(number, new) | values
    _save_custom(call, "user", number, record)
    return number


_USERS = Writer("Users", _check_user, _save_user, get_user)


@endpoint("POST", "/Users", "saveUsers", query=RETURN_ALL, body=Anything())
def save_users(call: HaloCall) -> ServerResponse:
    """Create or update users."""
    return write(call, _USERS)


@endpoint("DELETE", "/Users/{id}", "deleteUser")
def delete_user(call: HaloCall, id: int) -> JSON:
    """Delete a user."""
    found = get_user(call, id)
    del call.state.users[id]
    return found
