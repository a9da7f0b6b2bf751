"""Keep two services in sync: clients, sites, asset types, assets, users, tickets and alerts.

The *source* service has the devices and alerts; the *target* service has the clients, assets and tickets.
This package contains no vendor-specific code: the implementations of the protocols in `records` are
generators of action calls in `actions/`.

* `alert_rows`, `alert_events`, `alerts`, `alert_tickets`, `snapshots`: the alert state machine, a pure
  function `alerts.step(rows, event, settings) -> (changes, calls)`. It does no I/O: the caller commits the
  changed rows, then makes the calls and passes the outcome of each as a further event.
* `mapping` has the mapping file as frozen dataclasses, `mapping_file` reads it, `templates` compiles and
  renders its templates, `mapping_check` finds ids and names in it that do not exist, `pins` has the decisions
  of users about single records, `values` compares values.
* `state` reads and writes `state.db`: links, runs, items, cursors. `state_alerts` stores the rows of
  `alerts.step`, `state_queues` the inbox and outbox, `state_lock` allows one writer at a time.
* `records` has the records of both services and the protocols `Source` and `Target`. `sides` implements the
  protocols with action calls of a service (`steps`), which `calls` runs on a connection.
* `plan.make_plan(inputs) -> Plan` reads both services and writes nothing. `plan_items` has the parts of a
  plan, `plan_clients`, `plan_devices` and `plan_assets` make it, `matching` matches records, `asset_fields`
  compares fields, `spool` stores on disk what does not fit into memory.
* `plan_file` saves plans as files.
* `alert_driver` runs the alert state machine: it turns webhook deliveries, lists and timers into events,
  commits the changes that `step` returns, and makes the calls (`alert_calls`) with the device, client and
  ticket of an alert (`alert_context`).
* `receiver` stores webhook deliveries in the inbox; `hook_key` has their secrets, `webhooks` registers the
  webhooks, and `service` is the main loop of a process that handles alerts and starts the runs.

`apply` sends `Item.changes` in the order of `Plan.items()`. It resolves `{"organization": 2}`,
`{"location": 3}` and `{"type": "Server"}` through the links and names of the records that it has created. In
one transaction with an item's outcome it saves the item's link with `Item.hash` and `Item.software_hash`. For
a skipped item with a link it saves the hash only; a conflict is saved as a link without a target, with its
candidates and reason in `note`. At the end it saves `Plan.hashes()`, `Plan.seen` (through `State.seen` and
`unseen`), and `Plan.sources` as the counts of the run.
"""
