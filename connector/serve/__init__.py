"""Actions over HTTP: the application, its keys, its documents, and the store of repeated requests."""
