"""The sync of two services: clients, sites, asset types, assets, users, tickets and alerts.

The *source* is where devices and alerts come from, the *target* where clients, assets and tickets are. The
package knows these nouns and no vendor: what is specific to one is behind the protocols of `records`, whose
implementations are generators of action calls in `actions/`.

* `alert_rows`, `alert_events`, `alerts`, `alert_tickets`, `snapshots`: the life of an alert as a pure
  function, `alerts.step(rows, event, settings) -> Outcome(changes, calls)`. It does no IO: the caller commits
  the changed rows, then performs the calls and reports the outcome of each as an event.
* `mapping` is the mapping file as frozen dataclasses, `mapping_file` reads it, `templates` compiles and
  renders its templates, `mapping_check` finds ids and members that do not exist, `pins` are people's
  decisions about single records, `values` compares values.
* `state` is `state.db`: links, runs, items, cursors; `state_alerts` its alerts as the rows of `alerts.step`;
  `state_queues` its inbox and outbox; `state_lock` the lock of the one writer.
* `records` has the records of both sides and the protocols `Source` and `Target` (ten methods each). `sides`
  implements them with action calls of a service (`steps`), which `calls` runs on a connection.
* `plan.make_plan(inputs) -> Plan` reads both sides and writes nothing. `plan_items` has the parts of a
  plan, `plan_clients`, `plan_devices` and `plan_assets` make it, `matching` matches records, `asset_fields`
  compares fields, `spool` keeps on disk what does not fit into memory.
* `plan_file` keeps plans as files.
* `alert_driver` runs the life of alerts: it turns deliveries, lists and timers into events, commits what
`step`
  returns, and makes the calls (`alert_calls`) with the device, client and ticket of an alert
  (`alert_context`).
* `receiver` keeps the deliveries of webhooks in the inbox; `hook_key` has their secrets, `webhooks` registers
  them, and `service` is the loop of a process that serves alerts and makes the runs.

`apply` sends `Item.changes` in the order of `Plan.items()`, resolves `{"organization": 2}`,
`{"location": 3}` and `{"type": "Server"}` by the links and names of what it created before, and saves with
the outcome, in one transaction, the link with `Item.hash` and `Item.software_hash`: of a skipped item with a
link its hash alone, and a conflict as a link without a target, with its candidates and reason in `note`. At
the end it saves `Plan.hashes()`, `Plan.seen` through `State.seen` and `unseen`, and `Plan.sources` as the
counts of the run.
"""
