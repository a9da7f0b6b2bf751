"""Connects to a Temporal server. Importing it requires the package `temporalio`."""

from __future__ import annotations

import asyncio
import re
import sys
import threading
import time

from temporalio.client import Client
from temporalio.envconfig import ClientConfig
from temporalio.service import RPCError

from connector.errors import RunError
from connector.temporal.address import Address

_MESSAGE = re.compile(r'message: "([^"]+)"')
_POLL_INTERVAL_S = 0.02
_MAX_CALL_S = 5.0
_CONNECT_S = 10


def wait_for_sdk_threads() -> None:
    """Wait until threads of the SDK have returned from their last call to Python, for 5 s at most.

    Before Python 3.14, a process is aborted that exits while a thread that was not started by Python executes
    Python code (https://github.com/temporalio/sdk-python/issues/300). Such threads cannot be joined.
    """
    end = time.monotonic() + _MAX_CALL_S
    is_busy = True
    while is_busy and time.monotonic() < end:
        time.sleep(_POLL_INTERVAL_S)  # a thread that waits for the GIL takes it now
        is_busy = not sys._current_frames().keys() <= {thread.ident for thread in threading.enumerate()}


async def connect(address: Address) -> Client:
    """Return a client. Raises RunError if the server cannot be reached, or the settings are invalid.

    TLS and the API key are those of Temporal's environment variables and configuration file.
    """
    try:
        settings = ClientConfig.load_client_connect_config()
    except (RuntimeError, OSError, ValueError) as error:
        raise _invalid_settings(error) from None
    settings["target_host"], settings["namespace"] = address.host, address.namespace
    try:
        return await asyncio.wait_for(Client.connect(**settings), _CONNECT_S)
    except ValueError as error:  # such as a client certificate without its key
        raise _invalid_settings(error) from None
    except (RPCError, RuntimeError, OSError, asyncio.TimeoutError) as error:
        reason = _MESSAGE.search(str(error))  # of the error of the system, in those of several layers
        said = reason[1] if reason else str(error) or f"no response in {_CONNECT_S} s"
        failure = RunError(f"{address.host}: the Temporal server cannot be reached: {said}")
        failure.transient = True
        raise failure from error


def _invalid_settings(error: Exception) -> RunError:
    """Return the error for invalid settings of Temporal: its first line, as others can show an API key."""
    reason = str(error).partition("\n")[0]
    return RunError(f"invalid environment variables or configuration file of Temporal: {reason}")
