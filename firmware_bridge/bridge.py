"""What every way to a table must do: read, write, close."""

from typing import Protocol

from safety.signals import Command, Host, Readings, Signals


class Bridge(Protocol):
    """One table, as the control loop sees it.

    A command is leased: a bridge that is not written to for `lease_ms` brings the table to rest by itself.
    """

    def read(self, deadline_ms: int, host: Host) -> Readings:
        """Return what the table says at a new frame, or at the deadline with what is known (its age says how old).

        `deadline_ms` is on the loop's monotonic clock. In virtual time this is what makes time pass. `host` goes
        into the readings unchanged. `Readings.elapsed_ms` is the time since the read before.
        """
        ...

    def write(self, command: Command, signals: Signals) -> None:
        """Pass on one judged command and the lamps and tone that go with it."""
        ...

    def close(self) -> None:
        """Leave the table at rest, with every output off."""
        ...
