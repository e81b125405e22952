"""Tests of the controller folder."""
