"""The oracle: what an envelope may say, given the requests that the sandbox received for its row.

The sandbox's log has for every request whether it was executed, and what its client can know: that it was
(`done`), that it was not (`refused`), or neither (`doubtful`).

The log is in the order in which requests were handled. On a busy machine a client may time out before its
request is handled, and send the next one: of such a row, any request in the log may be the last one.
"""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass
from typing import Any, Literal

from tests.torture.kinds import Entry, Kind

Envelope = Mapping[str, Any]
Learned = Literal["done", "refused", "doubtful"]

THROTTLED = ("429", "429_bare")
ANSWERED = (None, "slow", "hang_up", "hold", "expire", *THROTTLED)
"""The faults with a response that says whether the request was executed."""
SHOWN = (*ANSWERED, "html", "500", "502", "503")
"""The faults with a complete response. A slow one is too late for an impatient client."""
UNSEEN = ("hang_up", "reset_unread")
"""The faults by which a request may be missing from the log, or be logged without its row."""
SIGN_IN = "signing in at "
"""The error of a row without a token."""

ENDS: dict[str | None, tuple[str, str]] = {
    **dict.fromkeys((*THROTTLED, "html"), ("rate_limited", "rate_limited")),
    **dict.fromkeys(("500", "503"), ("api_error", "api_error")),
    "502": ("api_error", "outcome_unknown"),
    **dict.fromkeys(("reset", "reset_unread", "reset_after"), ("network_error", "outcome_unknown")),
    "truncate": ("bad_response", "outcome_unknown"),
    "slow": ("timeout", "outcome_unknown"),
}
"""The code of a row that ended with a fault: of a request that may be repeated, and of another one."""
FEWEST = {**dict.fromkeys((*THROTTLED, "html"), 6), "expire": 2}
"""The minimum number of attempts before a row ends with this fault; 3 for others."""
FEWEST_UNSEEN = 3
"""The minimum number of attempts before a row ends, if the connection is reset each time."""
MAX_ATTEMPTS = 7
"""Six attempts of a throttled request, and one for an expired token."""


@dataclass(frozen=True)
class Send:
    """One request of a row. Two with the same `key` are the same request, repeated."""

    key: str
    target: str
    once: bool
    executed: bool
    fault: str | None
    status: int | None
    shown: bool
    learned: Learned


def read_send(kind: Kind, entry: Entry, *, patient: bool) -> Send:
    """Return an entry of the sandbox's log; a `patient` client waits for slow responses."""
    fault, status = entry["fault"], entry["status"]
    in_time = status is not None and (patient or fault != "slow")
    learned: Learned = "doubtful"
    if in_time and fault in ANSWERED:
        learned = "done" if status < 300 else "refused"
    target = f"{entry['method']} {entry['path']}"
    return Send(
        key=f"{target} {json.dumps(entry['body'])}",
        target=target,
        once=entry["method"] in kind.once,
        executed=entry["executed"],
        fault=fault,
        status=status,
        shown=in_time and fault in SHOWN,
        learned=learned,
    )


class Oracle:
    """Checks the envelopes of a run against the requests that the sandbox received."""

    def __init__(
        self,
        kind: Kind,
        entries: Sequence[Entry],
        *,
        patient: bool = True,
        timeouts: Mapping[int, int] | None = None,
    ) -> None:
        """`timeouts` has, by row, the number of times that the client timed out and tried again."""
        self.kind = kind
        self._sends: dict[int, list[Send]] = defaultdict(list)
        self._unseen = sum(entry["fault"] in UNSEEN for entry in entries)
        self._nobodys = 0
        for entry in entries:
            row = kind.row_of(entry)
            if row is not None:
                self._sends[row].append(read_send(kind, entry, patient=patient))
            elif entry["method"] != "GET":
                assert entry["fault"] == "reset_unread", entry
                self._nobodys += entry["method"] in kind.once
        self.late = {
            row
            for row, count in (timeouts or {}).items()
            if count > sum(send.fault == "slow" for send in self._sends[row])
        }
        """Return the rows that timed out although the response was not slowed by a fault."""

    def check_killed(
        self,
        envelopes: Sequence[Envelope],
        rows: int,
        in_doubt: Set[int],
        maybe: Set[int] = frozenset(),
    ) -> None:
        """Check a run that was stopped and resumed, without other faults.

        `in_doubt` are the rows left with a request that may have been executed or not; those in `maybe` may
        be in doubt, too.
        """
        self.check_rows(envelopes, rows)
        for envelope in envelopes:
            code, row = envelope["meta"]["code"], envelope["row"]
            if row in in_doubt:
                assert code == "outcome_unknown", self._where(envelope)
            elif row not in maybe or code != "outcome_unknown":
                assert code == self.kind.code(row), self._where(envelope)

    def check(self, envelopes: Sequence[Envelope], rows: int, failed_sign_ins: int) -> None:
        """Check a run that finished: the log determines each envelope, including its code."""
        self.check_rows(envelopes, rows)
        unseen = in_doubt = signed_out = 0
        for envelope in envelopes:
            self._check_end(envelope)
            signed_out += SIGN_IN in str(envelope["error"])
            hidden = self._hidden(envelope)
            unseen += hidden
            in_doubt += bool(hidden) and envelope["meta"]["code"] == "outcome_unknown"
        # The row of a request that was reset unread is unknown, but each puts one row in doubt.
        assert self._nobodys <= in_doubt
        assert unseen <= self._unseen
        assert signed_out * 3 <= failed_sign_ins

    def check_rows(self, envelopes: Sequence[Envelope], rows: int) -> None:
        """Check any run: each row has exactly one envelope, in order, that agrees with the log."""
        assert [envelope["row"] for envelope in envelopes] == list(range(1, rows + 1))
        assert set(self._sends) <= set(range(1, rows + 1))
        for envelope in envelopes:
            self._check_row(envelope)

    def _check_row(self, envelope: Envelope) -> None:
        sends, where = self._sends[envelope["row"]], self._where(envelope)
        code, repeatable = envelope["meta"]["code"], envelope["meta"].get("repeatable")
        once = [send for send in sends if send.once]
        for number, send in enumerate(once):
            later = [other for other in once[number + 1 :] if other.key == send.key]
            assert not later or send.learned == "refused", f"sent twice: {where}"
            assert number + 1 == len(once) or send.learned != "doubtful", f"continued in doubt: {where}"
            assert not send.executed or not any(o.executed for o in later), f"executed twice: {where}"
        if code is None:
            assert sends, f"success without a request: {where}"
            last = sends if envelope["row"] in self.late else sends[-1:]
            assert any(send.learned == "done" for send in last), (
                f"a success that the API did not tell: {where}"
            )
            assert not any(send.learned == "doubtful" for send in once), f"doubt not reported: {where}"
            assert not self.kind.once or any(send.executed for send in once), f"never executed: {where}"
            assert self.kind.fits(envelope["result"], envelope["row"]), f"result of another row: {where}"
        elif repeatable:
            assert all(send.learned == "refused" for send in once), f"would be executed twice: {where}"
            assert not any(send.executed for send in once), f"would be executed twice: {where}"
        if code == "outcome_unknown":
            assert repeatable is False, where
        if code == "template_error":
            assert not sends, f"sent without values: {where}"

    def _check_end(self, envelope: Envelope) -> None:
        """Check an envelope against the last request of its row."""
        row, meta = envelope["row"], envelope["meta"]
        sends, where, hidden = self._sends[row], self._where(envelope), self._hidden(envelope)
        assert (meta["code"] == "template_error") == (self.kind.code(row) == "template_error"), where
        doubt = any(send.once and send.learned != "refused" for send in sends) or (
            bool(hidden) and meta["code"] == "outcome_unknown"
        )
        assert meta.get("repeatable", False) is (meta["code"] is not None and not doubt), where
        if SIGN_IN in str(envelope["error"]):
            assert meta["code"] in ("bad_response", "partial"), where
        elif self._is_unseen(envelope):
            assert (meta["code"], envelope["result"]["failed"]) == ("partial", "network_error"), where
            assert sends[-1].learned == "done", where
            assert meta["attempts"] >= FEWEST_UNSEEN, f"too few attempts: {where}"
        elif row in self.late:
            self._check_late(envelope, where)
        elif not sends and not hidden:
            assert self._is_lookup(envelope) or meta["code"] == "template_error", where
        elif hidden and self.kind.once and meta["code"] == "outcome_unknown":
            assert hidden == 1, where
        elif not sends:
            assert meta["code"] == "network_error", where
        else:
            self._check_last(envelope, self._last(row), where)

    def _check_last(self, envelope: Envelope, tries: list[Send], where: str) -> None:
        """Check an envelope against all attempts of its row's last request."""
        meta, last, hidden = envelope["meta"], tries[-1], self._hidden(envelope)
        code = self._code(self._sends[envelope["row"]])
        lost_at_last = hidden and code is not None and meta["code"] == "network_error"
        assert meta["code"] == code or lost_at_last, f"the log proves {code}: {where}"
        assert len(tries) <= meta["attempts"] <= MAX_ATTEMPTS, where
        assert not last.once or not hidden, f"repeated without a log entry: {where}"
        if last.shown and not hidden:
            assert meta["status"] == last.status, where
        gives_up = last.learned != "done" and last.fault not in (None, "hang_up")
        if gives_up and (last.fault in THROTTLED or not last.once) and last.status != 404:
            fewest = 3 if hidden else FEWEST.get(str(last.fault), 3)
            assert meta["attempts"] >= fewest, f"too few attempts: {where}"

    def _check_late(self, envelope: Envelope, where: str) -> None:
        """Check an envelope against each possible order of its row's requests."""
        sends = self._sends[envelope["row"]]
        ends = {self._code([*sends[:n], *sends[n + 1 :], send]) for n, send in enumerate(sends)}
        waited = {"timeout", "network_error", "outcome_unknown", "partial"}
        assert envelope["meta"]["code"] in ends | waited, f"the log proves one of {ends}: {where}"

    def _code(self, sends: list[Send]) -> str | None:
        last = sends[-1]
        if last.learned == "done":
            return None
        if any(send.learned == "done" and send.once for send in sends):
            return "partial"
        if last.learned == "refused" and last.fault not in THROTTLED:
            return {401: "auth_failed", 404: "not_found"}[last.status or 0]
        return ENDS[last.fault][last.once]

    def _last(self, row: int) -> list[Send]:
        """Return all attempts of a row's last request."""
        sends = self._sends[row]
        return [send for send in sends if send.target == sends[-1].target] if sends else []

    def _hidden(self, envelope: Envelope) -> int:
        """Return how many attempts of a row's last request are not in the log as this row's."""
        if self._is_unseen(envelope):
            return int(envelope["meta"]["attempts"])
        if SIGN_IN in str(envelope["error"]) or self._is_lookup(envelope):
            return 0
        return max(0, envelope["meta"]["attempts"] - len(self._last(envelope["row"])))

    def _is_lookup(self, envelope: Envelope) -> bool:
        """Whether the request that failed is the one that the first row sends for all of them."""
        path = self.kind.looks_up
        return bool(path) and str(envelope["error"]).startswith(f"GET {path}: ")

    def _is_unseen(self, envelope: Envelope) -> bool:
        """Whether a row's last request, which its error names, is not in the log as this row's."""
        failed = re.search(r"; then ([A-Z]+ /\S+):", str(envelope["error"]))
        if envelope["meta"]["code"] != "partial" or failed is None or SIGN_IN in str(envelope["error"]):
            return False
        return failed[1] not in [send.target for send in self._sends[envelope["row"]]]

    def _where(self, envelope: Envelope) -> str:
        return "\n".join([str(envelope), *map(str, self._sends[envelope["row"]])])
