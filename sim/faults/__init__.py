"""Faults of the simulated table: what can go wrong, how it is written on a command line, and when it comes and goes.

`catalogue` lists every kind, `parsing` reads `NAME@WHEN[+DURATION][:key=value,…]`, `schedule` starts and ends
them at their moment, `effects` keeps what several faults do to one part of the table from disturbing each other.
"""
