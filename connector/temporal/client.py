"""Connects to a Temporal server. Importing it requires the package `temporalio`."""

from __future__ import annotations

from datetime import timedelta

from temporalio.client import Client
from temporalio.envconfig import ClientConfig
from temporalio.service import RPCError

from connector.errors import RunError
from connector.temporal.address import Address

CONNECT_TIMEOUT = timedelta(seconds=10)


async def connect(address: Address) -> Client:
    """Return a client. Raises RunError if the server cannot be reached.

    TLS and the API key are those of Temporal's environment variables and configuration file.
    """
    settings = ClientConfig.load_client_connect_config()
    settings["target_host"], settings["namespace"] = address.host, address.namespace
    try:
        return await Client.connect(**settings, connect_timeout=CONNECT_TIMEOUT)
    except (RPCError, RuntimeError, OSError) as error:
        failure = RunError(f"{address.host}: the Temporal server cannot be reached: {error}")
        failure.transient = True
        raise failure from error
