"""The text of a notification: by a built-in template for a chat or a program, or by a file."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from connector.errors import RowError, RunError, count_of
from connector.runs.notify_settings import FORMATS

TEMPLATES = {
    "slack": '{"text": {{ text | replace("&", "&amp;") | replace("<", "&lt;") | replace(">", "&gt;") '
    "| to_json }}}",
    "teams": '{"type": "message", "attachments": [{"contentType": '
    '"application/vnd.microsoft.card.adaptive", "content": {"$schema": '
    '"http://adaptivecards.io/schemas/adaptive-card.json", "type": "AdaptiveCard", "version": "1.4", '
    '"body": [{"type": "TextBlock", "wrap": true, "text": '
    '{{ text | replace("\\n", "\\n\\n") | to_json }}}]}}]}',
    "json": '{"job": {{ job | to_json }}, "host": {{ host | to_json }}, "text": {{ text | to_json }}, '
    '"summary": {{ summary | to_json }}}',
    "text": "{{ text }}",
}
_STATES = {
    "finished": "finished",
    "nothing_run": "nothing was run",
    "stopped": "stopped before the end",
    "fault": "ended by a bug in the connector",
    "interrupted": "interrupted",
}

Render = Callable[[Mapping[str, Any]], str]


def compile_notification(template: str) -> Render:
    """Return the function that renders a built-in template, or the template in a file. Raises RunError.

    A template can use `text`, `job`, `host`, `state`, `exit_code`, `message`, `rows`, `succeeded`, `failed`
    and `summary`, the complete summary.
    """
    from connector.templating.scope import Scope  # imported only for a notification
    from connector.templating.templates import compile_template  # imported only for a notification

    if template in FORMATS:
        source = TEMPLATES[template]
    else:
        try:
            source = Path(template).read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            reason = getattr(error, "strerror", None) or "not UTF-8"
            names = ", ".join(FORMATS)
            raise RunError(f"{template}: cannot be read: {reason}; templates: {names}, or a file") from error
    try:
        compiled = compile_template(source, {"type": "string"})
    except RunError as error:
        raise RunError(f"{template}: {error}") from error

    def render(variables: Mapping[str, Any]) -> str:
        try:
            text = compiled(Scope({}, variables))
        except RowError as error:
            raise RunError(f"{template}: {error}") from error
        return text if isinstance(text, str) else json.dumps(text)

    return render


def content_type(body: str) -> str:
    """Return the media type of a notification: JSON if it is a JSON document, else plain text."""
    try:
        json.loads(body)
    except ValueError:
        return "text/plain; charset=utf-8"
    return "application/json"


def variables_of(job: str, host: str, summary: Mapping[str, Any]) -> dict[str, Any]:
    """Return the variables of the templates for the summary of a command (`summary.schema.json`)."""
    totals = {name: _total(summary, name) for name in ("rows", "succeeded", "failed")}
    return {
        "job": job,
        "host": host,
        **{name: summary[name] for name in ("state", "exit_code", "message")},
        **totals,
        "text": "\n".join(_lines(job, host, summary, totals)),
        "summary": summary,
    }


def _total(summary: Mapping[str, Any], name: str) -> int:
    return sum(run.get(name, 0) for run in summary["runs"])


def _lines(job: str, host: str, summary: Mapping[str, Any], totals: Mapping[str, int]) -> Iterator[str]:
    failed = f", {totals['failed']} of {count_of(totals['rows'], 'row')} failed" if summary["runs"] else ""
    state = _STATES.get(summary["state"], summary["state"])
    yield f"{job} on {host}: {state}{failed} (exit code {summary['exit_code']})"
    if summary["message"]:
        yield summary["message"]
    for run in summary["runs"]:
        label = f"{run['step']} ({run['action']})" if "step" in run else run["action"]
        if "finished_before" in run:
            yield f"{label}: already finished"
            continue
        done = "accepted" if "accepted" in run else "succeeded"
        yield f"{label}: {count_of(run['rows'], 'row')}, {run['succeeded']} {done}, {run['failed']} failed"
        for code, found in run["codes"].items():
            yield f"  {found['rows']} {code}, for example {found['example']}"
