"""The judge: what the table may do, decided from integers alone.

`signals` holds the values that pass between bridge, judge and controller; `judge.step` is the one entry; the other
files are one concern each: `angle`, `track` (velocity), `drive` and `standing`, `supply`, `straps`, `people`,
`timing`, `link`, `arming`, `echo` (the second judge), `latches`, and `motion` with `moving` (what may move, how fast).
Nothing in this folder knows of devices, files, clocks, screens or the state machine.
"""
