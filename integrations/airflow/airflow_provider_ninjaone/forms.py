"""The forms of the connection types: Airflow 3 reads them from here, and Airflow 2 from the hooks."""

from __future__ import annotations

from typing import Any

_READ_ONLY = {
    "label": "Read-only",
    "description": "Refuse every action that changes something.",
    "schema": {"type": ["boolean", "null"]},
}
FIELDS: dict[str, dict[str, dict[str, Any]]] = {
    "NinjaOne": {
        "region": {
            "label": "Region",
            "description": "One of us, us2, eu, ca, oc and fed; leave it empty if there is a base URL.",
            "schema": {"type": ["string", "null"]},
        },
        "read_only": _READ_ONLY,
    },
    "HaloPSA": {
        "tenant": {
            "label": "Tenant",
            "description": "The tenant of a hosted instance. Default: it is requested from the instance.",
            "schema": {"type": ["string", "null"]},
        },
        "read_only": _READ_ONLY,
    },
}
"""The fields of a connection type's form, besides those of every connection. They are in its `extra`."""
_BASE_URLS = {
    "NinjaOne": "https://acme.example.com, only for an instance with a custom host name",
    "HaloPSA": "https://acme.halopsa.com",
}


def behavior(title: str) -> dict[str, Any]:
    """Return the labels, placeholders and hidden fields of a connection type's form."""
    return {
        "hidden_fields": ["schema", "port"],
        "relabeling": {"host": "Base URL", "login": "Client ID", "password": "Client secret"},
        "placeholders": {"host": _BASE_URLS[title]},
    }


def connection_type(title: str) -> dict[str, Any]:
    """Return a connection type for the provider's information."""
    shown = behavior(title)
    return {
        "connection-type": title.lower(),
        "hook-name": title,
        "hook-class-name": f"airflow_provider_ninjaone.hooks.{title}Hook",
        "conn-fields": FIELDS[title],
        "ui-field-behaviour": {name.replace("_", "-"): value for name, value in shown.items()},
    }


def form_widgets(title: str) -> dict[str, Any]:
    """Return the fields of a connection type's form as widgets of Airflow 2."""
    from flask_appbuilder.fieldwidgets import BS3TextFieldWidget
    from wtforms import BooleanField, StringField

    def widget(field: dict[str, Any]) -> Any:
        label, description = field["label"], field["description"]
        if "boolean" in field["schema"]["type"]:
            return BooleanField(label, description=description, default=False)
        return StringField(label, description=description, widget=BS3TextFieldWidget())

    return {name: widget(field) for name, field in FIELDS[title].items()}
