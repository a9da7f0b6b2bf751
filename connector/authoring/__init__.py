"""Tools for people who write actions: checks, reference, drafts from an OpenAPI document, drift."""
