"""What a table, its limits and a plan are, and how they are read from TOML.

`limits` holds the ceilings and the limits as plain integers; `errors` the tree of our errors; `table`,
`device_limits`, `profile`, `plan` and `screening` the models; `loading` reads them by name or path; `names` knows
what is shipped and where a site keeps its own; `quantities` turns figures with units into exact integers;
`reading` turns bytes into values.
"""
