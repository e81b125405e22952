"""The simulated table: a body on a driven, braked pivot, its sensors and switches, and the people around it.

`table.build` puts a whole table together; `bridge` is how the control loop meets it, `panel` how people do, and
`hooks` lists everything that can be made to go wrong with it. Time is virtual: it passes inside `Bridge.read`.
"""
