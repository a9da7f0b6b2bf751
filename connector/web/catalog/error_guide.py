"""Which errors an action can give, when, and what to do about each."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from connector.catalog.action import Action
from connector.catalog.service import Service


@dataclass(frozen=True)
class Failure:
    """One `meta.code`: when it comes, what to do, and whether the row may be sent again."""

    code: str
    when: str
    what_to_do: str
    again: str


def failures(action: Action, service: Service) -> list[Failure]:
    """List the codes that apply to an action, those that are found before anything is sent first."""
    return [
        *_before_sending(action),
        *_refused(action, service),
        *_unclear(action),
        Failure(
            "cancelled",
            "The run was stopped before this row was sent.",
            "Resume the run, or rerun the row.",
            "yes",
        ),
        Failure("internal_error", "A fault of the connector itself.", "Report it with the message.", "no"),
    ]


def needed_scope(action: Action, service: Service) -> str:
    """Name the scope that the client app needs, in the vendor's spelling; empty where none is known."""
    needed = "reads" if _reads(action) else "writes"
    return next((name.capitalize() for name, what in service.scopes.items() if what == needed), "")


def _before_sending(action: Action) -> Iterator[Failure]:
    yield Failure(
        "template_error",
        "A template could not be rendered, such as for a field that the row lacks.",
        "The message names the nearest field; {{ x | default('') }} says that one may be missing.",
        "yes",
    )
    rules = ", or the inputs together break a rule" if action.rules else ""
    yield Failure(
        "input_invalid",
        f"A value is missing, of the wrong type or not allowed{rules}.",
        "The message names the input, what was wrong and what is allowed. Fix the row or the template.",
        "yes",
    )


def _refused(action: Action, service: Service) -> Iterator[Failure]:
    hints = service.errors.hints
    scope = needed_scope(action, service)
    wants = f" This action wants the scope {scope}." if scope else ""
    yield Failure(
        "auth_failed",
        "The sign-in was refused, or ended and could not be renewed.",
        "Test the connection: ninjaone connection test.",
        "yes",
    )
    yield Failure(
        "forbidden",
        f"The client app may not do this.{wants}",
        _sentence(hints.get("forbidden", "")),
        "yes",
    )
    if any(given.place in ("path", "body", "part") for given in action.inputs.values()):
        deleted = " (Deleting again what is gone succeeds.)" if action.method == "DELETE" else ""
        yield Failure(
            "not_found",
            f"There is nothing with the id that was given.{deleted}",
            _sentence(hints.get("not_found", "")),
            "yes",
        )
    if not _reads(action):
        yield Failure(
            "conflict",
            "It is there already, or was changed meanwhile.",
            _sentence(hints.get("conflict", "")),
            "yes",
        )
    yield Failure(
        "rate_limited",
        "The API kept saying “too many requests”.",
        _sentence(hints.get("rate_limited", "")),
        "yes",
    )
    yield Failure(
        "api_error",
        "The API refused the request for another reason, or failed.",
        "The message has what the API said, with its incident id.",
        "if it was refused" if not _repeatable(action) else "yes",
    )


def _unclear(action: Action) -> Iterator[Failure]:
    safe = _repeatable(action)
    if action.returns_json or action.returns_file:
        yield Failure(
            "bad_response",
            "The answer could not be read, or lacks what is due.",
            "Look at what came back." if safe else "Look in NinjaOne whether it was done, then decide.",
            "yes" if safe else "no",
        )
    yield Failure(
        "timeout", "No answer came in time.", "Raise timeout_s of the connection, or try later.", "yes"
    )
    yield Failure("network_error", "The connection failed.", "Check network, proxy and host.", "yes")
    if action.handler and not _reads(action):
        yield Failure(
            "partial",
            "Some of its requests were carried out, then one failed.",
            "result.done tells what was done. Finish by hand, or mend the row and run what is left.",
            "if what was done may be done twice",
        )
    if not safe:
        yield Failure(
            "outcome_unknown",
            "It was sent, and its answer was lost: it may have been carried out, or not.",
            "Look in NinjaOne whether it was done. It is never sent again by itself.",
            "no",
        )


def _reads(action: Action) -> bool:
    return action.effect == "read"


def _repeatable(action: Action) -> bool:
    return action.effect == "read" or action.idempotent


def _sentence(text: str) -> str:
    return text if not text or text.endswith(".") else f"{text}."
