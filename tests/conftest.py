"""What every test of this project gets: what this machine can run is known, and simulated tables can be made."""

pytest_plugins = ["tests.needs", "sim.pytest_plugin", "pytester"]
