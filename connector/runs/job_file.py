"""Reads job files: a single run, or steps. See `job.py` for what they contain."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple, get_args

from connector.catalog.declaration import Section, load_declaration
from connector.common import strict_yaml
from connector.common.clock import SystemClock
from connector.connections.settings import is_file
from connector.errors import RunError, nearest
from connector.files import output_formats, read_options
from connector.runs import expected_rows, selection
from connector.runs.connection_choice import read_allowed
from connector.runs.file_names import FileNames, read_variables
from connector.runs.job import (
    MAX_CONCURRENT,
    MIN_DELAY_MS,
    NO_INPUT,
    STREAM,
    DelayMs,
    Job,
    OutputExists,
)
from connector.runs.wait_time import DEFAULT_TIMEOUT, read_timeout
from connector.state.setting import check_state
from connector.templating.scope import is_template

SHARED = (
    "connection",
    "connections",
    "allow_connections",
    "delay_ms",
    "min_delay_ms",
    "concurrency",
    "on_error",
    "max_errors",
    "fsync",
    "timezone",
    "times",
    "with_names",
    "empty",
    "uploads",
    "files",
    "reveal_secrets",
    "read_only",
    "audit",
    "wait_s",
)
"""Settings at the top of a job file that apply to all steps."""
_OF_INPUT = (*read_options.NAMES, *selection.NAMES)
ONCE = (*expected_rows.NAMES, "vars", "summary", "output_exists", "state", "notify")
"""Settings that are only at the top of a job file."""
_FOR_ALL_STEPS = (*SHARED, *ONCE, "input", "input_format", *_OF_INPUT, "output")
_OF_STREAM = ("output_format", "bom", "results", "errors")
"""Settings that apply to the last step of a job whose output is standard output."""
_STEP_NAME = re.compile(r"(?!row$)[a-z][a-z0-9_]*")


def load_job(path: Path) -> Job:
    """Return the job of a job file without steps; see `load_jobs`. Raises RunError."""
    job, *more = load_jobs(path)
    if job.step or more:
        raise RunError(f"{path}: a job with steps is not supported here")
    return job


def load_jobs(
    path: Path,
    given: Mapping[str, Any] | None = None,
    now: float | None = None,
    spare: Callable[[], Path] | None = None,
) -> tuple[Job, ...]:
    """Return the jobs of a job file: one, or one per step. Paths in it are relative to its folder.

    `given` overrides settings of the file by field name, and templates one by one. In a job with steps, only
    the input, the output folder and the shared settings can be overridden. Names of files are rendered with
    the start time `now`. If the output of a job with steps is standard output, it gets the rows of the last
    step; the other steps write to the job's output folder, or without one to the folder that `spare` returns.
    Raises RunError with file and line.
    """
    given = given or {}
    top = load_declaration(path)
    variables = {**read_variables(top), **given.get("vars", {})}
    zone = given.get("timezone") or top.text("timezone", "")
    names = FileNames(variables, SystemClock().now() if now is None else now, zone)
    given = {**names.render_all(given), "vars": variables}
    place = _Place(path.parent, names)
    base = Job(action="", input=NO_INPUT, uploads=path.parent, **_read_once(top, place))
    if "notify" in top.data:
        from connector.runs.notify_settings import read_notify  # imported only if it is used

        read_notify(top)  # checked here, and used by the command
    jobs = (
        _read_steps(top, place, base, given, spare)
        if "steps" in top.data
        else (_read_single(top, place, base, given),)
    )
    named_at = names.now if names.is_used else None
    outputs = tuple(job.output for job in jobs if job.step)
    return tuple(replace(job, named_at=named_at, step_outputs=outputs) for job in jobs)


class _Place(NamedTuple):
    """The folder of a job file, and the renderer of names of files in it."""

    folder: Path
    names: FileNames

    def path(self, part: Section, key: str) -> str | None:
        """Return the path of an entry, or None without it. Raises DeclarationError."""
        return self.names.path(part, key, self.folder)

    def folder_or_file(self, part: Section, key: str, default: Path | None) -> Any:
        """Return the path of an entry, or the default without it. Raises DeclarationError."""
        path = self.path(part, key)
        return default if path is None else Path(path)


def _read_once(top: Section, place: _Place) -> dict[str, Any]:
    """Return the settings that are only at the top of a job file."""
    return {
        **expected_rows.read_settings(top),
        "summary": place.folder_or_file(top, "summary", None),
        "state": _read_state(top),
        "output_exists": top.one_of("output_exists", get_args(OutputExists), "fail"),
    }


def _read_state(top: Section) -> str:
    """Return the URL of the database with the state of the runs; empty without the setting."""
    given = top.text("state", "")
    try:
        return check_state(given) if given else ""
    except RunError as error:
        raise top.fault(str(error).removeprefix("state: "), "state") from None


def _read_single(top: Section, place: _Place, base: Job, given: Mapping[str, Any]) -> Job:
    job = _read_run(top, place, base)
    job = replace(job, output=place.path(top, "output") or STREAM)
    top.finish()
    return replace(job, **{**given, "templates": {**job.templates, **given.get("templates", {})}})


def _read_steps(
    top: Section, place: _Place, base: Job, given: Mapping[str, Any], spare: Callable[[], Path] | None
) -> tuple[Job, ...]:
    own = place.path(top, "output")
    output = given.get("output", own)
    of_stream = {name: given[name] for name in _OF_STREAM if output == STREAM and name in given}
    given = {name: value for name, value in given.items() if name not in of_stream}
    if name := next((name for name in given if name not in _FOR_ALL_STEPS), None):
        raise RunError(f"{top.path}: the job has steps, and {name} is a setting of each step")
    folder = output if output != STREAM else own if own != STREAM else None
    if folder is None and output == STREAM and spare:
        folder = str(spare())
    shared = replace(_read_shared(top, place, base), **given)
    in_all = {name: value for name, value in given.items() if name in SHARED}
    parts = list(top.each("steps"))
    if not parts:
        raise top.fault("the list of steps is empty", "steps")
    top.finish()
    followed = {_followed(part) for part in parts}
    steps: list[Job] = []
    for part in parts:
        step = _read_step(part, place, shared, steps)
        step = replace(step, output=_step_output(part, place, step, folder), **in_all)
        if output == STREAM and part is parts[-1]:
            step = replace(step, output=STREAM, **of_stream)
        if step.step in followed:
            step = _feeding(part, step)
        if same := next((s.step for s in steps if Path(s.output) == Path(step.output)), None):
            raise part.fault(f'the step has the same output as the step "{same}"')
        if step.input == STREAM and any(s.input == STREAM for s in steps):
            raise part.fault("another step already reads standard input", "input")
        part.finish()
        steps.append(step)
    return tuple(steps)


def _read_step(part: Section, place: _Place, shared: Job, earlier: list[Job]) -> Job:
    name = part.text("name")
    if not _STEP_NAME.fullmatch(name):
        raise part.fault(
            f'"{name}" is not a valid step name: use snake_case, because templates use it as a variable name',
            "name",
        )
    if any(step.step == name for step in earlier):
        raise part.fault(f'"{name}" is also the name of an earlier step', "name")
    step = _read_run(part, place, replace(shared, step=name))
    if isinstance(part.data.get("input"), dict):
        return _following(part.section("input"), step, earlier)
    return step


def _following(part: Section, step: Job, earlier: list[Job]) -> Job:
    """Return a step with the output of an earlier step as its input."""
    name, only = part.text("step"), part.text("only", "")
    part.finish()
    known = {other.step: other for other in earlier}
    if name not in known:
        raise part.fault(f'no earlier step is named "{name}"{nearest(name, known)}', "step")
    source = known[name]
    format = output_formats.format_of(source.output, source.output_format)
    options: dict[str, Any] = dict.fromkeys(_OF_INPUT)
    return replace(step, input=source.output, input_format=format, follows=name, only=only, **options)


def _followed(part: Section) -> str:
    """Return the name of the step in a step's `input`, unchecked; empty if the input is not a step."""
    data = part.data.get("input")
    return str(data.get("step")) if isinstance(data, dict) else ""


def _feeding(part: Section, step: Job) -> Job:
    """Return a step whose output is another step's input; its `keep_row` defaults to true."""
    if not step.output_form.has_envelopes:
        raise part.fault(
            "a later step reads its output, so it must be JSON Lines or JSON, with the envelopes"
        )
    return replace(step, keep_row=part.value("keep_row", bool, True))


def _step_output(part: Section, place: _Place, step: Job, folder: str | None) -> str:
    """Return a step's output file: its `output`, or NAME.jsonl in the job's output folder."""
    own = place.path(part, "output")
    if own == STREAM:
        raise part.fault("the output of a step must be a file", "output")
    if own is not None:
        return own
    if folder is None:
        raise part.fault(
            'the step has no output: add "output: FOLDER" at the top, or "output: FILE" to the step'
        )
    extension = output_formats.extension_of(output_formats.format_of("", step.output_format))
    return str(Path(folder) / f"{step.step}.{extension}")


def _read_run(part: Section, place: _Place, base: Job) -> Job:
    """Return the settings of a run without its output; missing ones are taken from `base`."""
    return replace(
        _read_shared(part, place, base),
        action=part.text("action"),
        templates=_read_data(part, "templates"),
        match_fields=part.value("match_fields", bool, False),
        output_format=part.one_of("output_format", output_formats.FORMATS, None),
        bom=part.value("bom", bool, False),
        results=part.value("results", bool, False),
        errors=place.folder_or_file(part, "errors", None),
        rows=part.one_of("rows", ("one", "each"), "one"),
        keep_row=part.value("keep_row", bool, False),
        distinct=part.text("distinct", ""),
    )


def _read_shared(part: Section, place: _Place, base: Job) -> Job:
    """Return the settings that can be in a step and at the top of a job with steps."""
    concurrency = part.value("concurrency", int, base.concurrency)
    if not 1 <= concurrency <= MAX_CONCURRENT:
        raise part.fault(f"1 to {MAX_CONCURRENT} rows can run in parallel", "concurrency")
    max_errors = part.value("max_errors", int, base.max_errors)
    if max_errors is not None and max_errors < 0:
        raise part.fault("the number of rows cannot be negative", "max_errors")
    job = replace(
        base,
        **_read_connection(part, place.folder, base),
        delay_ms=_read_delay(part, base.delay_ms),
        min_delay_ms=_read_least(part, base.min_delay_ms),
        concurrency=concurrency,
        on_error=part.one_of("on_error", ("continue", "stop"), base.on_error),
        max_errors=max_errors,
        wait_s=_read_wait(part, base.wait_s),
        fsync=part.value("fsync", bool, base.fsync),
        timezone=part.text("timezone", base.timezone),
        times=part.one_of("times", ("epoch", "iso"), base.times),
        empty=part.one_of("empty", ("omit", "send"), base.empty),
        with_names=_read_kinds(part, base.with_names),
        uploads=place.folder_or_file(part, "uploads", base.uploads),
        files=place.folder_or_file(part, "files", base.files),
        reveal_secrets=part.value("reveal_secrets", bool, base.reveal_secrets),
        read_only=part.value("read_only", bool, base.read_only),
        audit=place.folder_or_file(part, "audit", base.audit),
    )
    return _read_input(part, place, job)


def _read_delay(part: Section, default: DelayMs | None) -> DelayMs | None:
    if part.data.get("delay_ms") == "auto":
        return part.one_of("delay_ms", ("auto",))  # type: ignore[no-any-return]
    delay_ms: DelayMs | None = part.value("delay_ms", (int, float), default)
    if isinstance(delay_ms, (int, float)) and delay_ms < 0:
        raise part.fault("the delay cannot be negative", "delay_ms")
    return delay_ms


def _read_least(part: Section, default: float | None) -> float | None:
    least_ms: float | None = part.value("min_delay_ms", (int, float), default)
    if least_ms is not None and least_ms < MIN_DELAY_MS:
        raise part.fault(f"the shortest delay must be at least {MIN_DELAY_MS:g} ms", "min_delay_ms")
    return least_ms


def _read_wait(part: Section, default: float | None) -> float | None:
    """Return the time to wait for the end of queued work, in seconds; None means not to wait."""
    given = part.value("wait", (bool, int, str), None)
    if given is None or given is False:
        return default if given is None else None
    try:
        return read_timeout(DEFAULT_TIMEOUT if given is True else str(given))
    except RunError as error:
        raise part.fault(str(error), "wait") from None


def _read_kinds(part: Section, default: str) -> str:
    """Return the `with_names` of a job or step, a list or a text, as text."""
    is_list = isinstance(part.data.get("with_names"), list)
    return ",".join(part.texts("with_names")) if is_list else str(part.text("with_names", default))


def _read_connection(part: Section, folder: Path, base: Job) -> dict[str, Any]:
    """Return a job's connection settings: one connection, one per service, or a template for each row."""
    try:
        allowed: Mapping[str, str] = read_allowed(part.texts("allow_connections"), folder)
    except RunError as error:
        raise part.fault(str(error), "allow_connections") from error
    connection = part.value("connection", (str, dict), None)
    if connection is None:
        found = {"connection": base.connection, "connections": base.connections}
        return {**found, "allow_connections": allowed or base.allow_connections}
    if isinstance(connection, dict):
        section = part.section("connection")
        named = {service: _placed(section.text(service), folder) for service in section.data}
        return {"connection": None, "connections": named, "allow_connections": allowed}
    if is_template(connection):
        allowed = allowed or base.allow_connections
    return {"connection": _placed(connection, folder), "connections": {}, "allow_connections": allowed}


def _placed(connection: str, folder: Path) -> str:
    """Return a connection file's path relative to the current folder; a name or a template unchanged."""
    return str(folder / connection) if is_file(connection) and not is_template(connection) else connection


def _read_input(part: Section, place: _Place, base: Job) -> Job:
    """Return the job with the `input` of its file or step; unchanged if its input is an earlier step."""
    if base.step and isinstance(part.data.get("input"), dict):
        return base
    path = place.path(part, "input")
    before = base if path is None else Job(action="", input=path)
    texts = ("delimiter", "encoding", "records")
    options: dict[str, Any] = {key: part.text(key, getattr(before, key)) for key in texts}
    sheet = part.value("sheet", (str, int), before.sheet)
    return replace(
        base,
        input=before.input,
        input_format=part.one_of("input_format", read_options.FORMATS, before.input_format),
        sheet=None if sheet is None else str(sheet),
        **options,
    )


def is_job(name: str) -> bool:
    """Return whether a command-line argument is the path of a job file, not the name of an action."""
    return name.lower().endswith((".yaml", ".yml"))


def read_templates(path: Path) -> dict[str, Any]:
    """Return the templates in a YAML file, keyed by input name. Raises RunError."""
    templates = strict_yaml.load(path)
    if not isinstance(templates, dict):
        raise RunError(f"{path}: expected a mapping of input names to templates")
    return dict(strict_yaml.load_data(path))


def _read_data(part: Section, key: str) -> dict[str, Any]:
    """Return the mapping at a key, in which words such as NO and on are text; empty without the key."""
    return strict_yaml.load_data(part.path, (*part.at, key)) if part.mapping(key) else {}
