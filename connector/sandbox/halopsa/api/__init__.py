"""Requests and responses of the operations of the mock service."""
