"""Tests of the NinjaOne sandbox: its operations, data and sign-in."""
