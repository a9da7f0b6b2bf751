"""The error codes that an action can return, when they occur, and what to do."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from connector.catalog.action import Action
from connector.catalog.service import Service


@dataclass(frozen=True)
class Failure:
    """One `meta.code`: when it occurs, what to do, and whether the row can be retried."""

    code: str
    when: str
    what_to_do: str
    again: str


def failures(action: Action, service: Service) -> list[Failure]:
    """Return the error codes that apply to an action; codes of errors before anything is sent come first."""
    return [
        *_before_sending(action),
        *_refused(action, service),
        *_unclear(action, service),
        Failure(
            "cancelled",
            "The run was stopped before this row was sent.",
            "Resume the run, or rerun the row.",
            "yes",
        ),
        Failure("internal_error", "A bug in the connector.", "Report it with its message.", "no"),
    ]


def needed_scope(action: Action, service: Service) -> str:
    """Return the OAuth scope that the client app needs, in the vendor's spelling; empty if not known."""
    needed = "reads" if _reads(action) else "writes"
    return next((name.capitalize() for name, what in service.scopes.items() if what == needed), "")


def _before_sending(action: Action) -> Iterator[Failure]:
    yield Failure(
        "template_error",
        "A template could not be rendered, for example because the row has no such field.",
        "The message suggests a similar field; use {{ x | default('') }} for a field that can be missing.",
        "yes",
    )
    rules = ", or the inputs together break a rule" if action.rules else ""
    yield Failure(
        "input_invalid",
        f"A value is missing, of the wrong type or not allowed{rules}.",
        "The message names the input, the error and the allowed values. Fix the row or the template.",
        "yes",
    )


def _refused(action: Action, service: Service) -> Iterator[Failure]:
    hints = service.errors.hints
    scope = needed_scope(action, service)
    required = f" This action requires the scope {scope}." if scope else ""
    yield Failure(
        "auth_failed",
        "The sign-in failed, or expired and could not be renewed.",
        f"Test the connection: ninjaone connection test{_service_option(service)}.",
        "yes",
    )
    yield Failure(
        "forbidden",
        f"The client app does not have permission.{required}",
        _sentence(hints.get("forbidden", "")),
        "yes",
    )
    if any(given.place in ("path", "body", "part") for given in action.inputs.values()):
        deleted = (
            " (Deleting something that was already deleted succeeds.)" if action.method == "DELETE" else ""
        )
        yield Failure(
            "not_found",
            f"No record has the given id.{deleted}",
            _sentence(hints.get("not_found", "")),
            "yes",
        )
    if not _reads(action):
        yield Failure(
            "conflict",
            "It already exists, or was changed in the meantime.",
            _sentence(hints.get("conflict", "")),
            "yes",
        )
    yield Failure(
        "rate_limited",
        "The API still responded “too many requests” after all retries.",
        _sentence(hints.get("rate_limited", "")),
        "yes",
    )
    yield Failure(
        "api_error",
        "The API rejected the request for another reason, or failed.",
        "The message contains the error from the API with its incident id.",
        "if it was rejected" if not _repeatable(action) else "yes",
    )


def _unclear(action: Action, service: Service) -> Iterator[Failure]:
    safe = _repeatable(action)
    if action.returns_json or action.returns_file:
        yield Failure(
            "bad_response",
            "The response could not be read, or is incomplete.",
            "See the message."
            if safe
            else f"Check in {service.title} whether it took effect before you send it again.",
            "yes" if safe else "no",
        )
    yield Failure(
        "timeout",
        "No response arrived in time.",
        "Increase the connection's timeout_s, or try again later.",
        "yes",
    )
    yield Failure("network_error", "The connection failed.", "Check network, proxy and host.", "yes")
    if action.handler and not _reads(action):
        yield Failure(
            "partial",
            "Some of its requests took effect, then one failed.",
            "result.done lists the completed requests. Send the others manually, or correct the row and run "
            "only those.",
            "if the completed requests can be repeated",
        )
    if not safe:
        yield Failure(
            "outcome_unknown",
            "The request was sent, but its response was lost: it may have taken effect, or not.",
            f"Check in {service.title} whether it took effect. It is never retried automatically.",
            "no",
        )
    if action.outcome:
        yield Failure(
            "execution_failed",
            "With --wait: the device reports that the work failed.",
            "See the exit code in meta.outcome.",
            "no",
        )
        yield Failure(
            "execution_timeout",
            "With --wait: the end of the work was not reported in time.",
            f"Check in {service.title}: the device may still do the work.",
            "no",
        )


def _service_option(service: Service) -> str:
    return f" --service {service.name}" if service.prefix else ""


def _reads(action: Action) -> bool:
    return action.effect == "read"


def _repeatable(action: Action) -> bool:
    return action.effect == "read" or action.idempotent


def _sentence(text: str) -> str:
    return text if not text or text.endswith(".") else f"{text}."
