"""Hooks: sessions of the Python library with the settings of an Airflow connection."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from airflow_provider_ninjaone.compat import BaseHook
from airflow_provider_ninjaone.forms import behavior, form_widgets

if TYPE_CHECKING:
    from connector import Session


class ServiceHook(BaseHook):
    """The base of the hooks of both services. Its subclasses name the service."""

    conn_name_attr = "conn_id"
    default_conn_name: ClassVar[str]
    conn_type: ClassVar[str]
    hook_name: ClassVar[str]
    listing: ClassVar[str]
    """The action with which a connection is tested, which takes `limit`."""

    def __init__(self, conn_id: str = "") -> None:
        super().__init__()
        self.conn_id = conn_id or self.default_conn_name

    def session(self, **settings: Any) -> Session:
        """Return a session of the library, for a `with` block; see its documentation.

        The settings of the connection are its fields, and the keywords of the library's session in its
        extra. `settings` add to them. Raises ConnectionSetupError.
        """
        from connector import Session  # imported here, so that parsing a DAG does not load the catalog

        return Session(service=self.conn_type, **{**self.settings(), **settings})

    def get_conn(self) -> Session:
        """Return a session of the library: see `session`."""
        return self.session()

    def settings(self) -> dict[str, Any]:
        """Return the settings of the connection, by the names of the library.

        Raises ConnectionSetupError for a setting that is both in a field and in the extra.
        """
        from connector import ConnectionSetupError

        found = self.get_connection(self.conn_id)
        fields = {"base_url": _base_url(found), "client_id": found.login, "client_secret": found.password}
        extra = found.extra_dejson
        fields, extra = ({n: v for n, v in given.items() if v not in (None, "")} for given in (fields, extra))
        if doubled := sorted(fields.keys() & extra.keys()):
            raise ConnectionSetupError(
                f"the connection {self.conn_id}: {doubled[0]} is both in a field and in the extra; keep one"
            )
        return {**fields, **extra}

    def test_connection(self) -> tuple[bool, str]:
        """Return whether a read succeeds with the connection, and a message, for the button Test."""
        try:
            with self.session() as session:
                envelope = session.envelope(self.listing, {"limit": 1})
                where = session.connection.base_url
        except Exception as error:  # Airflow shows the message
            return False, str(error)
        if envelope.error is not None:
            return False, envelope.error
        return True, f"Connection successfully tested: signed in at {where}, and {self.listing} succeeded"


class NinjaOneHook(ServiceHook):
    """A connection of NinjaOne. `session()` returns a session of the library.

    with NinjaOneHook("ninjaone_acme").session() as ninja:
        device = ninja.call("get_device", device_id=12)
    """

    default_conn_name = "ninjaone_default"
    conn_type = "ninjaone"
    hook_name = "NinjaOne"
    listing = "list_organizations"

    @classmethod
    def get_connection_form_widgets(cls) -> dict[str, Any]:
        """Return the fields of the form, for Airflow 2; Airflow 3 has them from the provider."""
        return form_widgets(cls.hook_name)

    @classmethod
    def get_ui_field_behaviour(cls) -> dict[str, Any]:
        """Return the labels of the form, for Airflow 2."""
        return behavior(cls.hook_name)


class HaloPSAHook(ServiceHook):
    """A connection of HaloPSA: see `NinjaOneHook`."""

    default_conn_name = "halopsa_default"
    conn_type = "halopsa"
    hook_name = "HaloPSA"
    listing = "list_clients"

    @classmethod
    def get_connection_form_widgets(cls) -> dict[str, Any]:
        """Return the fields of the form, for Airflow 2; Airflow 3 has them from the provider."""
        return form_widgets(cls.hook_name)

    @classmethod
    def get_ui_field_behaviour(cls) -> dict[str, Any]:
        """Return the labels of the form, for Airflow 2."""
        return behavior(cls.hook_name)


def _base_url(connection: Any) -> str:
    """Return the host of a connection as a URL, with https if it names no scheme; empty without a host."""
    host = str(connection.host or "").strip()
    if host and "://" not in host:
        host = f"https://{host}"
    return f"{host}:{connection.port}" if host and connection.port else host
