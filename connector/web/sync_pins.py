"""The page with a sync's unmatched records and conflicts; its buttons write pins."""

from __future__ import annotations

from collections.abc import Callable
from threading import Lock

from werkzeug.wrappers import Request, Response

from connector.errors import ConnectorError, RunError
from connector.sync.pins import NOUNS, Noun, Pins, save_pins
from connector.web.responses import as_json, as_message
from connector.web.route import Route
from connector.web.site import Site
from connector.web.sync_pages import chosen_plan, show, sync_of
from connector.web.syncs.folders import PINS
from connector.web.syncs.unmatched import Unmatched, make_unmatched

_writing = Lock()


def _unmatched(site: Site, request: Request, name: str) -> Response:
    sync = sync_of(site, name)
    plan, found, fault = None, Unmatched(), ""
    try:
        plan = chosen_plan(sync, "")
        found = make_unmatched(plan, sync.pins())
    except ConnectorError as error:
        fault = str(error)
    return show(site, sync, "unmatched", plan=plan, found=found, fault=fault)


def _pin(site: Site, request: Request, name: str) -> Response:
    noun, source = _record(request)
    target = _id(request, "target")
    return _change(site, name, lambda pins: pins.pinned(noun, source, target))


def _unpin(site: Site, request: Request, name: str) -> Response:
    noun, source = _record(request)
    return _change(site, name, lambda pins: pins.unpinned(noun, source))


def _change(site: Site, name: str, change: Callable[[Pins], Pins]) -> Response:
    sync = sync_of(site, name)
    with _writing:
        save_pins(sync.path / PINS, change(sync.pins()))
    return as_json({"location": f"/sync/{sync.url_name}/unmatched"})


def _record(request: Request) -> tuple[Noun, int]:
    noun = request.form.get("noun", "")
    for known in NOUNS:
        if noun == known:
            return known, _id(request, "source")
    raise RunError(f'"{noun}" cannot be pinned.')


def _id(request: Request, key: str) -> int:
    text = request.form.get(key, "").strip()
    if not (text.isascii() and text.isdecimal()) or not 0 < int(text) < 2**63:
        raise RunError(f'"{text}" is not an id: an id is a number, such as 901.')
    return int(text)


ROUTES = (
    Route("/sync/<name>/unmatched", _unmatched),
    Route("/sync/<name>/pin", as_message(_pin), ("POST",)),
    Route("/sync/<name>/unpin", as_message(_unpin), ("POST",)),
)
