"""Hosts: other platforms that run the connector's actions over their rows.

`host.py` is shared by all hosts. The other modules implement the protocol of one host each, and import its
SDK only when the host runs them.
"""
