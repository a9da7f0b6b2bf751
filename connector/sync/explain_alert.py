"""Explain an alert: its data, the rule and the ticket that it gets, its history, and what a run would do."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any

from connector.common import json_text
from connector.sync.alert_context import AlertContext
from connector.sync.alert_preview import AlertPreview
from connector.sync.alert_rows import Alert
from connector.sync.alert_titles import STATES
from connector.sync.explain import Step
from connector.sync.plan import PlanInputs
from connector.sync.plan_items import Item
from connector.sync.records import AlertReading
from connector.sync.state import State
from connector.sync.state_alerts import AlertRows

PLACES = ("client", "site", "asset", "user")


def alert_decision(
    inputs: PlanInputs, uid: str, preview: Callable[[State], AlertPreview | None]
) -> tuple[Item | None, str]:
    """Return the plan item of an alert (None: nothing to do), and why it is not known (empty: it is).

    `preview` opens the driver of a copy of the state.
    """
    with inputs.state.scratch() as state:
        driver = preview(state)
        if driver is None:
            return None, "the mapping has no alerts"
        driver.work()
        if not driver.poll({uid}):
            return None, "a list of alerts or tickets was incomplete"
        return dict(driver.items(inputs.mapping)).get(uid), ""


class AlertExplanation:
    """The steps that explain an alert. `is_known` is false if neither service nor state has it."""

    def __init__(self, inputs: PlanInputs, uid: str) -> None:
        self._in, self._uid = inputs, uid
        self._rows = [row for row in AlertRows(inputs.state).of_series(uid) if row.kind == "alert"]
        self._reading = next((alert for alert in inputs.source.alerts() if alert.uid == uid), None)
        self.is_known = bool(self._rows) or self._reading is not None

    @property
    def ticket(self) -> int | None:
        """The id of the alert's last ticket; None if it has none."""
        return next((row.ticket for row in reversed(self._rows) if row.ticket is not None), None)

    def steps(self) -> Iterator[Step]:
        """Yield the steps: the alert, the rule, the place of its ticket, its occurrences, and its ticket."""
        inputs, reading = self._in, self._reading
        shown = f"active since {_time(reading.start)}" if reading is not None else "not active"
        yield Step("alert", inputs.source.title, shown)
        context = AlertContext(inputs.state, inputs.source, inputs.target, inputs.mapping, lambda: inputs.now)
        reading = reading or _reading_of(self._rows[-1])
        if reading.device is not None:
            device = inputs.source.device(reading.device)
            name = f'"{device.name}", of organization {device.organization}' if device else "does not exist"
            yield Step("device", f"device {reading.device}", name)
        yield Step("rule", "mapping.yaml", context.rule(reading))
        organization = context.organization_of(reading)
        row = Alert(reading.uid, 1, "OPEN", device=reading.device, organization=organization)
        place = context.place(row)
        found = [f"{noun} {getattr(place, noun)}" for noun in PLACES if getattr(place, noun) is not None]
        yield Step("place", f"organization {organization or 'unknown'}", ", ".join(found) or "none")
        for row in self._rows:
            yield Step(f"#{row.generation}", "state.db", _life(row))
        if self.ticket is not None:
            (read,) = inputs.target.tickets([self.ticket])
            into = f" into ticket {read.into}" if read.into else ""
            yield Step("ticket", f"{inputs.target.title}, ticket {self.ticket}", f"{read.status}{into}")


def _reading_of(row: Alert) -> AlertReading:
    """Return the alert as it was when it started."""
    data: Any = json_text.loads(row.alert) if row.alert else {}
    return AlertReading(row.uid, row.start, row.device, row.organization, row.condition, data)


def _life(row: Alert) -> str:
    """Return an occurrence of an alert as text: its state, ticket, times and error."""
    parts = [STATES[row.state]]
    parts += [f"ticket {row.ticket}"] if row.ticket is not None else []
    parts += [f"started {_time(row.start)}"] if row.start else []
    parts += [f"triggered {row.repeats} more times"] if row.repeats else []
    parts += [f"ended {_time(row.ended)}"] if row.ended else []
    by = {"source": " because the alert ended", "target": " because its ticket was closed"}
    parts += [f"closed {_time(row.closed_at)}{by.get(row.closed_by, '')}"] if row.closed_at else []
    parts += [f"again at {_time(row.next_try)}"] if row.next_try else []
    return ", ".join(parts) + (f": {row.error}" if row.error else "")


def _time(seconds: float) -> str:
    return time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(seconds))
