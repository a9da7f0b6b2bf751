"""The connection's form in LogicHub follows the declaration of its service."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from connector.catalog.catalog import Catalog
from connector.errors import ConnectionSetupError
from connector.hosts import lhub_connection
from connector.hosts.lhub_connection import ConnectionForm


class Form:
    """In place of the SDK, which is not installed: it keeps the fields, and gives the texts in them."""

    def __init__(self) -> None:
        self.fields: dict[str, dict[str, Any]] = {}
        self.texts: dict[str, str] = {}
        self.InputType = SimpleNamespace(PASSWORD="password")

    def ConnectionParam(self, id: str, **about: Any) -> Any:
        self.fields[id] = about
        return SimpleNamespace(read=lambda: self.texts.get(id, about.get("default")))

    def connection_validator(self, check: Any) -> None:
        pass

    def verify_ssl_enabled(self) -> bool:
        return True


@pytest.fixture
def form(monkeypatch: pytest.MonkeyPatch) -> Form:
    made = Form()
    monkeypatch.setattr(lhub_connection, "load_sdk", lambda: made)
    return made


def test_a_service_with_regions(catalog: Catalog, form: Form) -> None:
    ConnectionForm(catalog.service("ninjaone"))
    fields = ["REGION", "BASE_URL", "CLIENT_ID", "CLIENT_SECRET", "VERIFY_TLS", "PROXY"]
    assert list(form.fields) == [f"NINJAONE_{field}" for field in fields]
    assert form.fields["NINJAONE_REGION"]["options"] == ["us", "us2", "eu", "ca", "oc", "fed"]
    assert form.fields["NINJAONE_BASE_URL"]["optional"]


def test_a_service_without_regions_and_with_a_setting_of_its_own(catalog: Catalog, form: Form) -> None:
    made = ConnectionForm(catalog.service("halopsa"))
    fields = ["BASE_URL", "TENANT", "CLIENT_ID", "CLIENT_SECRET", "VERIFY_TLS", "PROXY"]
    assert list(form.fields) == [f"HALOPSA_{field}" for field in fields]
    assert "optional" not in form.fields["HALOPSA_BASE_URL"]
    assert form.fields["HALOPSA_TENANT"]["optional"]
    assert "HaloPSA" in form.fields["HALOPSA_BASE_URL"]["description"]
    form.texts = {
        "HALOPSA_BASE_URL": "https://acme.example.com",
        "HALOPSA_TENANT": "acme",
        "HALOPSA_CLIENT_ID": "an-app",
        "HALOPSA_CLIENT_SECRET": "a-secret-of-the-app",
    }
    connection = made.connection()
    assert (connection.base_url, connection.settings) == ("https://acme.example.com", {"tenant": "acme"})
    del form.texts["HALOPSA_BASE_URL"]
    with pytest.raises(ConnectionSetupError, match="base_url"):
        made.connection()
