"""Whole sessions on the simulated table: every fault in every phase, pairs of faults, and what always holds."""
