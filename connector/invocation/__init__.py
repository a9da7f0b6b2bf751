"""One row through one action: bindings, handlers, pages, requests, its envelope."""
