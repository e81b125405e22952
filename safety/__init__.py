"""The judge: what the table may do, decided from integers alone.

`signals` holds the values that pass between bridge, judge and controller; `judge.step` is the one entry;
the other files are one concern each (angle, motion, straps, drive, timing, link, people, arming). Nothing in
this folder knows of devices, files, clocks, screens or the state machine.
"""
