"""Operators: one call of an action, or a run over the rows of a file."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Literal, TypeVar

from airflow_provider_ninjaone.compat import AirflowException, AirflowFailException, BaseOperator
from airflow_provider_ninjaone.hooks import HaloPSAHook, NinjaOneHook, ServiceHook
from airflow_provider_ninjaone.results import XCOM_BYTES, make_folder, require_small, write_result
from airflow_provider_ninjaone.stopping import run_stoppable

if TYPE_CHECKING:
    from connector import Envelope, Session

Result = TypeVar("Result")


class ServiceOperator(BaseOperator):
    """The base of all operators: a session of a connection, and which failures Airflow retries."""

    hook_class: ClassVar[type[ServiceHook]]
    resumes: ClassVar[bool] = False
    """Whether a retry continues what a stopped run has begun."""
    ui_color = "#e8f3ee"

    def __init__(self, *, conn_id: str = "", **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.conn_id = conn_id or self.hook_class.default_conn_name
        self._session: Session | None = None
        self._is_killed = False

    def on_kill(self) -> None:
        """Stop after the request in progress. Airflow calls it for SIGTERM, in the main thread."""
        self._is_killed = True
        if self._session:
            self._session.stop()

    def _session_settings(self) -> dict[str, Any]:
        """Return settings of the session in addition to those of the connection."""
        return {}

    def _run(self, work: Callable[[Session], Result]) -> Result:
        """Return the result of work with a session. Errors that a retry cannot help become final ones."""
        from connector import ConnectorError, RunError

        self._is_killed = False
        try:
            with self.hook_class(self.conn_id).session(**self._session_settings()) as session:
                self._session = session
                if self._is_killed:
                    session.stop()
                return run_stoppable(lambda: self._final(work, session), self.on_kill)
        except ConnectorError as error:
            if self._is_killed and isinstance(error, RunError):
                raise AirflowException("stopped before anything was sent") from error
            raise _failure(error, resumes=self.resumes) from error
        finally:
            self._session = None

    def _final(self, work: Callable[[Session], Result], session: Session) -> Result:
        """Return the result of work; a bug is final where a retry would begin again with what was sent."""
        from connector import ConnectorError

        try:
            return work(session)
        except Exception as error:
            if self.resumes or isinstance(error, ConnectorError):
                raise
            raise AirflowFailException(f"{type(error).__name__}: {error}") from error


class CallOperator(ServiceOperator):
    """The base of `NinjaOneOperator` and `HaloPSAOperator`."""

    template_fields: Sequence[str] = ("inputs", "output_file")
    template_fields_renderers: ClassVar[dict[str, str]] = {"inputs": "json"}

    def __init__(
        self,
        *,
        action: str,
        inputs: Mapping[str, Any] | None = None,
        confirm: bool = False,
        output_file: str | None = None,
        xcom_bytes: int = XCOM_BYTES,
        conn_id: str = "",
        **kwargs: Any,
    ) -> None:
        super().__init__(conn_id=conn_id, **kwargs)
        self.action = action
        self.inputs = inputs
        self.confirm = confirm
        self.output_file = output_file
        self.xcom_bytes = xcom_bytes

    def execute(self, context: Any) -> Any:
        """Call the action, and return its result, or with `output_file` the name and size of its file."""
        if self.output_file:
            make_folder(self.output_file)
        envelope = self._run(self._call)
        for warning in envelope.meta.get("warnings", ()):
            self.log.warning("%s: %s", self.action, warning)
        if envelope.error is not None:
            meta = envelope.meta
            message = f"{self.action}: {envelope.error} (code {meta['code']})"
            raise AirflowException(message) if meta.get("transient") else AirflowFailException(message)
        if self.output_file:
            return write_result(envelope.result, self.action, self.output_file)
        if self.do_xcom_push:
            require_small(envelope.result, self.action, self.xcom_bytes)
        return envelope.result

    def _call(self, session: Session) -> Envelope:
        return session.envelope(self.action, self.inputs or {}, confirm=self.confirm)


class BatchOperator(ServiceOperator):
    """The base of `NinjaOneBatchOperator` and `HaloPSABatchOperator`."""

    resumes = True
    template_fields: Sequence[str] = ("job_file", "input_file", "output_file", "vars")

    def __init__(
        self,
        *,
        output_file: str,
        job_file: str | None = None,
        action: str | None = None,
        input_file: str | None = None,
        templates: Mapping[str, Any] | None = None,
        vars: Mapping[str, Any] | None = None,
        concurrency: int = 1,
        results: Literal["one", "each"] = "one",
        keep_row: bool = False,
        confirm: bool = False,
        allow_failed_rows: bool = False,
        state_conn_id: str | None = None,
        conn_id: str = "",
        **kwargs: Any,
    ) -> None:
        super().__init__(conn_id=conn_id, **kwargs)
        if (job_file is None) == (action is None):
            raise ValueError("give either job_file, or action with input_file")
        if action is not None and input_file is None:
            raise ValueError("an action requires input_file, the name of a file of rows")
        self.output_file = output_file
        self.job_file = job_file
        self.action = action
        self.input_file = input_file
        self.templates = templates
        self.vars = vars
        self.concurrency = concurrency
        self.results = results
        self.keep_row = keep_row
        self.confirm = confirm
        self.allow_failed_rows = allow_failed_rows
        self.state_conn_id = state_conn_id

    def _session_settings(self) -> dict[str, Any]:
        if self.state_conn_id is None:
            return {}
        return {"state": self.hook_class.get_connection(self.state_conn_id).get_uri()}

    def execute(self, context: Any) -> dict[str, Any]:
        """Run the rows, and return the summary; a retry of this task continues after the finished rows."""
        instance = context["ti"]
        run = f"{instance.dag_id} {instance.task_id} {instance.run_id} {instance.map_index}"
        summary = self._run(lambda session: self._run_rows(session, run))
        self.log.info("summary: %s", summary)
        exit_code, failed = summary["exit_code"], _failed_rows(summary)
        if exit_code == 0 or (exit_code == 1 and self.allow_failed_rows):
            return summary
        if exit_code == 1:
            raise AirflowFailException(f"{failed}; the others are finished, so that a retry would not help")
        raise AirflowException(f"stopped before the end; a retry continues {self.output_file}")

    def _run_rows(self, session: Session, run: str) -> dict[str, Any]:
        make_folder(self.output_file)
        # The run of the DAG is part of the run's settings, so that another one does not continue its output.
        given: dict[str, Any] = {"vars": {**(self.vars or {}), "airflow_run": run}}
        given |= {"confirm": self.confirm, "resume": True}
        if self.job_file is not None:
            return session.run_job(self.job_file, input=self.input_file, output=self.output_file, **given)
        return session.run_file(
            *(self.action or "", self.input_file or "", self.output_file),
            templates=self.templates,
            concurrency=self.concurrency,
            results=self.results,
            keep_row=self.keep_row,
            **given,
        )


class NinjaOneOperator(CallOperator):
    """Calls an action of NinjaOne, and returns its result.

    `inputs` are values by name; Airflow renders their templates, and the connector none. A destructive action
    requires `confirm=True`. `output_file` is a file for the result as JSON. Without it, a result of more than
    `xcom_bytes` fails the task. Failures that can pass, such as 429, 5xx and a lost connection without an
    effect, are retried as the task says; all others fail at once, and so does `outcome_unknown`.
    """

    hook_class = NinjaOneHook


class HaloPSAOperator(CallOperator):
    """Calls an action of HaloPSA, without the prefix in its name: see `NinjaOneOperator`."""

    hook_class = HaloPSAHook


class NinjaOneBatchOperator(BatchOperator):
    """Runs a job file, or an action for each row of a file, and returns the summary.

    `output_file` gets the envelopes, and must have another name in each run of the DAG, such as one with
    `{{ run_id }}`. A retry continues it, and sends nothing twice. `templates` are the connector's, for each
    row; Airflow renders `job_file`, `input_file`, `output_file` and `vars`. If rows fail, the task fails at
    the end, unless `allow_failed_rows` is set. `state_conn_id` is a connection of the type Postgres, whose
    database has the state of the run, so that a retry can run on another machine.
    """

    hook_class = NinjaOneHook


class HaloPSABatchOperator(BatchOperator):
    """Runs a job file, or an action for each row of a file: see `NinjaOneBatchOperator`."""

    hook_class = HaloPSAHook


def _failure(error: Exception, *, resumes: bool) -> Exception:
    """Return the exception of Airflow for an error of the library: final, unless a retry can help."""
    from connector import FailureLimitError, NotStartedError, RunError, RunStoppedError

    if isinstance(error, RunError):
        is_final = not error.transient
    elif isinstance(error, RunStoppedError) and not isinstance(error, FailureLimitError):
        before = error.__cause__
        is_hopeless = isinstance(before, RunError) and not before.transient
        is_final = is_hopeless or not (resumes or isinstance(error, NotStartedError))
    else:
        is_final = True
    kind: type[Exception] = AirflowFailException if is_final else AirflowException
    return kind(str(error))


def _failed_rows(summary: Mapping[str, Any]) -> str:
    """Return the failed rows of a summary, with the codes, for a message."""
    parts = []
    for run in summary["runs"]:
        if run.get("failed"):
            codes = ", ".join(
                f"{its['rows']} {code}, for example {its['example']}" for code, its in run["codes"].items()
            )
            parts.append(f"{run['action']}: {run['failed']} of {run['rows']} rows failed: {codes}")
    return "; ".join(parts) or "rows failed"
