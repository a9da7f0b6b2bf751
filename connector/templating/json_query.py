"""The filter `json_query`: JMESPath (extra `jmespath`), within the limits of templates."""

from __future__ import annotations

from functools import cache
from typing import Any

from connector.errors import RunError
from connector.templating.limits import refuse, spend, weigh
from connector.templating.values import fail_if_missing

MAX_EXPRESSION_LENGTH = 1000
_STEPS_A_NODE = 16
_PARTS = frozenset(
    ("field", "identity", "current", "literal", "index", "index_expression", "subexpression", "pipe")
)
"""The types of JMESPath expressions whose value is a part of a value that was measured before."""


def check_json_query() -> None:
    """Raise RunError if JMESPath is not installed."""
    try:
        import jmespath  # type: ignore[import-untyped]  # noqa: F401 - only whether it is there
    except ImportError as error:
        raise RunError('the filter json_query requires JMESPath: run "pip install jmespath"') from error


def json_query(value: Any, expression: str) -> Any:
    """Return the part of a value that a JMESPath expression selects.

    Raises ValueError for an invalid expression.
    """
    import jmespath.exceptions  # type: ignore[import-untyped]

    fail_if_missing(value)
    if not isinstance(expression, str):
        raise TypeError("an expression of json_query is a text")
    if len(expression) > MAX_EXPRESSION_LENGTH:
        refuse(f"an expression of json_query can have at most {MAX_EXPRESSION_LENGTH:,} characters")
    weigh(value)
    try:
        parsed = jmespath.compile(expression).parsed
        return _interpreter()().visit(parsed, value)
    except jmespath.exceptions.JMESPathError as error:
        reason = str(error).splitlines()[0]
        raise ValueError(f"json_query: {reason}") from None


@cache
def _interpreter() -> Any:
    """Return the class that evaluates expressions, with limits for every value that an expression creates."""
    from jmespath.visitor import TreeInterpreter  # type: ignore[import-untyped]

    class Bounded(TreeInterpreter):  # type: ignore[misc]
        def visit(self, node: Any, *args: Any, **kwargs: Any) -> Any:
            spend(_STEPS_A_NODE)
            made = super().visit(node, *args, **kwargs)
            if node["type"] not in _PARTS and isinstance(made, (str, list, dict)):
                weigh(made)
            return made

    return Bounded
