"""Jobs: the settings of a run, from a YAML file (`schemas/job.schema.json`) or the command line.

A job file describes one run, or with `steps` an ordered list of runs:

    connection: production          # settings at the top (connection, input, delay_ms, concurrency,
    input: customers.csv            # on_error, ...) are defaults for all steps
    output: onboarding              # the folder in which step NAME writes NAME.jsonl
    steps:
      - name: organization          # every step has a name, and the keys of a single run
        action: create_organization
        templates: {name: "{{ customer }}"}
      - name: location
        action: list_organization_locations
        input: {step: organization} # its rows are the results of an earlier step
        rows: each
        templates: {organization_id: "{{ organization.id }}"}
      - name: installer
        action: generate_installer
        input: {step: location, only: "{{ location.name != 'Warehouse' }}"}
        on_error: stop              # start no further row or step after a row has failed; default: continue
        templates: {...}

See `step_rows.py` for the rows of a step that follows another one.

**Tenants.** If rows belong to several accounts (tenants), a template selects the connection of each row. It
can only select connections listed in `allow_connections` (names or files); a row that selects any other gets
an error and sends nothing:

    connection: "{{ tenant }}"
    allow_connections: [acme, globex]

Tenants run in parallel, each with a separate sign-in and delay, and each with `concurrency` rows in parallel;
envelopes are still written in the order of the rows. Errors are counted over all tenants. Without `output`,
results are printed at the end. A step with a `connection` setting uses that connection for all of its rows.

**Services.** Steps of different services have different connections: a mapping names one for each service,
and a service that it does not name has its default one:

    connection: {acme: acme-eu, globex: globex-test}

**Errors.** With `on_error: stop` no further row and no later step is started after the first failed row. Rows
in progress (`concurrency` at most) are finished and written, and `--resume` continues after them, without the
rows that failed. `max_errors: N` does the same after more than N failed rows of a run, so `max_errors: 0` is
the same as `on_error: stop`; if both are given, `stop` applies. A failed row is one whose last envelope is an
error. A resumed run counts failed rows from 0 again.

**Expected rows.** `max_rows: 20` and `expect_rows: 10-20`: see `expected_rows.py`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

from connector.catalog.declaration import Section, load_declaration
from connector.connections.settings import is_file
from connector.errors import RunError, nearest
from connector.files import output, read_options
from connector.files.read_options import ReadOptions
from connector.files.readers import RowSource
from connector.invocation.invoke import ResultMode
from connector.runs import expected_rows, selection
from connector.runs.tenant_split import is_template, read_allowed

STREAM = "-"
"""The name of standard input and standard output."""

OnError = Literal["continue", "stop"]
"""Whether a run continues or stops after a row has failed."""

Empty = Literal["omit", "send"]
"""Whether an empty text of a row is omitted from the request, or sent."""

MOST_CONCURRENT = 256
"""The maximum number of rows in parallel."""

SHARED = (
    "connection",
    "connections",
    "allow_connections",
    "delay_ms",
    "concurrency",
    "on_error",
    "max_errors",
    "fsync",
    "uploads",
    "files",
    "reveal_secrets",
    "read_only",
    "audit",
)
"""Settings at the top of a job file that apply to all steps."""
_OF_INPUT = (*read_options.NAMES, *selection.NAMES)
_FOR_ALL_STEPS = (*SHARED, *expected_rows.NAMES, "input", "input_format", *_OF_INPUT, "output")
_STEP_NAME = re.compile(r"(?!row$)[a-z][a-z0-9_]*")


@dataclass(frozen=True)
class Job:
    """The settings of one run.

    Paths are as given. `delay_ms` None means the action's default, `max_errors` None means no limit.
    `connections` has a connection per service, and replaces `connection` if steps use several services.
    `allow_connections` maps each value that a connection template can return to a connection's name or file.

    The last three fields are for steps. The `input` of a step that follows another is the other's output.
    """

    action: str
    connection: str | None = None
    connections: Mapping[str, str] = field(default_factory=dict)
    allow_connections: Mapping[str, str] = field(default_factory=dict)
    templates: Mapping[str, Any] = field(default_factory=dict)
    match_fields: bool = False
    empty: Empty = "omit"
    input: str = STREAM
    input_format: str | None = None
    delimiter: str | None = None
    encoding: str | None = None
    sheet: str | None = None
    records: str | None = None
    output: str = STREAM
    output_format: str | None = None
    bom: bool = False
    delay_ms: float | None = None
    rows: ResultMode = "one"
    keep_row: bool = False
    uploads: Path = Path()
    files: Path | None = None
    reveal_secrets: bool = False
    read_only: bool = False
    audit: Path | None = None
    concurrency: int = 1
    on_error: OnError = "continue"
    max_errors: int | None = None
    max_rows: int | None = None
    expect_rows: str | None = None
    limit: int | None = None
    offset: int | None = None
    sample: int | None = None
    fsync: bool = False
    step: str = ""
    follows: str = ""
    only: str = ""

    @property
    def errors_allowed(self) -> int | None:
        """The number of failed rows after which no further row is started; None means no limit."""
        return 0 if self.on_error == "stop" else self.max_errors

    @property
    def read_options(self) -> ReadOptions:
        """The options for reading the input, such as its delimiter and encoding."""
        return ReadOptions(self.delimiter, self.encoding, self.sheet, self.records)

    def source(self) -> RowSource:
        """Return the rows of the input. Raises RunError."""
        return RowSource(self.input, self.input_format, options=self.read_options)

    @property
    def selection(self) -> selection.Selection:
        """The rows of the input that are run."""
        return selection.Selection(self.limit, self.offset, self.sample)

    @property
    def label(self) -> str:
        """The run's name in messages."""
        return f"{self.step} ({self.action})" if self.step else self.action


def load_job(path: Path) -> Job:
    """Return the job of a job file without steps; see `load_jobs`. Raises RunError."""
    job, *more = load_jobs(path)
    if job.step or more:
        raise RunError(f"{path}: a job with steps is not supported here")
    return job


def load_jobs(path: Path, given: Mapping[str, Any] | None = None) -> tuple[Job, ...]:
    """Return the jobs of a job file: one, or one per step. Paths in it are relative to its folder.

    `given` overrides settings of the file by field name, and templates one by one. In a job with steps, only
    the input, the output folder and the shared settings can be overridden. Raises RunError with file and
    line.
    """
    given = given or {}
    top = load_declaration(path)
    if "steps" in top.data:
        return _read_steps(top, path.parent, given)
    job = _read_run(top, path.parent, Job(action="", uploads=path.parent, **expected_rows.read_settings(top)))
    job = replace(job, output=_below(path.parent, top.text("output", STREAM)))
    top.finish()
    return (replace(job, **{**given, "templates": {**job.templates, **given.get("templates", {})}}),)


def _read_steps(top: Section, folder: Path, given: Mapping[str, Any]) -> tuple[Job, ...]:
    if name := next((name for name in given if name not in _FOR_ALL_STEPS), None):
        raise RunError(f"{top.path}: the job has steps, and {name} is a setting of each step")
    shared = Job(action="", uploads=folder, **expected_rows.read_settings(top))
    shared = replace(_read_shared(top, folder, shared), **given)
    outputs = top.text("output", None)
    outputs = given.get("output", None if outputs is None else str(folder / outputs))
    in_all = {name: value for name, value in given.items() if name in SHARED}
    parts = list(top.each("steps"))
    if not parts:
        raise top.fault("the list of steps is empty", "steps")
    top.finish()
    followed = {_followed(part) for part in parts}
    steps: list[Job] = []
    for part in parts:
        step = _read_step(part, folder, shared, steps)
        step = replace(step, output=_step_output(part, folder, step, outputs), **in_all)
        if step.step in followed:
            step = _feeding(part, step)
        if same := next((s.step for s in steps if Path(s.output) == Path(step.output)), None):
            raise part.fault(f'the step has the same output as the step "{same}"')
        if step.input == STREAM and any(s.input == STREAM for s in steps):
            raise part.fault("the step has no input, and another step already reads standard input")
        part.finish()
        steps.append(step)
    return tuple(steps)


def _read_step(part: Section, folder: Path, shared: Job, earlier: list[Job]) -> Job:
    name = part.text("name")
    if not _STEP_NAME.fullmatch(name):
        raise part.fault(
            f'"{name}" is not a valid step name: use snake_case, because templates use it as a variable name',
            "name",
        )
    if any(step.step == name for step in earlier):
        raise part.fault(f'"{name}" is also the name of an earlier step', "name")
    step = _read_run(part, folder, replace(shared, step=name))
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
    format = output.format_of(source.output, source.output_format)
    options: dict[str, Any] = dict.fromkeys(_OF_INPUT)
    return replace(step, input=source.output, input_format=format, follows=name, only=only, **options)


def _followed(part: Section) -> str:
    """Return the unchecked name of the step that a step follows, or an empty string."""
    data = part.data.get("input")
    return str(data.get("step")) if isinstance(data, dict) else ""


def _feeding(part: Section, step: Job) -> Job:
    """Return a step that another one follows, with `keep_row` true by default."""
    if output.format_of(step.output, step.output_format) == "csv":
        raise part.fault("a later step reads its output, so it must be JSON Lines or JSON, not CSV")
    return replace(step, keep_row=part.value("keep_row", bool, True))


def _step_output(part: Section, folder: Path, step: Job, outputs: str | None) -> str:
    """Return a step's output file: its `output`, or NAME.jsonl in the job's output folder."""
    own = part.text("output", None)
    if own == STREAM:
        raise part.fault("the output of a step must be a file", "output")
    if own is not None:
        return str(folder / own)
    if outputs is None:
        raise part.fault(
            'the step has no output: add "output: FOLDER" at the top, or "output: FILE" to the step'
        )
    return str(Path(outputs) / f"{step.step}.{step.output_format or 'jsonl'}")


def _read_run(part: Section, folder: Path, base: Job) -> Job:
    """Return the settings of a run without its output; missing ones are taken from `base`."""
    return replace(
        _read_shared(part, folder, base),
        action=part.text("action"),
        templates=part.mapping("templates"),
        match_fields=part.value("match_fields", bool, False),
        empty=part.one_of("empty", ("omit", "send"), "omit"),
        output_format=part.one_of("output_format", output.FORMATS, None),
        bom=part.value("bom", bool, False),
        rows=part.one_of("rows", ("one", "each"), "one"),
        keep_row=part.value("keep_row", bool, False),
    )


def _read_shared(part: Section, folder: Path, base: Job) -> Job:
    """Return the settings that can also be at the top of a job with steps."""

    def below(key: str, default: Path | None) -> Any:
        name = part.text(key, None)
        return default if name is None else folder / name

    delay_ms = part.value("delay_ms", (int, float), base.delay_ms)
    if delay_ms is not None and delay_ms < 0:
        raise part.fault("the delay cannot be negative", "delay_ms")
    concurrency = part.value("concurrency", int, base.concurrency)
    if not 1 <= concurrency <= MOST_CONCURRENT:
        raise part.fault(f"1 to {MOST_CONCURRENT} rows can run in parallel", "concurrency")
    max_errors = part.value("max_errors", int, base.max_errors)
    if max_errors is not None and max_errors < 0:
        raise part.fault("the number of rows cannot be negative", "max_errors")
    job = replace(
        base,
        **_read_connection(part, folder, base),
        delay_ms=delay_ms,
        concurrency=concurrency,
        on_error=part.one_of("on_error", ("continue", "stop"), base.on_error),
        max_errors=max_errors,
        fsync=part.value("fsync", bool, base.fsync),
        uploads=below("uploads", base.uploads),
        files=below("files", base.files),
        reveal_secrets=part.value("reveal_secrets", bool, base.reveal_secrets),
        read_only=part.value("read_only", bool, base.read_only),
        audit=below("audit", base.audit),
    )
    return _read_input(part, folder, job)


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
    """Return a connection's file as it is seen from here; a name or a template as it is."""
    return str(folder / connection) if is_file(connection) and not is_template(connection) else connection


def of_service(job: Job, service: str) -> Job:
    """Return a job with the connection that it has for a service; without one, the service's default."""
    if not job.connections:
        return job
    connection = job.connections.get(service)
    allowed = job.allow_connections if is_template(connection) else {}
    return replace(job, connection=connection, connections={}, allow_connections=allowed)


def _read_input(part: Section, folder: Path, base: Job) -> Job:
    """Return the job with its input and how to read it; unchanged if its input is an earlier step."""
    if base.step and isinstance(part.data.get("input"), dict):
        return base
    name = part.text("input", None)
    before = base if name is None else Job(action="", input=_below(folder, name))
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


def _below(folder: Path, name: str) -> str:
    return name if name == STREAM else str(folder / name)


def is_job(name: str) -> bool:
    """Return whether a command-line argument is the path of a job file, not the name of an action."""
    return name.lower().endswith((".yaml", ".yml"))


def read_templates(path: Path) -> dict[str, Any]:
    """Return the templates in a YAML file, keyed by input name. Raises RunError."""
    from connector.common import strict_yaml

    templates = strict_yaml.load(path)
    if not isinstance(templates, dict):
        raise RunError(f"{path}: expected a mapping of input names to templates")
    return templates
