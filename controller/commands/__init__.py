"""The subcommands of `inversion-table`, a file for each family: `configuration` is `check`, `profiles` and `plans`."""
