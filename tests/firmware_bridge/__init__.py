"""Tests of the ways to a table."""
