"""The page where the templates of a sync's fields are edited and tried on a sample of real devices."""

from __future__ import annotations

from werkzeug.wrappers import Request, Response

from connector.common.plurals import counted
from connector.errors import ConnectorError, RunError
from connector.sync.sample import Sample, load_sample
from connector.web.responses import as_json, as_message, once_of
from connector.web.route import Route
from connector.web.site import Site
from connector.web.sync_pages import show, sync_of
from connector.web.syncs.fields import WHEN, FieldInput, FieldTrial, inputs_of, names_of, try_fields
from connector.web.syncs.folders import SyncFolder

SAMPLED = 20
"""The number of devices in the sample."""
MAX_FIELDS, MAX_LENGTH = 500, 20_000
"""The limits of the form: the number of its fields, and the length of each template in characters."""
SAMPLE = "sample.json"


def _fields(site: Site, request: Request, name: str) -> Response:
    sync = sync_of(site, name)
    inputs: list[FieldInput] = []
    sample, fault = None, ""
    try:
        inputs = inputs_of(sync.mapping())
        sample = _sample(site, sync)
    except ConnectorError as error:
        fault = str(error)
    return show(
        site,
        sync,
        "fields",
        inputs=inputs,
        sample=sample,
        target_fields=names_of(sample),
        when=WHEN,
        command=site.sync_commands.last(sync, "sample"),
        fault=fault,
        sampled=SAMPLED,
    )


def _sample(site: Site, sync: SyncFolder) -> Sample | None:
    """Return the sample of devices that was read last, or None if none was read yet."""
    command = site.sync_commands.last(sync, "sample")
    path = command.log.parent / SAMPLE if command else None
    return load_sample(path) if path and path.is_file() else None


def _read(site: Site, request: Request, name: str) -> Response:
    sync = sync_of(site, name)
    options = ["--count", str(SAMPLED), "--output", SAMPLE]
    site.sync_commands.start(sync, "sample", "", options, once_of(request))
    return as_json({"location": f"/sync/{sync.url_name}/fields"})


def _preview(site: Site, request: Request, name: str) -> Response:
    sync = sync_of(site, name)
    sample = _sample(site, sync)
    if sample is None:
        raise RunError("No devices have been read yet.")
    devices = sync.mapping().devices
    trial = try_fields(_given(request), sample, devices.create_fields if devices else {})
    page = site.renderer.page
    return as_json(
        {
            "status": _status(trial, sample),
            "faults": dict(trial.faults),
            "notes": dict(trial.notes),
            "rows": [page("sync_field_row.html", "../../", row=row) for row in trial.rows],
            "text": page("sync_field_text.html", "../../", text=trial.text),
        }
    )


def _given(request: Request) -> list[FieldInput]:
    """Return the fields of the form that have a key or a template. Raises RunError."""
    form = request.form
    columns = [form.getlist(column) for column in ("key", "template", "when", "clear")]
    if len({len(column) for column in columns}) != 1 or len(columns[0]) > MAX_FIELDS:
        raise RunError("The form is not complete: reload the page.")
    inputs = []
    for key, template, when, clear in zip(*columns, strict=True):
        if len(template) > MAX_LENGTH:
            raise RunError(f"A template can have at most {MAX_LENGTH:,} characters.")
        if key.strip() and template.strip():
            inputs.append(FieldInput(key.strip(), template, when if when in WHEN else WHEN[0], clear == "1"))
    return inputs


def _status(trial: FieldTrial, sample: Sample) -> str:
    wrong = sum(bool(row.problems) for row in trial.rows)
    text = f"{counted(len(trial.rows), 'device')}: {len(trial.rows) - wrong:,} without errors"
    text += f", {wrong:,} with errors" if wrong else ""
    if trial.faults:
        text += f"; {counted(len(trial.faults), 'field')} cannot be used"
    if trial.stopped:
        text += f"; {len(sample.rows) - len(trial.rows):,} more were not tried within the time limit"
    return text + "."


ROUTES = (
    Route("/sync/<name>/fields", _fields),
    Route("/sync/<name>/fields/read", as_message(_read), ("POST",)),
    Route("/sync/<name>/fields/preview", as_message(_preview), ("POST",)),
)
