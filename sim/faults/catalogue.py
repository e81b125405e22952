"""Every kind of fault that a simulated table can have, in the order of the hazard table."""

from sim.faults import acting, moving, parsing, sensing
from sim.faults.kinds import Fault, FaultKind

KINDS: dict[str, FaultKind] = {
    kind.name: kind
    for kind in sorted((*sensing.KINDS, *moving.KINDS, *acting.KINDS), key=lambda kind: (kind.hazard, kind.name))
}


def catalogue() -> list[FaultKind]:
    """Return every kind, by hazard; `as_json` of each is what `inversion-table faults` tells."""
    return list(KINDS.values())


def parse(text: str) -> Fault:
    """Read `NAME@WHEN[+DURATION][:key=value,…]`. Raises FaultError."""
    return parsing.parse_fault(text, KINDS)


def parse_now(text: str) -> Fault:
    """Read `NAME[+DURATION][:key=value,…]`, a fault that begins at once. Raises FaultError."""
    return parsing.parse_fault_now(text, KINDS)
