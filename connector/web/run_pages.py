"""The pages that list runs, show one run, and stop, resume or rerun it."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from io import BufferedReader
from math import inf
from pathlib import Path
from typing import Any

from werkzeug.exceptions import NotFound
from werkzeug.wrappers import Request, Response
from werkzeug.wsgi import wrap_file

from connector.catalog.service import Service
from connector.common.json_text import dumps
from connector.common.redaction import Redactor
from connector.common.user_folders import work_folder
from connector.errors import ConnectorError, RunError
from connector.files.output_formats import Format, extension_of, format_of
from connector.runs.record import Record, reason_of
from connector.runs.records import LatestRecords, find_by_id, latest_records
from connector.runs.run_stores import shared_envelopes
from connector.web.consent import question, question_of_steps
from connector.web.responses import as_message, ask, download, once_of
from connector.web.route import Route
from connector.web.runs.envelopes import Envelopes
from connector.web.runs.job_control import find_job_rerun
from connector.web.runs.job_files import JOB, pack_job
from connector.web.runs.job_view import JobView, job_id, make_job_view, step_ids
from connector.web.runs.pasted_rows import saved_rows
from connector.web.runs.row_view import make_row_view
from connector.web.runs.run_view import RunView, make_view, queues_work, view_of_started
from connector.web.site import Site

LISTED = 50
"""The number of runs per page of the list."""
FAILED_SHOWN = 25
"""The number of failed rows per page."""
LAST_SHOWN = 10
"""The number of latest envelopes on the page of a run."""

_MEDIA_TYPES: dict[Format, str] = {
    "jsonl": "application/jsonl",
    "json": "application/json",
    "csv": "text/csv",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "table": "text/plain",
}


def _runs(site: Site, request: Request) -> Response:
    page = max(1, request.args.get("page", 1, int))
    began = {id: started.began for id, started in site.control.all_started().items()}
    records, groups = _latest_groups(page * LISTED, began)
    unreadable = records.unreadable
    listed = [
        one
        for ids in groups[(page - 1) * LISTED : page * LISTED]
        for one in _listed(site, _with_all_steps(ids, records.by_id), records.by_id, unreadable)
    ]
    more = len(groups) > page * LISTED
    is_live = any((its.whole if isinstance(its, JobView) else its).is_live for its in listed)
    values: dict[str, Any] = {"runs": listed, "is_live": is_live, "page": page, "more": more}
    return site.page("runs.html", "", unreadable=unreadable, **values)


def _latest_groups(wanted: int, began: Mapping[str, float]) -> tuple[LatestRecords, list[list[str]]]:
    """Return the records that were read, and the ids of runs and of the steps of each job, latest first.

    More than `wanted` are returned if there are as many. `began` has the start times of runs that may have no
    record yet.
    """
    records, groups, certain = latest_records(), [], 0
    while certain <= wanted and records.complete_after != -inf:
        records.read(max(wanted + 1, len(records.by_id)))
        started = {**began, **{id: record.started for id, record in records.by_id.items()}}
        groups = _by_job(records.by_id, started)
        certain = sum(started[ids[0]] > records.complete_after for ids in groups)
    return records, groups


def _by_job(by_id: Mapping[str, Record], started: Mapping[str, float]) -> list[list[str]]:
    """Return the ids of runs and of the steps of each job, latest first."""
    groups: dict[str, list[str]] = {}
    for id in sorted(started, key=lambda id: -started[id]):
        groups.setdefault(job_id(by_id[id]) if id in by_id else id, []).append(id)
    return list(groups.values())


def _with_all_steps(ids: list[str], by_id: dict[str, Record]) -> list[str]:
    """Return the ids of a job's steps that have a record, and add the records that were not read yet."""
    record = by_id.get(ids[0])
    earlier = [id for id in step_ids(record) if id not in by_id] if record else []
    by_id |= {id: its for id in earlier if (its := find_by_id(id))}
    return ids + [id for id in earlier if id in by_id]


def _listed(
    site: Site, ids: Sequence[str], by_id: Mapping[str, Record], unreadable: list[str]
) -> list[RunView | JobView]:
    """Return a run, or the job of these steps; add the messages of runs that cannot be read."""
    views = {}
    for id in ids:
        try:
            views[id] = _view(site, id, by_id.get(id))
        except RunError as error:  # The other runs are still listed.
            unreadable.append(str(error))
    record = next((by_id[id] for id in views if id in by_id), None)
    if record and step_ids(record):
        return [make_job_view(record, views, max(by_id[id].ended or 0.0 for id in views if id in by_id))]
    return list(views.values())


def _run(site: Site, request: Request, id: str) -> Response:
    record = find_by_id(id)
    view = _view(site, id, record)
    code, after = request.args.get("code", ""), request.args.get("after", 0, int)
    rows: dict[str, Any] = {"last": [], "failed": None, "has_file": False}
    try:
        if record:
            rows = _rows(site, record, view, code, after)
    except RunError as error:  # The database cannot be used. The rest of the page is shown.
        view = replace(view, notes=[*view.notes, f"The rows cannot be read: {error}"])
    started = site.control.started(id)
    return site.page(
        "run.html",
        "../",
        run=view,
        job=_job_of(site, record),
        record=record,
        code=code,
        after=after,
        may_save=bool(record and _job_folder(record)),
        log=started.log_text() if started else "",
        **rows,
    )


def _rows(site: Site, record: Record, view: RunView, code: str, after: int) -> dict[str, Any]:
    """Return the rows that the page of a run shows, as values of its template. Raises RunError."""
    envelopes = _envelopes(site, record)
    return {
        "last": envelopes.last(LAST_SHOWN),
        "failed": envelopes.failed(FAILED_SHOWN, code, after) if view.failed else None,
        "has_file": envelopes.exist,
    }


def _job_of(site: Site, record: Record | None) -> JobView | None:
    """Return the job of a step; None for a run without steps."""
    ids = step_ids(record) if record else []
    records = {id: its for id in ids if (its := find_by_id(id))}
    listed = _listed(site, list(records), records, [])
    return next((one for one in listed if isinstance(one, JobView)), None)


def _row(site: Site, request: Request, id: str, row: int) -> Response:
    record = find_by_id(id)
    if record is None:
        raise NotFound
    view = make_row_view(record, row, _envelopes(site, record), _redactor(site, record))
    if not view.envelopes and view.data is None:
        raise NotFound
    may_try = view.data is not None and record.job.action in site.actions_by_name
    return site.page("row.html", "../../../", run=_view(site, id, record), row=view, may_try=may_try)


def _row_file(site: Site, request: Request, id: str, row: int) -> Response:
    """Return the envelopes of a row as a download, as they are shown."""
    record = find_by_id(id)
    found = list(_envelopes(site, record).of_row(row)) if record else []
    if record is None or not found:
        raise NotFound
    text = "".join(dumps(envelope) + "\n" for envelope in found)
    return download(text.encode(), f"{record.job.action}-row-{row}.jsonl", _MEDIA_TYPES["jsonl"])


def _view(site: Site, id: str, record: Record | None) -> RunView:
    """Return the view of a run, which may have no record yet. Raises NotFound, RunError."""
    started = site.control.started(id)
    is_older = record and started and (record.seen or record.started) < started.began
    if started and (record is None or (is_older and started.process.poll() is None)):
        view = view_of_started(id, started, site.actions_by_name)
        return replace(view, can_stop=site.control.may_stop(id, None))
    if record is None:
        raise NotFound
    try:
        return make_view(
            record,
            site.actions_by_name,
            _redactor(site, record),
            site.control.where(record),
            may_continue=site.control.may_continue(record),
            service=_service_title(site, record),
            can_stop=site.control.may_stop(id, record),
            is_stopping=site.control.is_stopping(id, record),
        )
    except (ConnectorError, OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        # The run's output cannot be accessed, or its record is damaged.
        raise RunError(f"{record.output}: this run cannot be read: {reason_of(error)}") from error


def _service(site: Site, record: Record) -> Service:
    return site.catalog.service(site.action(record.job.action).service)


def _service_title(site: Site, record: Record) -> str:
    return _service(site, record).title if record.job.action in site.actions_by_name else "the service"


def _redactor(site: Site, record: Record) -> Redactor:
    """Return a redactor that hides the service's secret fields, even if the run's output contains them."""
    if record.job.action in site.actions_by_name:
        return Redactor(members=_service(site, record).secrets)
    return Redactor()


def _envelopes(site: Site, record: Record) -> Envelopes:
    format = format_of(str(record.output), record.job.output_format)
    action = site.actions_by_name.get(record.job.action)
    accepted = action is not None and queues_work(action, record.job, is_over=record.ended is not None)
    return Envelopes(
        *(record.output, format, _redactor(site, record)),
        accepted=accepted,
        began=record.started,
        shared=partial(shared_envelopes, record.job.state, record.run_id),
    )


def _file(site: Site, request: Request, id: str) -> Response:
    """Return a run's envelopes as a download; while the run is in progress, those written so far."""
    record = find_by_id(id)
    if record is None:
        raise NotFound
    envelopes = _envelopes(site, record)
    if not envelopes.exist:
        raise NotFound
    try:
        file = envelopes.open()
    except OSError:
        raise NotFound from None
    content = wrap_file(request.environ, file) if isinstance(file, BufferedReader) else file
    name = f"{record.job.action}.{extension_of(envelopes.format)}"
    return download(content, name, _MEDIA_TYPES[envelopes.format])


def _job_folder(record: Record) -> Path | None:
    """Return the folder with the job and rows of a run started from a page; None for other runs."""
    folder = record.output.parent
    is_ours = folder.parent == work_folder() and (folder / JOB).is_file() and not record.rerun_of
    return folder if is_ours else None


def _job_file(site: Site, request: Request, id: str) -> Response:
    """Return a run's job and rows as a ZIP archive."""
    record = _known(id)
    folder = _job_folder(record)
    rows = saved_rows(folder) if folder else None
    if folder is None or rows is None:
        raise NotFound
    packed = pack_job((folder / JOB).read_text(encoding="utf-8"), rows.path, folder / "uploads")
    return download(packed, f"{record.job.action}.zip", "application/zip")


def _rerun(site: Site, request: Request, id: str) -> Response:
    record = _known(id)
    view = _view(site, id, record)
    if not view.rerunnable:
        raise RunError("None of this run's failed rows can be retried.")
    return _begin(site, request, record, view.rerunnable, site.control.rerun)


def _rerun_job(site: Site, request: Request, id: str) -> Response:
    """Rerun the failed rows of the job of a step, or resume such a rerun."""
    record = _known(id)
    rerun = find_job_rerun(record)
    actions = [site.action(step.action) for step in rerun.steps]
    services = [site.catalog.service(action.service) for action in actions]
    where, is_real = site.control.where(record), not site.control.is_in_sandbox(record)
    changes = list(zip(actions, services, strict=True))
    asked = question_of_steps(rerun.folder.name, changes, rerun.rows, where, is_real=is_real)
    if asked and not asked.is_answered(request.form.get("confirmed")):
        return ask(site, asked)
    run = site.control.rerun_job(record, rerun, _service(site, record), once_of(request))
    return Response(json.dumps({"location": f"/runs/{run}"}), mimetype="application/json")


def _resume(site: Site, request: Request, id: str) -> Response:
    record = _known(id)
    view = _view(site, id, record)
    if not view.can_resume:
        raise RunError(
            "This run cannot be resumed: it is running, has finished, or its partial output was deleted."
        )
    if record.rerun_of and record.job.step_outputs:
        return _rerun_job(site, request, id)
    total = view.total
    if total is None:
        total = record.job.selection.rows(record.job.source()).count() or 0
    return _begin(site, request, record, max(0, total - view.done), site.control.resume)


def _begin(
    site: Site, request: Request, record: Record, rows: int, start: Callable[[Record, Service, str], str]
) -> Response:
    """Start a rerun or resume a run, or return the confirmation dialog if it is not confirmed yet."""
    where = site.control.where(record)
    is_real = not site.control.is_in_sandbox(record)
    asked = question(site.action(record.job.action), _service(site, record), rows, where, is_real=is_real)
    if asked and not asked.is_answered(request.form.get("confirmed")):
        return ask(site, asked)
    run = start(record, _service(site, record), once_of(request))
    return Response(json.dumps({"location": f"/runs/{run}"}), mimetype="application/json")


def _stop(site: Site, request: Request, id: str) -> Response:
    site.control.stop(id, find_by_id(id))
    return Response(json.dumps({"location": f"/runs/{id}"}), mimetype="application/json")


def _known(id: str) -> Record:
    record = find_by_id(id)
    if record is None:
        raise RunError("The record of this run no longer exists.")
    return record


ROUTES = (
    Route("/runs", _runs),
    Route("/runs/<id>", _run),
    Route("/runs/<id>/envelopes", _file),
    Route("/runs/<id>/rows/<int:row>", _row),
    Route("/runs/<id>/rows/<int:row>/envelopes", _row_file),
    Route("/runs/<id>/job.zip", _job_file),
    Route("/runs/<id>/rerun", as_message(_rerun), ("POST",)),
    Route("/runs/<id>/rerun-job", as_message(_rerun_job), ("POST",)),
    Route("/runs/<id>/resume", as_message(_resume), ("POST",)),
    Route("/runs/<id>/stop", as_message(_stop), ("POST",)),
)
