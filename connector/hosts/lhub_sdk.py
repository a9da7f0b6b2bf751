"""Import the parts of the LogicHub SDK `lhub_integ` that this package uses, on demand."""

from __future__ import annotations

import importlib
import sys
from functools import cache
from types import SimpleNamespace
from typing import Any

from connector.errors import RunError

KNOWN = "1.0.14"
"""The supported version of the SDK."""

_RUNNER = "lhub_integ.shim_exec"
_PARTS = {
    "lhub_integ.decorators": ("action", "connection_validator"),
    "lhub_integ.execution": ("ExecutionType",),
    "lhub_integ.env": ("MappedColumnEnvVar",),
    "lhub_integ.params": ("ConnectionParam", "DataType", "InputType", "ValidationError"),
    "lhub_integ.util": ("LHUB_ID", "exit_with_instantiation_errors", "print_result"),
    "lhub_integ.common.verify_ssl": ("verify_ssl_enabled",),
    "lhub_integ.common.constants": (
        "EXECUTION_END_TIME",
        "INPUT_DATA_JSON_FOLDER_PATH",
        "TIME_BETWEEN_ROWS",
    ),
}


@cache
def load_sdk() -> Any:
    """Import the SDK and return an object with its parts as attributes. Raises RunError if one is missing.

    In file mode, importing the SDK replaces `sys.stdout` and `sys.stderr`.
    """
    parts = SimpleNamespace()
    try:
        for module, names in _PARTS.items():
            imported = importlib.import_module(module)
            for name in names:
                setattr(parts, name, getattr(imported, name))
        parts.once = parts.ExecutionType.PROCESS_ONCE
    except (ImportError, AttributeError) as error:
        raise RunError(
            f"this connector supports lhub_integ {KNOWN}, but another version is installed: {error}"
        ) from error
    return parts


def runs_actions() -> bool:
    """Return whether this process is the SDK's `shim_exec`, which runs an action."""
    main = getattr(sys.modules.get("__main__"), "__spec__", None)
    return _RUNNER in sys.modules or (main is not None and main.name == _RUNNER)
