#!/usr/bin/python
"""Ansible module that runs an action of NinjaOne or HaloPSA once, by the Python library."""

from __future__ import annotations

DOCUMENTATION = r"""
module: call
short_description: Run an action of NinjaOne or HaloPSA
description:
  - Runs one action of the catalog of C(ninjaone-connector). C(ninjaone actions WORDS) finds actions, and
    C(ninjaone show ACTION) shows the inputs of one.
  - Values are checked before anything is sent. The package keeps the minimum interval between the requests of
    all tasks with one account, and repeats single requests where that is safe.
  - The module never runs the action a second time. With the keyword C(retries), use C(until) with
    RV(transient), because after other failures the next attempt would fail in the same way, or the request
    may have taken effect.
author: ninjaone-connector contributors (@ninjaone-connector)
requirements:
  - ninjaone-connector, for the Python that runs the module
attributes:
  check_mode:
    support: full
    description: Reads are run. Other actions are checked, and RV(request) is returned without sending it.
  diff_mode:
    support: full
    description: Shows the request of an action that is not a read.
options:
  action:
    description: The name of the action, for example V(reboot_device) or V(halopsa.create_ticket).
    type: str
    required: true
  inputs:
    description: The inputs of the action by name. Ids can also be unique names.
    type: dict
    default: {}
  secret_inputs:
    description:
      - More inputs, whose values are hidden in all output.
      - An input that the action declares as a secret must be here.
    type: dict
    default: {}
  connection:
    description:
      - The name of a saved connection, or a connection file.
      - Without it, and without the options below, it is the environment's connection, or the default one.
    type: str
  region:
    description: The region of NinjaOne, in place of O(connection).
    type: str
  base_url:
    description: The address of the instance, in place of O(connection) and O(region).
    type: str
  client_id:
    description: The id of the client app, in place of O(connection).
    type: str
  client_secret:
    description: The secret of the client app.
    type: str
  confirm:
    description: Confirms an action with the effect destructive, which is refused otherwise.
    type: bool
    default: false
"""

EXAMPLES = r"""
- name: Find the servers
  ninjaone.connector.call:
    connection: acme
    action: list_devices
    inputs:
      filter: class = WINDOWS_SERVER
  register: servers

- name: Silence each of them for the upgrade
  ninjaone.connector.call:
    connection: acme
    action: schedule_maintenance
    inputs:
      device_id: "{{ item.id }}"
      disabled_features: [ALERTS]
      end: "{{ maintenance_end }}"
  loop: "{{ servers.result }}"
  register: silenced
  retries: 3
  until: silenced is succeeded or not silenced.transient

- name: Reboot one device
  ninjaone.connector.call:
    base_url: https://eu.ninjarmm.com
    client_id: "{{ ninjaone_client_id }}"
    client_secret: "{{ ninjaone_client_secret }}"
    action: reboot_device
    inputs:
      device_id: 12
      mode: NORMAL
    confirm: true
"""

RETURN = r"""
result:
  description: The result of the action; a list has all of its items.
  returned: always, except in check mode for actions that are not reads
  type: raw
code:
  description:
    - The code of a failure, such as V(not_found), or null.
    - With V(outcome_unknown), the request may have taken effect. Check this before the task is run again.
  returned: always, if the action was run
  type: str
status:
  description: The HTTP status of the last response.
  returned: always, if the action was run
  type: int
transient:
  description: Whether a failed task is worth a retry as it is.
  returned: always
  type: bool
request:
  description: The request that would be sent, without secrets.
  returned: in check mode, for actions that are not reads
  type: dict
changed:
  description: Whether the action is not a read and a request was sent, also if the task failed.
  returned: always
  type: bool
"""

import traceback
from typing import Any

from ansible.module_utils.basic import AnsibleModule, missing_required_lib

IMPORT_ERROR = ""
try:
    from connector import Catalog, ConnectorError, RunError, Session
except ImportError:
    IMPORT_ERROR = traceback.format_exc()

SETTINGS = ("region", "base_url", "client_id", "client_secret")
"""The options that are settings of a connection."""


class Module(AnsibleModule):  # type: ignore[misc]  # Ansible need not be installed where types are checked
    """The module of a task, of which the system's log has only the name of the action."""

    def log(self, msg: Any, log_args: Any = None) -> None:
        """Write to the system's log. Inputs are not written, as a secret among them is refused only later."""
        super().log(f"Invoked with action={self.params.get('action')}")


def main() -> None:
    """Run the action of one task."""
    module = Module(
        argument_spec={
            "action": {"type": "str", "required": True},
            "inputs": {"type": "dict", "default": {}},
            "secret_inputs": {"type": "dict", "default": {}, "no_log": True},
            "connection": {"type": "str"},
            "region": {"type": "str"},
            "base_url": {"type": "str"},
            "client_id": {"type": "str"},
            "client_secret": {"type": "str", "no_log": True},
            "confirm": {"type": "bool", "default": False},
        },
        supports_check_mode=True,
    )
    if IMPORT_ERROR:
        missing = missing_required_lib("ninjaone-connector")
        module.fail_json(msg=missing, exception=IMPORT_ERROR, transient=False)
    try:
        run(module)
    except ConnectorError as error:
        module.fail_json(msg=str(error), transient=getattr(error, "transient", False))


def run(module: Any) -> None:
    """Run the action, or preview it in check mode, and end the module. Raises ConnectorError."""
    given, catalog = module.params, Catalog()
    action = catalog.action(given["action"])
    check_consent(module, action)
    inputs = {**given["inputs"], **given["secret_inputs"]}
    settings = {name: given[name] for name in SETTINGS if given[name] is not None}
    with Session(given["connection"], service=action.service, catalog=catalog, **settings) as session:
        shown: dict[str, Any] = {}
        if action.effect != "read" and (module.check_mode or module._diff):
            request = session.preview(action.name, **inputs)
            shown = {"diff": {"prepared": module.jsonify(request)}} if module._diff else {}
            if module.check_mode:
                module.exit_json(changed=True, transient=False, request=request, **shown)
        envelope = session.envelope(action.name, inputs, confirm=given["confirm"])
    finish(module, action, envelope, shown)


def check_consent(module: Any, action: Any) -> None:
    """Raise RunError for a secret that would be shown, a repeated input, or a missing confirmation."""
    visible, hidden = module.params["inputs"], module.params["secret_inputs"]
    module.no_log_values.update(action.secrets_in(visible))  # first, as every error shows the options
    for secret in action.secret_inputs:
        if secret.name in visible:
            raise RunError(f"{secret.name} is a secret: give it in secret_inputs. Nothing was sent")
    for name in visible.keys() & hidden.keys():
        raise RunError(f"{name} appears twice, in inputs and in secret_inputs. Nothing was sent")
    if action.effect == "destructive" and not module.params["confirm"]:
        raise RunError(f"{action.name} is destructive: it requires confirm: true. Nothing was sent")


def finish(module: Any, action: Any, envelope: Any, shown: dict[str, Any]) -> None:
    """End the module with the result of the action."""
    meta = envelope.meta
    for warning in meta.get("warnings", ()):
        module.warn(warning)
    was_sent = meta["attempts"] > 0 and not meta.get("existed")
    outcome = {
        "changed": action.effect != "read" and was_sent,
        "result": envelope.result,
        "code": meta["code"],
        "status": meta["status"],
        "transient": meta.get("transient", False),
        **shown,
    }
    if envelope.has_error:
        module.fail_json(msg=envelope.error, **outcome)
    module.exit_json(**outcome)


if __name__ == "__main__":
    main()
