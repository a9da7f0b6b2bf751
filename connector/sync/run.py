"""One run of a sync: look up unknown outcomes, make a plan, and apply the plan."""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, cast

from connector.common.clock import Clock
from connector.errors import RunError, RunInterruptedError, RunStoppedError
from connector.sync.alert_run import AlertCounts
from connector.sync.apply import Applied, Applier, chosen, first_sites, total_writes
from connector.sync.creations import Creations
from connector.sync.folder import SyncFolder
from connector.sync.interleaved import Interleaved
from connector.sync.mapping import SyncMapping
from connector.sync.mapping_ids import Settings, require_settings
from connector.sync.plan import Plan, PlanInputs, make_plan
from connector.sync.plan_file import PlanFile
from connector.sync.plan_items import ENTITIES, Entity, Item, Stop
from connector.sync.records import ListError, Source, Target
from connector.sync.state import State

FULL_READ = "full_read"
"""The name of the cursor with the start of the last full read, in epoch seconds."""
TICKETS = frozenset({"ticket"})
SOURCES = {"client": "organizations", "site": "locations", "asset": "devices"}

Between = Callable[[Applied], None]


@dataclass(frozen=True)
class Choice:
    """The chosen part of a plan: `entities`, and `keys` (entity, source id); None chooses all."""

    entities: frozenset[str] | None = None
    keys: frozenset[tuple[str, str]] | None = None
    beyond_limits: bool = False

    @property
    def has_all_assets(self) -> bool:
        """Whether it contains every asset."""
        return self.keys is None and (self.entities is None or "asset" in self.entities)

    @property
    def has_records(self) -> bool:
        """Whether it can contain something other than alerts."""
        return self.entities != TICKETS and (self.keys is None or any(e != "ticket" for e, _ in self.keys))

    def affected(self, stops: Iterable[Stop]) -> list[Stop]:
        """Return the stops that affect chosen records: those of their entity, or of one that precedes it."""
        chosen = set(ENTITIES if self.entities is None else self.entities)
        if self.keys is not None:
            chosen &= {entity for entity, _ in self.keys}
        last = max((ENTITIES.index(entity) for entity in chosen - TICKETS), default=-1)
        return [stop for stop in stops if ENTITIES.index(stop.entity) <= last]


@dataclass
class Run:
    """The result of a sync run. `stops` has the entities that were not applied, with the reasons.

    `not_written` has the records that were chosen by their keys and were not written, with the reasons.
    """

    number: int
    applied: Applied = field(default_factory=Applied)
    stops: list[Stop] = field(default_factory=list)
    recovered: int = 0
    counts: dict[str, dict[str, int]] = field(default_factory=dict)
    outcome: str = ""
    error: str = ""
    """The reason why nothing was planned, because a list could not be read completely."""
    alerts: AlertCounts | None = None
    not_written: list[tuple[Item, str]] = field(default_factory=list)
    found: set[tuple[str, str]] = field(default_factory=set)
    """The keys of the chosen records that have an item in the plan."""
    is_missing: bool = False
    """Whether a chosen record is not in the plan."""
    is_refused: bool = False
    """Whether a saved plan exceeds a limit, so that nothing was applied, alerts included."""

    @property
    def exit_code(self) -> int:
        """0: all was applied; 1: a record failed, is unknown or needs a decision; 3: the run was stopped."""
        if self.applied.is_stopped or self.stops or (self.alerts is not None and self.alerts.held):
            return 3
        is_clean = self.applied.is_clean and (self.alerts is None or self.alerts.is_clean)
        return 0 if is_clean and not self.is_missing and not self.error else 1

    def as_json(self) -> dict[str, Any]:
        """Return the result of the run as a JSON object."""
        applied = self.applied
        return {
            "run": self.number,
            "outcome": self.outcome,
            "error": self.error,
            "plan": self.counts,
            "writes": applied.writes,
            "outcomes": applied.counts,
            "recovered": self.recovered,
            "alerts": self.alerts.of if self.alerts else None,
            "alert_problems": list(self.alerts.problems) if self.alerts else [],
            "stops": [{"entity": stop.entity, "reason": stop.reason} for stop in self.stops],
            "problems": _listed(applied.problems),
            "partial": _listed(applied.partial),
            "not_written": _listed(self.not_written),
        }


def _listed(items: Iterable[tuple[Item, str]]) -> list[dict[str, Any]]:
    return [
        {"entity": item.entity, "source": item.source, "name": item.name, "reason": reason}
        for item, reason in items
    ]


@dataclass(frozen=True)
class Syncer:
    """A sync whose `state.db` is open for writing."""

    folder: SyncFolder
    source: Source
    target: Target
    state: State
    clock: Clock
    stop: threading.Event
    between: Between = lambda applied: None

    def plan(self, *, full: bool, believe: bool) -> Plan:
        """Return a new plan. `full` reads all assets; `believe` accepts lists that became much shorter.

        Raises RunInterruptedError before the next record or request once `stop` is set.
        """
        source, target = (Interleaved(side, self._require_going) for side in (self.source, self.target))
        inputs = PlanInputs(
            self.folder.mapping,
            self.folder.pins,
            self.state,
            cast(Source, source),
            cast(Target, target),
            self.clock.now(),
            full=full,
            believe=believe,
        )
        return make_plan(inputs)

    def _require_going(self) -> None:
        if self.stop.is_set():
            raise RunInterruptedError("the sync was stopped while it made a plan")

    def recover(self) -> int:
        """Look up creations of an earlier process without an outcome; return the number found."""
        return Creations(self.state, self.target, self.clock).recover()

    def run(self, choice: Choice, *, full: bool, believe: bool) -> Run:
        """Make a plan and apply it. Raises RunStoppedError, but not for a list that was incomplete.

        Entities that exceed a limit are not applied. The first run always reads all assets.
        """
        now = self.clock.now()
        if not choice.has_records:
            run = Run(self.state.begin_run("alerts", now))
            self._end(run, "ok")
            return run
        full = full or is_first(self.state)
        run = Run(self.state.begin_run("full" if full else "run", now), recovered=self.recover())
        try:
            with self.plan(full=full, believe=believe) as plan:
                run.counts = plan.counts.of
                limits = [] if choice.beyond_limits else plan.limits
                stopped = {stop.entity for stop in limits}
                run.stops = choice.affected([*plan.stops, *limits])
                self._apply(run, lambda: (i for i in plan.items() if i.entity not in stopped), choice)
                self._note_chosen(run, choice, plan.seen)
                if not run.applied.is_stopped:
                    self._settle(run, plan, now, is_full=plan.full and choice.has_all_assets)
        except ListError as error:
            # Nothing was planned. The run continues with alerts, which do not depend on these lists.
            run.error = str(error)
            self._end(run, "failed")
            return run
        except (RunError, RunStoppedError) as error:
            self._end(run, "stopped" if isinstance(error, RunStoppedError) else "failed")
            raise
        self._end(run, _outcome(run))
        return run

    def apply(self, saved: PlanFile, choice: Choice) -> Run:
        """Apply a saved plan; fields that have changed since the plan was made are not overwritten.

        If the plan exceeds a limit, nothing is applied, unless `choice.beyond_limits` is set. Raises RunError
        if the plan is too old, or was made with another mapping or other accounts.
        """
        self._require_own(saved)
        run = Run(self.state.begin_run("apply", self.clock.now()))
        run.stops = choice.affected(saved.stops)
        if saved.limits and not choice.beyond_limits:
            run.stops += saved.limits
            run.is_refused = True
            self._end(run, "limits")
            return run
        try:
            run.recovered = self.recover()
            self._apply(run, saved.items, choice)
            self._note_chosen(run, choice, {})
        except (RunError, RunStoppedError) as error:
            self._end(run, "stopped" if isinstance(error, RunStoppedError) else "failed")
            raise
        self._end(run, _outcome(run))
        return run

    def _require_own(self, saved: PlanFile) -> None:
        for side, own in ((saved.source, self.source.account), (saved.target, self.target.account)):
            if side.account != own:
                raise RunError(f"{saved.path} is a plan for the account {side.account}, not for {own}")
        if saved.mapping != self.folder.mapping.digest:
            raise RunError(f"{saved.path}: the mapping was changed since the plan was made: make a new plan")
        if saved.is_expired(self.clock.now()):
            raise RunError(f"{saved.path}: the plan is more than 24 hours old: make a new plan")

    def _apply(self, run: Run, items: Callable[[], Iterable[Item]], choice: Choice) -> None:
        def some() -> Iterable[Item]:
            for item in chosen(items(), choice.entities, choice.keys):
                if choice.keys is not None:
                    run.found.add((item.entity, str(item.source)))
                if item.entity != "ticket":  # The driver of alerts makes these.
                    yield item

        applier = Applier(
            self.state,
            self.target,
            self.clock,
            run.number,
            self.stop,
            first_sites(some()),
            between=self.between,
        )
        run.applied = applier.applied
        applier.apply(some(), total_writes(some()))

    def _settle(self, run: Run, plan: Plan, now: float, *, is_full: bool) -> None:
        """Save the hashes of unchanged devices, and which linked records the complete lists contained."""
        stopped = {stop.entity for stop in plan.stops}
        with self.state.transaction():
            for device, value in plan.hashes():
                self.state.save_hash("asset", device, value)
            for entity, seen in plan.seen.items():
                if entity not in stopped:
                    self.state.seen(entity, run.number, seen)
                    self.state.unseen(entity, run.number, now)
            if is_full and not run.stops:
                self.state.set_cursor(FULL_READ, str(now), run.number)
        for entity, name in SOURCES.items():
            if entity not in stopped and name in plan.sources:
                run.counts.setdefault("sources", {})[name] = plan.sources[name]

    def _note_chosen(self, run: Run, choice: Choice, seen: Mapping[str, Collection[int]]) -> None:
        """Note why records that were chosen by their keys were not written.

        `seen` has the listed ids by entity. For a saved plan, which has none, a record without an item was up
        to date if it is linked and was in the last list.
        """
        if choice.keys is None or run.applied.is_stopped:
            return
        run.not_written = list(run.applied.decisions)
        stopped = {"ticket", *(stop.entity for stop in run.stops)}
        for entity, source in sorted(choice.keys - run.found):
            if entity in stopped:
                continue
            if entity in seen:
                is_listed = source in map(str, seen[entity])
            else:
                is_listed = self._is_linked(entity, source)
            reason = "up to date: there is nothing to write" if is_listed else "it is not in the plan"
            run.not_written.append((Item("skip", cast(Entity, entity), source), reason))
            run.is_missing |= not is_listed

    def _is_linked(self, entity: str, source: str) -> bool:
        """Return whether a source record has a target record, and was in the last list of the source."""
        link = self.state.links(entity, [int(source)]).get(int(source)) if source.isdecimal() else None
        return link is not None and link.target is not None and not link.missing_runs

    def _end(self, run: Run, outcome: str) -> None:
        run.outcome = outcome
        sources = run.counts.pop("sources", {})
        counts = {**self.state.last_counts(), **sources, "outcomes": run.applied.counts, "plan": run.counts}
        self.state.end_run(run.number, self.clock.now(), outcome, counts)
        self.state.prune(self.clock.now())


def save_alerts(state: State, run: Run, alerts: AlertCounts) -> None:
    """Add the alerts of a run to its result, and save the outcome that they give it."""
    run.alerts = alerts
    if run.outcome == "ok" and (alerts.held or not alerts.is_clean):
        run.outcome = "limits" if alerts.held else "problems"
        state.set_outcome(run.number, run.outcome)


def require_ids(mapping: SyncMapping, target: Settings, state: State, now: float) -> None:
    """Raise DeclarationError if a setting of the mapping names something that does not exist.

    This is saved as a failed run, because nothing else is run.
    """
    try:
        require_settings(mapping, target, state, now)
    except (RunError, RunStoppedError):
        state.end_run(state.begin_run("run", now), now, "failed", state.last_counts())
        raise


def is_first(state: State) -> bool:
    """Return whether the sync has not read all assets yet."""
    return state.cursor(FULL_READ) is None


def _outcome(run: Run) -> str:
    if run.applied.is_stopped:
        return "stopped"
    if run.stops:
        return "limits"
    return "ok" if run.applied.is_clean else "problems"


def entities_of(words: Collection[str]) -> frozenset[str]:
    """Return the entities for values of `--only`, such as `devices`. Raises KeyError for an unknown value."""
    return frozenset(entity for word in words for entity in ENTITIES_OF[word])


ENTITIES_OF = {
    "clients": ("client",),
    "sites": ("site",),
    "devices": ("type", "field", "asset"),
    "alerts": ("ticket",),
}
"""The allowed values of the option `--only`, and the entities that each value selects."""
NOUNS = {
    "organization": "client",
    "location": "site",
    "device": "asset",
    "alert": "ticket",
    "client": "client",
    "site": "site",
    "asset": "asset",
    "type": "type",
    "field": "field",
    "ticket": "ticket",
}
"""The allowed prefixes in keys of single records, such as `device:4471`, and their entities."""


def parse_key(text: str) -> tuple[str, str]:
    """Return (entity, source id) of a key such as `device:4471`. Raises ValueError."""
    noun, colon, source = text.partition(":")
    if noun not in NOUNS or not colon or not source:
        raise ValueError(f'"{text}" is not a valid key; examples: device:4471, organization:2, location:3')
    return NOUNS[noun], source
