"""Tests of the mock servers, over real HTTP on the loopback interface; those of one service in a folder."""
