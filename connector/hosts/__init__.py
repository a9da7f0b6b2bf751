"""Hosts: platforms that run the connector's actions over rows of their own.

`host.py` is what every host shares, one module a host speaks its protocol, and each imports its host's SDK
only when it is run by it.
"""
