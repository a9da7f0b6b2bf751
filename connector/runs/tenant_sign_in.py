"""Parallel sign-ins of several tenants."""

from __future__ import annotations

from threading import Event, Lock

from connector.client.client import Client
from connector.client.factory import may_pass
from connector.errors import (
    ConnectionSetupError,
    ConnectorError,
    RowError,
    RunInterruptedError,
    RunStoppedError,
)

_POLL_INTERVAL_S = 0.2
_MAX_NAMED = 5


class SignIns:
    """The sign-ins of `count` tenants, each on a separate thread. A run can start when one succeeds."""

    def __init__(self, count: int) -> None:
        self._count = count
        self._lock = Lock()
        self._refusals: dict[str, str] = {}
        self._succeeded, self._may_pass = False, True
        self._lost: RunStoppedError | None = None
        self._known = Event()
        """An event that is set when one tenant has signed in, or all sign-ins have failed."""

    def try_one(self, name: str, client: Client) -> RowError | None:
        """Sign in a tenant; return the error if it fails, else None.

        Raises RunStoppedError if the database with the state of the run cannot be used.
        """
        try:
            refusal = _refusal(client)
        except RunStoppedError as error:  # The database with the state of all tenants is lost.
            self._lost = error
            self._known.set()
            raise
        with self._lock:
            if refusal is None:
                self._succeeded = True
            else:
                self._refusals[name] = client.redactor.said(str(refusal))
                self._may_pass = self._may_pass and may_pass(refusal)
            if self._succeeded or len(self._refusals) == self._count:
                self._known.set()
        return refusal

    def require_one(self, stop: Event) -> None:
        """Wait until one tenant has signed in.

        Raises RunInterruptedError if stopped, and ConnectionSetupError if all fail; it is transient if all of
        them can succeed later.
        """
        while not self._known.wait(_POLL_INTERVAL_S):
            if stop.is_set():
                break
        if self._lost:
            lost = ConnectionSetupError(str(self._lost))
            lost.transient = True
            raise lost
        if self._succeeded:
            return
        if stop.is_set():
            raise RunInterruptedError("the run was stopped before a tenant was signed in")
        messages = [f"{name}: {refusal}" for name, refusal in sorted(self._refusals.items())]
        more = f"; and {len(messages) - _MAX_NAMED} more" if len(messages) > _MAX_NAMED else ""
        failure = ConnectionSetupError(f"no tenant could sign in: {'; '.join(messages[:_MAX_NAMED])}{more}")
        failure.transient = self._may_pass
        raise failure


def _refusal(client: Client) -> RowError | None:
    try:
        client.sign_in()
    except RowError as error:
        return error
    except RunInterruptedError as error:
        return RowError("cancelled", str(error))
    except RunStoppedError:
        raise
    except ConnectorError as error:
        return RowError("auth_failed", str(error))
    except Exception as error:
        message = f"a bug in the connector, while signing in: {type(error).__name__}: {error}"
        return RowError("internal_error", message)
    return None
