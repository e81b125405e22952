"""What every test of this project gets beside the simulated table, which comes with the package as a pytest plugin."""

import signal

pytest_plugins = ["tests.needs", "pytester"]


def pytest_configure() -> None:
    """Hear Ctrl-C, and let the programs under test hear it, also where all this was started in the background.

    A shell has its background jobs ignore SIGINT, and whatever they start inherits that.
    """
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
