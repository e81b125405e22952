"""What people must be told of a table on pins while a session goes on: that this computer has too much else to do."""

from typing import Final, Protocol

# A minute of samples, told once; below a twentieth the velocity loop does not feel it.
_WINDOW: Final = 30_000
_SHARE: Final = 20


class Counting(Protocol):
    """A bridge that counts the samples it took, and those that it was too late for."""

    samples: int
    overruns: int


class PinNews:
    """Tells once a minute how many samples were missed, where that is more than one in twenty."""

    def __init__(self, bridge: Counting) -> None:
        """Begin with nothing told."""
        self._bridge = bridge
        self._samples, self._overruns = bridge.samples, bridge.overruns

    def take(self) -> list[str]:
        """Return what is new, in sentences."""
        bridge = self._bridge
        missed = bridge.overruns - self._overruns
        due = missed + bridge.samples - self._samples
        if due < _WINDOW:
            return []
        self._samples, self._overruns = bridge.samples, bridge.overruns
        if missed * _SHARE <= due:
            return []
        share = f"{100 * missed // due} % of the samples of the pins"
        return [f"this computer was too busy for {share}: the table is driven less evenly; end other programs on it"]
