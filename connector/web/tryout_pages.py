"""The "Try" page: a form for templates and rows, which shows their requests and can run or save them."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from urllib.parse import unquote

from werkzeug.exceptions import NotFound
from werkzeug.wrappers import Request, Response

from connector.catalog.action import Action
from connector.catalog.service import Service
from connector.errors import RunError
from connector.runs.job_checks import read_delay
from connector.runs.preview import NO_INSTANCE
from connector.sandbox.services import sandbox_services
from connector.web.catalog.action_page import InputDetail, make_action_page
from connector.web.consent import how_many, question
from connector.web.responses import as_json, as_message, ask, download, once_of
from connector.web.route import Route
from connector.web.runs.job_files import as_yaml, make_job, pack_job
from connector.web.runs.pasted_rows import FORMAT_NAMES, PastedRows, save_rows, saved_rows
from connector.web.site import Site
from connector.web.tryout.columns import columns_of, map_columns, templates_of
from connector.web.tryout.evaluate import Trial, try_out
from connector.web.tryout.from_run import from_example, from_run
from connector.web.tryout.targets import Place, saved_place, saved_places

TRIED = 20
"""The number of rows that are previewed while the user types."""
MAX_PASTED_LENGTH = 4 << 20
"""The maximum length of rows pasted into the form, in characters; more rows require a file."""
_TEMPLATE, _PACKED = "template.", "job.zip"


@dataclass(frozen=True)
class Field:
    """One input of the form: its initial template, and the values of its selection list."""

    input: InputDetail
    label: str
    template: str
    choices: Sequence[str]

    @property
    def is_prominent(self) -> bool:
        """Return whether the input is always visible, and not in the collapsed list of other inputs."""
        return self.input.required or bool(self.template)


@dataclass(frozen=True)
class Given:
    """The content of a submitted form."""

    action: Action
    service: Service
    templates: Mapping[str, str]
    rows: PastedRows
    draft: str
    place: Place
    delay: str


def _try(site: Site, request: Request, name: str) -> Response:
    try:
        shown = make_action_page(site.catalog, name, site.actions)
    except RunError:
        return site.page("missing.html", "../../", status=404)
    action, service = shown.action, site.catalog.service(shown.action.service)
    number = min(request.args.get("example", 1, int), len(action.examples)) - 1
    example = action.examples[max(0, number)]
    if run := request.args.get("run"):
        begin = from_run(run, request.args.getlist("row", int), action.name, example)
    else:
        begin = from_example(example)
    draft = site.drafts.new()
    for file, content in example.files.items():
        site.drafts.upload(draft, file, content.encode())
    return site.page(
        "try.html",
        "../../",
        page=shown,
        fields=[_field(given, action.inputs[given.name].title, begin.templates) for given in shown.inputs],
        begin=begin,
        examples=action.examples,
        example=0 if begin.run else max(0, number) + 1,
        draft=draft,
        uploads=sorted(example.files) if any(part.file for part in action.parts.values()) else None,
        places=list(saved_places(service)),
        delay_ms=f"{service.delay.default_ms:g}",
        has_sandbox=action.service in sandbox_services(),
    )


def _sandbox_place(site: Site, service: Service) -> Place:
    if service.name in sandbox_services():
        return Place("", site.control.sandbox_url(service.name))
    return Place("", fault=f"{service.title} has no sandbox: choose a connection")


def _field(given: InputDetail, label: str, templates: Mapping[str, Any]) -> Field:
    template = templates.get(given.name, "")
    if isinstance(template, Mapping) and "template" in template:
        template = template["template"]
    text = template if isinstance(template, str) else json.dumps(template, ensure_ascii=False)
    single = not given.schema.type.startswith("array")
    choices = given.schema.options or (("true", "false") if given.schema.type == "boolean" else ())
    return Field(given, label, text, choices if single else ())


@contextmanager
def _reading(site: Site, request: Request, name: str) -> Iterator[Given]:
    """Yield the content of the submitted form. Raises RunError.

    Each request writes the rows in the form to a separate temporary folder, because a page can send several
    requests at the same time.
    """
    action = site.action(name)
    service = site.catalog.service(action.service)
    # A character has up to four bytes in UTF-8.
    request.max_form_memory_size = 4 * MAX_PASTED_LENGTH
    form, draft = request.form, request.form.get("draft", "")
    folder = site.drafts.folder(draft)
    connection = form.get("connection", "")
    place = saved_place(service, connection) if connection else _sandbox_place(site, service)
    templates = {
        key.removeprefix(_TEMPLATE): text
        for key, text in form.items()
        if key.startswith(_TEMPLATE) and text.strip()
    }
    with TemporaryDirectory(dir=folder, ignore_cleanup_errors=True) as own:
        if "rows" not in form:
            rows = saved_rows(folder)
        elif len(form["rows"]) > MAX_PASTED_LENGTH:
            raise RunError("Too many rows for this field: choose a file instead.")
        else:
            rows = save_rows(form["rows"].encode("utf-8", "replace"), "", Path(own))
        if rows is None:
            raise RunError("No rows: paste some, or choose a file.")
        yield Given(action, service, templates, rows, draft, place, form.get("delay_ms", ""))


def _preview(site: Site, request: Request, name: str) -> Response:
    with _reading(site, request, name) as given:
        try:
            count, rows = given.rows.count(), given.rows.first(TRIED)
        except RunError as fault:
            return as_json({"status": "", "rows": [], "faults": {"rows": str(fault)}})
    trial = try_out(
        given.action,
        given.service,
        given.templates,
        rows,
        site.drafts.uploads(given.draft),
        given.place.base_url or NO_INSTANCE,
    )
    faults = dict(trial.faults)
    try:
        read_delay(given.delay)
    except RunError as fault:
        faults["delay_ms"] = str(fault).removeprefix("delay_ms: ")
    if not rows:
        faults["rows"] = "No rows yet."
    if given.place.fault:
        faults["connection"] = given.place.fault
    return as_json(
        {
            "status": _status(trial, count),
            "format": f"{FORMAT_NAMES[given.rows.format]}, {how_many(count)}",
            "faults": faults,
            "rows": [
                {"ok": not row.error, "html": site.renderer.page("tried_row.html", "../../", row=row)}
                for row in trial.rows
            ],
        }
    )


def _status(trial: Trial, count: int) -> str:
    tried = len(trial.rows)
    of = f"The first {tried} of {how_many(count)}" if tried < count else how_many(count).capitalize()
    parts = [f"{of}: {tried - trial.failed:,} can be sent" if tried else "No rows"]
    if trial.failed:
        parts.append(f"{trial.failed:,} cannot")
    if trial.stopped:
        parts.append("the others were not previewed within the time limit")
    return ", ".join(parts) + "."


def _rows_file(site: Site, request: Request, name: str) -> Response:
    """Save an uploaded file of rows, and map its columns; the header X-File-Name has its name.

    A file that cannot be read does not replace an earlier one. Raises RunError.
    """
    file_name = unquote(request.headers.get("X-File-Name", ""))
    content, folder = request.get_data(), site.drafts.folder(request.args.get("draft", ""))
    with TemporaryDirectory(dir=folder, ignore_cleanup_errors=True) as own:
        rows = save_rows(content, file_name, Path(own))
        count, columns = rows.count(), columns_of(rows.first(TRIED))
    if not count:
        raise RunError(f"{file_name}: has no rows.")
    save_rows(content, file_name, folder)
    mapped = map_columns(site.action(name), columns)
    return as_json(
        {
            "format": f"{FORMAT_NAMES[rows.format]}, {how_many(count)}",
            "columns": columns,
            "templates": templates_of(mapped),
            "mapped": ", ".join(f"{column} → {input}" for input, column in mapped.items()),
            "unmapped": ", ".join(column for column in columns if column not in mapped.values()),
        }
    )


def _upload(site: Site, request: Request, name: str) -> Response:
    """Save an uploaded file whose name rows contain as the value of an input."""
    file_name = unquote(request.headers.get("X-File-Name", ""))
    site.drafts.upload(request.args.get("draft", ""), file_name, request.get_data())
    return as_json({"name": file_name})


def _run(site: Site, request: Request, name: str) -> Response:
    with _reading(site, request, name) as given:
        count, place = given.rows.count(), given.place
        if not count:
            raise RunError("No rows to run.")
        if place.fault:
            raise RunError(place.fault)
        if place.read_only and given.action.effect != "read":
            raise RunError(f"{place.title} is read-only: it can run only actions that read.")
        asked = question(given.action, given.service, count, place.title, is_real=bool(place.name))
        if asked and not asked.is_answered(request.form.get("confirmed")):
            return ask(site, asked)
        run = site.control.start(
            given.action,
            given.service,
            given.templates,
            given.rows,
            place.name,
            read_delay(given.delay),
            site.drafts.uploads(given.draft),
            once_of(request),
        )
    return as_json({"location": f"/runs/{run}"})


def _job(site: Site, request: Request, name: str) -> Response:
    """Write the form's content as a job, and return its download URL."""
    with _reading(site, request, name) as given:
        if given.place.fault:
            raise RunError(given.place.fault)
        job = make_job(given.action, given.templates, given.rows, given.place.name, read_delay(given.delay))
        packed = pack_job(as_yaml(job), given.rows.path, site.drafts.uploads(given.draft))
        (site.drafts.folder(given.draft) / _PACKED).write_bytes(packed)
    return as_json({"location": f"job.zip?draft={given.draft}"})


def _job_file(site: Site, request: Request, name: str) -> Response:
    path = site.drafts.folder(request.args.get("draft", "")) / _PACKED
    if not path.is_file():
        raise NotFound
    return download(path.read_bytes(), f"{site.action(name).name}.zip", "application/zip")


ROUTES = (
    Route("/actions/<name>/try", _try),
    Route("/actions/<name>/preview", as_message(_preview), ("POST",)),
    Route("/actions/<name>/rows", as_message(_rows_file), ("POST",)),
    Route("/actions/<name>/upload", as_message(_upload), ("POST",)),
    Route("/actions/<name>/run", as_message(_run), ("POST",)),
    Route("/actions/<name>/job", as_message(_job), ("POST",)),
    Route("/actions/<name>/job.zip", _job_file),
)
