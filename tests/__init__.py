"""Tests of the inversion table controller; folders mirror those of the project."""
