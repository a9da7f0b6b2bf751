"""Apache Airflow provider for NinjaOne and HaloPSA, over the Python library of ninjaone-connector."""

from __future__ import annotations

from typing import Any

__version__ = "1.0.0"


def get_provider_info() -> dict[str, Any]:
    """Return what Airflow lists of the provider: its entry point `apache_airflow_provider`."""
    from airflow_provider_ninjaone.forms import connection_type

    modules = {"hooks": "airflow_provider_ninjaone.hooks", "operators": "airflow_provider_ninjaone.operators"}
    return {
        "package-name": "airflow-provider-ninjaone",
        "name": "NinjaOne and HaloPSA",
        "description": "Actions of NinjaOne and HaloPSA, for a call or for the rows of a file.",
        "versions": [__version__],
        "integrations": [
            {"integration-name": name, "external-doc-url": url, "tags": ["service"]}
            for name, url in (("NinjaOne", "https://www.ninjaone.com"), ("HaloPSA", "https://halopsa.com"))
        ],
        **{
            kind: [{"integration-name": name, "python-modules": [module]} for name in ("NinjaOne", "HaloPSA")]
            for kind, module in modules.items()
        },
        "connection-types": [connection_type("NinjaOne"), connection_type("HaloPSA")],
    }
