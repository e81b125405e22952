"""What a table, its limits and a plan are, and how they are read from TOML.

`limits` holds the ceilings and the limits as plain integers, `errors` the tree of our errors; neither needs pydantic.
`table`, `device_limits`, `profile`, `plan` and `screening` are the models, `coherence` what the figures of a profile
must be to one another. `loading` reads them by name or path; `names` knows what is shipped and where a site keeps its
own; `reading` turns bytes into values, `quantities` figures with units into exact integers, `mistakes` what is wrong
into words. `keys` and `reference` list every key for messages and for docs/configuration.md.
"""
