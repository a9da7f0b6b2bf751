"""Declarations of services, actions and inputs, and the checks of declarations and values."""
