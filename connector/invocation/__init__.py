"""Running an action for one row: bindings, handlers, paging, requests and the envelope."""
