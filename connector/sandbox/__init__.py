"""Mock servers that run on this machine: stateful, with faults on demand and a log of what was received.

The modules of this package are what any mock server needs; each package inside it holds one service's
operations, data and sign-in (see `service.MockService`). A mock server serves real HTTP on the loopback
interface, so that the connector can be tried, shown and tested without an account.
"""
