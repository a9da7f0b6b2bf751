"""NinjaOne actions with Jinja-templated inputs: rows in, one envelope per row out."""

import logging
from typing import Any

logging.getLogger(__name__).addHandler(
    logging.NullHandler()
)  # applications that import the package configure logging themselves

__version__ = "2.1.0"

_PUBLIC = {
    "NinjaOne": "connector.library.ninjaone",
    "HaloPSA": "connector.library.halopsa",
    "Session": "connector.library.session",
    "Catalog": "connector.catalog.catalog",
    "Envelope": "connector.files.envelope",
    **dict.fromkeys(
        (
            *("ActionError", "ConnectionSetupError", "ConnectorError", "FailureLimitError", "InputError"),
            *("NotStartedError", "RunError", "RunStoppedError"),
        ),
        "connector.errors",
    ),
}
"""The names of the library and their modules, which are imported when a name is first used."""

__all__ = ["__version__", *_PUBLIC]


def __getattr__(name: str) -> Any:
    """Return a name of the library. Raises AttributeError."""
    if name not in _PUBLIC:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    value = globals()[name] = getattr(import_module(_PUBLIC[name]), name)
    return value


def __dir__() -> list[str]:
    """Return the names of the module, also those that are not imported yet."""
    return sorted({*globals(), *_PUBLIC})
