"""Connects to a Temporal server. Importing it requires the package `temporalio`."""

from __future__ import annotations

import re
import time
from datetime import timedelta

from temporalio.client import Client
from temporalio.envconfig import ClientConfig
from temporalio.service import RPCError

from connector.errors import RunError
from connector.temporal.address import Address

_MESSAGE = re.compile(r'message: "([^"]+)"')
_RETURN_S = 0.2
CONNECT_TIMEOUT = timedelta(seconds=10)


def let_threads_return() -> None:
    """Wait until threads of the SDK have returned from their last call to Python.

    Python aborts a process that ends while they return. They cannot be joined.
    """
    time.sleep(_RETURN_S)


async def connect(address: Address) -> Client:
    """Return a client. Raises RunError if the server cannot be reached.

    TLS and the API key are those of Temporal's environment variables and configuration file.
    """
    settings = ClientConfig.load_client_connect_config()
    settings["target_host"], settings["namespace"] = address.host, address.namespace
    try:
        return await Client.connect(**settings, connect_timeout=CONNECT_TIMEOUT)
    except (RPCError, RuntimeError, OSError) as error:
        reason = _MESSAGE.search(str(error))  # of the error of the system, in those of several layers
        said = reason[1] if reason else error
        failure = RunError(f"{address.host}: the Temporal server cannot be reached: {said}")
        failure.transient = True
        raise failure from error
