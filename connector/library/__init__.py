"""The Python library: call actions, and run them over rows, from a program.

`from connector import NinjaOne` is the public name of what is here; see `docs/library.md`.
"""
