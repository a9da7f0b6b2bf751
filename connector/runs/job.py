"""Jobs: the settings of a run, from a YAML file (see `job_file.py`) or the command line.

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

**Time zone.** `timezone: Europe/Berlin` is that of times that have none; default: the connection's, or UTC.

**Distinct rows.** `distinct: "{{ customer }}"` runs the first row of each value only; see `distinct.py`.

**Expected rows.** `max_rows: 20` and `expect_rows: 10-20`: see `expected_rows.py`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from connector.common.comma_separated import comma_separated
from connector.common.json_text import Json
from connector.files.output_formats import OutputForm, format_of
from connector.files.read_options import ReadOptions
from connector.invocation.invoke import ResultMode
from connector.invocation.result_times import Times
from connector.templating.scope import is_template

if TYPE_CHECKING:
    from connector.files.readers import RowSource
    from connector.runs.selection import Selection

STREAM = "-"
"""The file name that means standard input or standard output."""

NO_INPUT = ""
"""The name of the input of a job that has none: one row without fields, if its action requires none."""

OnError = Literal["continue", "stop"]
"""Whether a run continues or stops after a row has failed."""

Empty = Literal["omit", "send"]
"""Whether an input whose template renders to empty text is omitted from the request, or sent empty."""

OutputExists = Literal["fail", "overwrite", "number"]
"""What to do if the output exists: fail, overwrite it, or add a number to the name of the new one."""

DelayMs = float | Literal["auto"]
"""The minimum interval between requests in milliseconds, or that it adapts to the service."""

DEFAULT_MIN_DELAY_MS, MIN_DELAY_MS = 20.0, 1.0
"""The default `min_delay_ms`, and the smallest one that is allowed."""

MAX_CONCURRENT = 256
"""The maximum number of rows in parallel."""


@dataclass(frozen=True, repr=False)
class Job:
    """The settings of one run.

    Paths are as given. `delay_ms` None means the service's default; `min_delay_ms` is the shortest one of
    `auto`, and None its default. `max_errors` None means no limit.
    `connections` has a connection per service, and replaces `connection` if steps use several services.
    `allow_connections` maps each value that a connection template can return to a connection's name or file.
    `state` is the URL of a database with the run's state, which can have a password; empty means files.
    `wait_s` is the time to wait for the end of queued work, in seconds; None means not to wait.

    With `results`, the output has only results, and `errors` is the file of the failed rows.
    `vars` are constants of templates. `named_at` is the start time with which names of files were rendered;
    None means that none of them is a template, see `file_names.py`.

    The last four fields are for steps. The `input` of a step that follows another is the other's output.
    `step_outputs` has the outputs of all steps of the job, in order.
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
    results: bool = False
    errors: Path | None = None
    summary: Path | None = None
    output_exists: OutputExists = "fail"
    named_at: float | None = None
    vars: Mapping[str, Json] = field(default_factory=dict)
    delay_ms: DelayMs | None = None
    min_delay_ms: float | None = None
    rows: ResultMode = "one"
    keep_row: bool = False
    distinct: str = ""
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
    wait_s: float | None = None
    fsync: bool = False
    state: str = field(default="", repr=False)
    timezone: str = ""
    times: Times = "epoch"
    with_names: str = ""
    step: str = ""
    follows: str = ""
    only: str = ""
    step_outputs: Sequence[str] = ()

    @property
    def errors_allowed(self) -> int | None:
        """The number of failed rows after which no further row is started; None means no limit."""
        return 0 if self.on_error == "stop" else self.max_errors

    @property
    def name_kinds(self) -> tuple[str, ...]:
        """The kinds of records whose names results have beside their ids."""
        return comma_separated(self.with_names)

    @property
    def read_options(self) -> ReadOptions:
        """The options for reading the input, such as its delimiter and encoding."""
        return ReadOptions(self.delimiter, self.encoding, self.sheet, self.records)

    def source(self) -> RowSource:
        """Return the rows of the input. Raises RunError."""
        from connector.files.readers import OneRow, RowSource  # imported here, because calls have no rows

        if self.input == NO_INPUT:
            return OneRow()
        return RowSource(self.input, self.input_format, options=self.read_options)

    @property
    def output_form(self) -> OutputForm:
        """How the output is written. Raises RunError for an unknown format."""
        return OutputForm(format_of(self.output, self.output_format), self.bom, self.results)

    @property
    def selection(self) -> Selection:
        """The part of the input that is run."""
        from connector.runs.selection import Selection  # imported here, because calls have no rows

        return Selection(self.limit, self.offset, self.sample)

    @property
    def label(self) -> str:
        """The name of the run in messages."""
        return f"{self.step} ({self.action})" if self.step else self.action


def of_service(job: Job, service: str) -> Job:
    """Return a job with only its connection for one service, or that service's default connection."""
    if not job.connections:
        return job
    connection = job.connections.get(service)
    allowed = job.allow_connections if is_template(connection) else {}
    return replace(job, connection=connection, connections={}, allow_connections=allowed)
