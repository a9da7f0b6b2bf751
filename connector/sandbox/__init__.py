"""Mock servers that run on this machine, with stored data, simulated faults and a log of requests.

The modules of this package are shared by all mock servers; each subpackage has one service's operations, data
and sign-in (see `service.MockService`). A mock server serves real HTTP on the loopback interface, so that the
connector can be tried, demonstrated and tested without an account.
"""
