"""What every test of this project gets beside the simulated table, which comes with the package as a pytest plugin."""

pytest_plugins = ["tests.needs", "pytester"]
