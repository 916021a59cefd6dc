"""Benchmarks: each measures its floor in the same run and prints the ratio. Never part of the tests."""
