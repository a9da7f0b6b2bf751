"""The options in the query of a request."""

from __future__ import annotations

from dataclasses import dataclass

from werkzeug.wrappers import Request

from connector.callers.problems import ProblemError
from connector.errors import nearest
from connector.invocation.invoke import ResultMode

_FLAGS = {"": True, "1": True, "true": True, "0": False, "false": False}


@dataclass(frozen=True)
class CallOptions:
    """How a request is run and answered.

    `rows` "each" gives one envelope for each item of a list. With `mirror`, the response has the status that
    the envelope means. `names` accepts names in place of ids, and `lenient` texts in place of other types.
    """

    connection: str | None = None
    rows: ResultMode = "one"
    mirror: bool = False
    names: bool = False
    lenient: bool = False


def call_options(request: Request) -> CallOptions:
    """Return the options of a call. Raises ProblemError (400)."""
    check_names(request, ("connection", "rows", "status", "names", "lenient"))
    rows = _one_of(request, "rows", ("one", "each"))
    mirror = _one_of(request, "status", ("envelope", "mirror")) == "mirror"
    if mirror and rows == "each":
        raise ProblemError(400, "status=mirror is for one envelope; with rows=each there are several")
    return CallOptions(
        connection=request.args.get("connection") or None,
        rows="each" if rows == "each" else "one",
        mirror=mirror,
        names=flag(request, "names"),
        lenient=flag(request, "lenient"),
    )


def check_names(request: Request, known: tuple[str, ...]) -> None:
    """Raise ProblemError (400) for an unknown or repeated parameter."""
    for name, values in request.args.lists():
        if name not in known:
            listed = ", ".join(known) or "there are none"
            raise ProblemError(400, f'no parameter "{name}"{nearest(name, known)}; parameters: {listed}')
        if len(values) > 1:
            raise ProblemError(400, f'the parameter "{name}" is given {len(values)} times')


def flag(request: Request, name: str) -> bool:
    """Return whether a parameter is set, such as `?names=1`. Raises ProblemError (400)."""
    value = request.args.get(name)
    if value is None:
        return False
    if value.lower() not in _FLAGS:
        raise ProblemError(400, f'the parameter "{name}" must be 1 or 0')
    return _FLAGS[value.lower()]


def _one_of(request: Request, name: str, allowed: tuple[str, ...]) -> str:
    value = request.args.get(name, allowed[0])
    if value not in allowed:
        raise ProblemError(
            400, f'the parameter "{name}" must be {" or ".join(allowed)}{nearest(value, allowed)}'
        )
    return value
