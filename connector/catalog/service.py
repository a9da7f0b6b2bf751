"""A service: the common properties of a vendor's API, read from `service.yaml`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

from connector.catalog.declaration import Section, load_declaration, read_input
from connector.catalog.filter_grammar import FilterGrammar
from connector.catalog.inputs import Input
from connector.catalog.named import NamedKind, read_named
from connector.catalog.outcome import EventLog, OfflineDevices, read_event_log, read_offline
from connector.catalog.throttling import Delay, Throttling, read_delay, read_throttling
from connector.common import strict_yaml
from connector.common.json_text import Json
from connector.errors import Code

EVERY = "*"
"""The value of `when` for a shape that applies to any object."""


class Setting(NamedTuple):
    """An additional text setting of this service's connections."""

    title: str
    description: str
    required: bool = False


class Discovery(NamedTuple):
    """The path at which an instance describes its sign-in; it is read without a sign-in.

    `url` is the member of the response with the URL of the sign-in, to which `token_path` is appended.
    `settings` maps further members to settings of the connection. It is requested if one of them is missing.
    """

    path: str
    url: str
    token_path: str
    settings: Mapping[str, str]


class SignIn(NamedTuple):
    """The service's OAuth 2.0 settings.

    `query` are the parameters of the token request: name to setting of the connection; those without a value
    are omitted. `discovery` describes how to request the rest. `errors` explains error codes and statuses of
    the token endpoint; `elsewhere` explains a response from something else, such as a web page.
    `default_scope` is sent if the connection names no scope. `user_scopes` are the default for the sign-in of
    a user, for which `offline_scope` is always added, to get a refresh token. `app` describes how to create a
    client app for it. `needs` is the scope that a request requires, for each effect (read, write,
    destructive).
    """

    token_path: str
    authorize_path: str
    revoke_path: str
    grants: tuple[str, ...]
    expired: tuple[str, ...]
    errors: Mapping[str, str]
    elsewhere: str
    user_scopes: tuple[str, ...]
    offline_scope: str
    app: str
    needs: Mapping[str, str]
    default_scope: str
    query: Mapping[str, str]
    discovery: Discovery | None


class ErrorShape(NamedTuple):
    """The members of one kind of error body; it applies if the body has the member `when`.

    With `when` "*" it applies to any object, whose members are then messages (text, or an array of texts),
    keyed by what each is about, such as the JSON path of a value. With `in_success` it also applies to
    responses with a successful status, which then count as failures.
    """

    when: str
    code: str
    message: str
    incident: str
    in_success: bool = False


@dataclass(frozen=True, eq=False, repr=False)
class Errors:
    """The service's error bodies: shapes, tried in this order, and the meanings of codes and statuses.

    `generic` are the codes that say no more than the status; `hints` has advice by the vendor's code or by
    `meta.code`. `failed_texts` are bodies with a successful status that mean failure; `successes` are values
    of a shape's member that mean success. `warnings` are members of a successful body with warnings.
    """

    shapes: tuple[ErrorShape, ...]
    generic: tuple[str, ...]
    codes: Mapping[str, Code]
    statuses: Mapping[int, Code]
    hints: Mapping[str, str]
    failed_texts: tuple[str, ...] = ()
    successes: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()

    @cached_property
    def in_success(self) -> tuple[str, ...]:
        """Names of members that mean failure, even if the status of the response means success."""
        return tuple(shape.when for shape in self.shapes if shape.in_success)

    @cached_property
    def marks_of_warnings(self) -> tuple[str, ...]:
        """The names of the members with warnings as JSON text, for a fast search in a response."""
        return tuple(f'"{name}"' for name in self.warnings)

    @cached_property
    def marks_in_success(self) -> tuple[str, ...]:
        """The names in `in_success` as JSON text, for a fast search in a response."""
        return tuple(f'"{name}"' for name in self.in_success)


class Pager(NamedTuple):
    """The paging of one family of lists.

    `items` is the path of the items in the response ("" if the response is the array itself). The next
    position is a member of the response (`next`) or picked from the items (`pick` last, max or min of
    `item`); it is sent as `send` (`query.NAME` or `body.NAME`). `advances` is a member of the response that
    must increase while the position stays the same. `page_size` is the size that is requested, `least` the
    smallest that the API accepts. `until` lists the conditions that end the list: `empty` (no items), `short`
    (fewer items than requested), `no_position`, `total` (as many items as the response's total).

    With `first`, pages are counted from that number instead: `send` is the number of the page, and `total` is
    the member of the response with the number of all items. `item` is then the member that identifies an
    item. `always` is sent with each page, keyed by its place in the request.
    """

    name: str
    items: str
    send: str
    size: str
    page_size: int
    least: int
    until: tuple[str, ...]
    next: str
    advances: str
    pick: str
    item: str
    first: int | None
    total: str
    always: Mapping[str, Json]


class HealthCheck(NamedTuple):
    """An action that is called to check a connection, and the scope that it requires."""

    title: str
    action: str
    inputs: Mapping[str, Any]
    scope: str


class Service(NamedTuple):
    """A service as declared. `document` is the path at which an instance serves its OpenAPI document.

    `document_prefix` is put before the paths in that document that do not begin with it, and
    `document_responses` says whether the document describes the responses.

    With `names` "bare", its actions are called NAME; with "qualified", SERVICE.NAME. `settings` are the
    settings that only its connections have. With `wrap` "array", the JSON object of a POST is sent as an
    array with this one item. `times` are the members of responses that are epoch seconds; see
    `invocation.result_times`. `web_paths` are the paths of a record's page in a browser, by its kind, with
    `{id}`. `named` are the kinds of records that inputs give by name or id. For `event_log` see `Outcome`.
    """

    name: str
    title: str
    regions: Mapping[str, str]
    environment: str
    document: str
    sign_in: SignIn
    errors: Errors
    throttling: Throttling
    request_id_header: str
    pagers: Mapping[str, Pager]
    filters: Mapping[str, FilterGrammar]
    secrets: tuple[str, ...]
    inputs: Mapping[str, Input]
    health_checks: tuple[HealthCheck, ...]
    scopes: Mapping[str, str]
    words: Mapping[str, Mapping[str, str]]
    names: str
    settings: Mapping[str, Setting]
    wrap: str
    document_prefix: str
    document_responses: bool
    web_paths: Mapping[str, str]
    times: tuple[str, ...]
    named: Mapping[str, NamedKind]
    event_log: EventLog | None
    offline: OfflineDevices | None
    delay: Delay

    @property
    def prefix(self) -> str:
        """The prefix of the names of the service's actions in the catalog: `NAME.`, or empty."""
        return prefix_of(self.name, self.names)

    @property
    def health_check_names(self) -> tuple[str, ...]:
        """The checks that a connection can turn off: titles in lower case, and `scopes`."""
        return (*(check.title.lower() for check in self.health_checks), "scopes")


def prefix_of(service: str, names: str | None) -> str:
    """Return the prefix of the names of a service's actions, from the setting `names` of the service."""
    return f"{service}." if names == "qualified" else ""


def load_service(path: Path) -> Service:
    """Read a `service.yaml`. Raises DeclarationError with file, line and key."""
    top = load_declaration(path)
    service = Service(
        name=top.text("name"),
        title=top.text("title"),
        regions=top.mapping("regions"),
        environment=top.text("environment"),
        document=top.text("document", ""),
        sign_in=_sign_in(top.section("sign_in")),
        errors=_errors(top.section("errors")),
        throttling=read_throttling(top.section("throttling")),
        request_id_header=top.text("request_id_header", "").lower(),
        pagers={name: _pager(name, part) for name, part in top.sections("pagers")},
        filters={name: _filter(name, part) for name, part in top.sections("filters")},
        secrets=top.texts("secrets"),
        times=top.texts("times"),
        inputs={name: read_input(name, part) for name, part in top.sections("inputs")},
        health_checks=tuple(_health_check(part) for part in top.each("health_checks")),
        scopes=top.mapping("scopes"),
        words=top.mapping("words"),
        names=top.one_of("names", ("bare", "qualified"), "bare"),
        settings={name: _setting(part) for name, part in top.sections("settings")},
        wrap=top.one_of("wrap", ("array",), ""),
        document_prefix=top.text("document_prefix", ""),
        document_responses=top.value("document_responses", bool, True),
        web_paths=top.mapping("web_paths"),
        named=read_named(top),
        event_log=read_event_log(top.section("event_log")) if top.value("event_log", dict, None) else None,
        offline=read_offline(top.section("offline")) if top.value("offline", dict, None) else None,
        delay=read_delay(top.section("delay")) if top.value("delay", dict, None) else Delay(),
    )
    if "delay_ms" in service.inputs:
        raise top.fault("delay_ms is a setting of runs: declare it as `delay`", "inputs", "delay_ms")
    top.finish()
    _check_names(service, top)
    return service


def _setting(part: Section) -> Setting:
    setting = Setting(part.text("title"), part.text("description", ""), part.value("required", bool, False))
    part.finish()
    return setting


def _check_names(service: Service, top: Section) -> None:
    """Raise DeclarationError if `names: qualified` is not at the start of the file."""
    if service.prefix and service.name != top.path.parent.name:
        raise top.fault(f'"{service.name}" must be the name of its folder', "name")
    if service.prefix and "names" not in strict_yaml.head(top.path):
        raise top.fault("it must be above the first mapping or list, where it is read quickly", "names")


def _sign_in(part: Section) -> SignIn:
    sign_in = SignIn(
        token_path=part.text("token_path"),
        authorize_path=part.text("authorize_path", ""),
        revoke_path=part.text("revoke_path", ""),
        grants=part.texts("grants"),
        expired=part.texts("expired"),
        errors=part.mapping("errors"),
        elsewhere=part.text("elsewhere", ""),
        user_scopes=part.texts("user_scopes"),
        offline_scope=part.text("offline_scope", ""),
        app=part.text("app", ""),
        needs=part.mapping("needs"),
        default_scope=part.text("default_scope", ""),
        query=part.mapping("query"),
        discovery=_discovery(part.section("discovery")) if part.mapping("discovery") else None,
    )
    part.finish()
    return sign_in


def _discovery(part: Section) -> Discovery:
    discovery = Discovery(
        path=part.text("path"),
        url=part.text("url"),
        token_path=part.text("token_path"),
        settings=part.mapping("settings"),
    )
    part.finish()
    return discovery


def _errors(part: Section) -> Errors:
    shapes = []
    for shape in part.each("shapes"):
        shapes.append(
            ErrorShape(
                when=shape.text("when"),
                code=shape.text("code", ""),
                message=shape.text("message", ""),
                incident=shape.text("incident", ""),
                in_success=shape.value("in_success", bool, False),
            )
        )
        shape.finish()
    errors = Errors(
        shapes=tuple(shapes),
        generic=part.texts("generic"),
        codes=part.mapping("codes"),
        statuses=part.mapping("statuses"),
        hints=part.mapping("hints"),
        failed_texts=part.texts("failed_texts"),
        successes=part.texts("successes"),
        warnings=part.texts("warnings"),
    )
    part.finish()
    return errors


def _health_check(part: Section) -> HealthCheck:
    check = HealthCheck(
        part.text("title"), part.text("action"), part.mapping("inputs"), part.text("scope", "")
    )
    part.finish()
    return check


def _filter(name: str, part: Section) -> FilterGrammar:
    grammar = FilterGrammar(
        name=name.replace("-", " "),
        clauses=part.texts("clauses"),
        joined_by=part.text("joined_by", ""),
        example=part.text("example"),
    )
    part.finish()
    return grammar


def _pager(name: str, part: Section) -> Pager:
    pager = Pager(
        name=name,
        items=part.text("items"),
        send=part.text("send", ""),
        size=part.text("size", ""),
        page_size=part.value("page_size", int, 1000),
        least=part.value("least", int, 1),
        until=part.texts("until"),
        next=part.text("next", ""),
        advances=part.text("advances", ""),
        pick=part.text("pick", ""),
        item=part.text("item", ""),
        first=part.value("first", int, None),
        total=part.text("total", ""),
        always=part.mapping("always"),
    )
    part.finish()
    return pager
