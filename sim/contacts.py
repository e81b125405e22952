"""Switch contacts that bounce: an edge takes milliseconds to settle, and the two of one switch do not move together."""

import random

from safety.signals import Contacts

SHORTEST_BOUNCE_MS, LONGEST_BOUNCE_MS = 1.0, 5.0  # snap-action switches: 1–5 ms by their data sheets
SECOND_CONTACT_MS = 40.0  # a buckle's second contact follows the first by a finger's movement


class Contact:
    """One contact. `closed` is what a sample would read now; `forced` overrides it (None, True closed, False open)."""

    __slots__ = ("_edges", "_rng", "closed", "final", "forced")

    def __init__(self, rng: random.Random, closed: bool) -> None:
        self._rng = rng
        self._edges: list[tuple[float, bool]] = []
        self.closed = closed
        self.final = closed
        self.forced: bool | None = None

    @property
    def pending(self) -> bool:
        """Whether the contact still moves."""
        return bool(self._edges)

    @property
    def reads(self) -> bool:
        """What a sample would read now, whatever holds it: the edges that have happened, or what it is forced to."""
        return self.closed if self.forced is None else self.forced

    def move(self, closed: bool, now_ms: float, delay_ms: float = 0.0) -> None:
        """Begin to close or open at `now_ms + delay_ms`, bouncing for a few milliseconds."""
        if closed == self.final:
            return
        self.final = closed
        start_ms = now_ms + delay_ms
        self._edges = [edge for edge in self._edges if edge[0] <= start_ms]
        settled_ms = start_ms + self._rng.uniform(SHORTEST_BOUNCE_MS, LONGEST_BOUNCE_MS)
        at_ms, state = start_ms, closed
        while at_ms < settled_ms:
            self._edges.append((at_ms, state))
            at_ms += self._rng.uniform(0.2, 1.5)
            state = not state
        self._edges.append((settled_ms, closed))

    def settle(self, now_ms: float) -> bool:
        """Let the edges up to `now_ms` happen, and return what the contact reads."""
        edges = self._edges
        while edges and edges[0][0] <= now_ms:
            self.closed = edges.pop(0)[1]
        return self.reads


class Pair:
    """Two contacts of one switch that should agree, as of a buckle or an emergency stop."""

    __slots__ = ("_rng", "first", "second", "value")

    def __init__(self, rng: random.Random, closed: bool) -> None:
        self._rng = rng
        self.first = Contact(rng, closed)
        self.second = Contact(rng, closed)
        self.value = Contacts.CLOSED if closed else Contacts.OPEN

    @property
    def pending(self) -> bool:
        """Whether one of them still moves."""
        return self.first.pending or self.second.pending

    @property
    def open_now(self) -> bool:
        """Whether either contact opens a chain that runs through both, the moment it is told to."""
        return any((not c.final) if c.forced is None else (not c.forced) for c in (self.first, self.second))

    def move(self, closed: bool, now_ms: float) -> None:
        """Work the switch: one contact moves at once, the other up to some tens of milliseconds later."""
        early, late = (self.first, self.second) if self._rng.random() < 0.5 else (self.second, self.first)
        early.move(closed, now_ms)
        late.move(closed, now_ms, self._rng.uniform(0.0, SECOND_CONTACT_MS))

    def force(self, first: str | None, second: str | None) -> None:
        """Force each contact `"open"`, `"closed"`, or leave it alone (None).

        Raises:
            ValueError: another word.
        """
        words = {"open": False, "closed": True, None: None}
        if first not in words or second not in words:
            raise ValueError(f'a contact is forced "open", "closed" or None, not {first!r}, {second!r}')
        self.first.forced = words[first]
        self.second.forced = words[second]

    def settle(self, now_ms: float) -> Contacts:
        """Let the edges up to `now_ms` happen, and return what the two say together."""
        first, second = self.first.settle(now_ms), self.second.settle(now_ms)
        if first == second:
            self.value = Contacts.CLOSED if first else Contacts.OPEN
        else:
            self.value = Contacts.DISCREPANT
        return self.value
