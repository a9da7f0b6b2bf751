"""The form of a connection in LogicHub: its fields, and the check of the connection."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from typing import Any

from connector.catalog.service import Service
from connector.connections.connection import Connection, make_connection
from connector.errors import ConnectionSetupError, ConnectorError, NotSentError, RowError
from connector.hosts.host import try_sign_in
from connector.hosts.lhub_sdk import load_sdk


class ConnectionForm:
    """The connection parameters of a service, registered with the SDK, and the connection check."""

    def __init__(self, service: Service) -> None:
        self._sdk, self._service = load_sdk(), service
        self._fields = {
            **self._host_fields(),
            **{
                name: self._field(
                    name, setting.title, setting.description or setting.title, optional=not setting.required
                )
                for name, setting in service.settings.items()
            },
            "client_id": self._field("client_id", "Client ID", "The id of your client app"),
            "client_secret": self._field(
                "client_secret",
                "Client secret",
                "The secret of your client app",
                input_type=self._sdk.InputType.PASSWORD,
            ),
            "verify_tls": self._field(
                "verify_tls",
                "Verify TLS certificates",
                "false only for an instance with a self-signed certificate",
                default="true",
                options=["true", "false"],
            ),
            "proxy": self._field(
                "proxy",
                "Proxy",
                "The URL of a proxy, such as http://proxy.example.com:3128; default: the platform's settings",
                optional=True,
            ),
        }
        self._sdk.connection_validator(self.validate)

    def _host_fields(self) -> dict[str, Any]:
        """Return the form fields for the instance's URL: region and base URL, or only the base URL."""
        title, regions = self._service.title, self._service.regions
        if not regions:
            about = f"The URL of your {title} instance, such as https://acme.example.com"
            return {"base_url": self._field("base_url", "Base URL", about)}
        hosts = "; ".join(f"{name}: {url.partition('://')[2]}" for name, url in regions.items())
        return {
            "region": self._field(
                "region",
                "Region",
                f"The region of your {title} instance, by the host that you use ({hosts})",
                optional=True,
                options=list(regions),
            ),
            "base_url": self._field(
                "base_url",
                "Base URL",
                f"Only for a {title} instance with a custom host, such as https://rmm.example.com; "
                "it is used instead of the region",
                optional=True,
            ),
        }

    def _field(self, name: str, label: str, description: str, **more: Any) -> Any:
        # The SDK also uses the id as the name of an environment variable, so it must be unique.
        id = self._service.environment + name.upper()
        return self._sdk.ConnectionParam(id, label=label, description=description, **more)

    def connection(self) -> Connection:
        """Return the connection with the settings in the form. Raises ConnectionSetupError."""
        texts = {name: (field.read() or "").strip() for name, field in self._fields.items()}
        settings: dict[str, Any] = {name: text for name, text in texts.items() if text}
        if "base_url" in settings:
            settings.pop("region", None)
        asked = settings.get("verify_tls", "true").lower() != "false"
        settings["verify_tls"] = asked and self._sdk.verify_ssl_enabled()
        return make_connection(self._service, settings, "the connection")

    def validate(self) -> list[Any]:
        """Sign in; return the SDK's error for the field that caused a failure, or an empty list."""
        has_url = "region" not in self._fields or (self._fields["base_url"].read() or "").strip()
        instance = "base_url" if has_url else "region"
        try:
            connection = self.connection()
        except ConnectionSetupError as error:
            return self._fault("proxy" if "proxy" in str(error) else instance, error)
        try:
            try_sign_in(self._service, connection)
        except ConnectorError as error:
            return self._fault(_at_fault(error, has_proxy=bool(connection.proxy)) or instance, error)
        return []

    def _fault(self, field: str, error: ConnectorError) -> list[Any]:
        return [self._sdk.ValidationError(str(error), self._fields[field])]


def _at_fault(error: ConnectorError, *, has_proxy: bool) -> str:
    """Return the name of the form field that caused a failed sign-in; empty text for the URL or region."""
    if isinstance(error, ConnectionSetupError):
        # The HTTP transport could not be created: the proxy URL or the CA file is invalid.
        return "proxy" if has_proxy and "proxy" in str(error) else "verify_tls"
    if isinstance(error, RowError) and error.code == "auth_failed" and error.vendor_code:
        return "client_secret" if error.vendor_code == "invalid_client" else "client_id"
    causes = list(_causes(error))
    if any(isinstance(cause, ssl.SSLCertVerificationError) for cause in causes):
        return "verify_tls"
    unsent = any(isinstance(cause, NotSentError) for cause in causes)
    return "proxy" if has_proxy and (unsent or getattr(error, "status", None) == 407) else ""


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    """Yield an error and its causes, including those in its arguments, where HTTP libraries store some."""
    while error is not None:
        yield error
        inner = [argument for argument in error.args if isinstance(argument, BaseException)]
        error = error.__cause__ or (inner[-1] if inner else None)
