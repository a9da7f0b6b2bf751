"""The schema of connections follows the declarations of the services, and agrees with what is read."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from connector.catalog.catalog import Catalog
from connector.catalog.json_schema import validator
from connector.catalog.service import Service
from connector.common.package_data import schema
from connector.connections.connection import connection_from_file
from connector.errors import ConnectionSetupError

APP = {"client_id": "an-app", "client_secret": "a-secret-of-the-app"}
HALO = {"service": "halopsa", "base_url": "https://acme.example.com", **APP}


def rule(service: Service, others: set[str]) -> dict[str, Any]:
    """What the schema says of a service alone; a file that names none is of the one with bare names."""
    named: dict[str, Any] = {"properties": {"service": {"const": service.name}}}
    required = [name for name, setting in service.settings.items() if setting.required]
    properties = {
        "region": {"enum": list(service.regions)} if service.regions else False,
        "health_checks_off": {"items": {"enum": list(service.health_check_names)}},
        **dict.fromkeys(sorted(others), False),
    }
    then = {"properties": properties, **({"required": required} if required else {})}
    return {"if": {**named, "required": ["service"]} if service.prefix else named, "then": then}


def test_it_says_of_each_service_what_is_declared(catalog: Catalog) -> None:
    ours = schema("connection.schema.json")
    services = list(catalog.all_services())
    own = {name for service in services for name in service.settings}
    assert ours["properties"]["service"] == {"enum": [service.name for service in services]}
    assert ours["allOf"] == [rule(service, own - service.settings.keys()) for service in services]
    assert own <= ours["properties"].keys()


@pytest.mark.parametrize(
    ("settings", "good"),
    [
        (HALO, True),
        ({**HALO, "tenant": "acme"}, True),
        ({**HALO, "tenant": 5}, False),
        ({**HALO, "region": "eu"}, False),
        ({"service": "halopsa", "region": "eu", **APP}, False),
        ({**HALO, "health_checks_off": ["devices"]}, False),
        ({"region": "eu", **APP, "tenant": "acme"}, False),
        ({**HALO, "service": "other"}, False),
    ],
)
def test_the_schema_and_the_reader_agree_of_a_second_service(
    catalog: Catalog, tmp_path: Path, settings: dict[str, Any], good: bool
) -> None:
    assert validator(schema("connection.schema.json")).is_valid(settings) is good
    path = tmp_path / "connection.yaml"
    path.write_text(yaml.safe_dump(settings))
    service = catalog.service("halopsa" if "halopsa" in settings.get("service", "") else "ninjaone")
    if good:
        assert connection_from_file(service, path, {}).settings == {
            name: text for name, text in settings.items() if name == "tenant"
        }
    else:
        with pytest.raises(ConnectionSetupError):
            connection_from_file(service, path, {})
