"""What every test of this project gets: the plugin that knows what this machine can run."""

pytest_plugins = ["tests.needs", "pytester"]
