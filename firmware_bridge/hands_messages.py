"""What passes over the `hands` socket of a simulated table: one JSON object a line, each way.

Every request is answered by one line, in order: `{"ok": true}`, or `{"ok": false, "error": "…"}` and nothing done.
Only a watcher gets lines besides, each with what the simulation itself knows. docs/hands.md tells it for other clients.
"""

from typing import Final

import msgspec

LEASE_MS: Final = 200
"""How long a press, or a turn of the crank, holds unless it is said again."""

LONGEST_LINE: Final = 1000
"""A longer line is no request; bytes, its end included."""

WATCH_MS: Final = 10


class Press(msgspec.Struct, tag_field="do", tag="press", forbid_unknown_fields=True):
    """Hold a button down, for the lease."""

    button: str


class Release(msgspec.Struct, tag_field="do", tag="release", forbid_unknown_fields=True):
    """Let go of a button."""

    button: str


class Strap(msgspec.Struct, tag_field="do", tag="strap", forbid_unknown_fields=True):
    """Close or open the strap of a side."""

    side: str
    closed: bool


class Estop(msgspec.Struct, tag_field="do", tag="estop", forbid_unknown_fields=True):
    """Press or pull the emergency stop; it stays as it is left."""

    pressed: bool


class Crank(msgspec.Struct, tag_field="do", tag="crank", forbid_unknown_fields=True):
    """Work the manual return, for the lease, or leave it."""

    turning: bool


class Inject(msgspec.Struct, tag_field="do", tag="inject", forbid_unknown_fields=True):
    """Provoke a fault, written `NAME[+DURATION][:key=value,…]`."""

    fault: str


class Look(msgspec.Struct, tag_field="do", tag="look", forbid_unknown_fields=True):
    """Ask once for what the simulation knows; it comes in the answer."""


class Watch(msgspec.Struct, tag_field="do", tag="watch", forbid_unknown_fields=True):
    """Ask for what the simulation knows every 10 ms from now on; a watcher that does not read misses lines."""


Request = Press | Release | Strap | Estop | Crank | Inject | Look | Watch


class Truth(msgspec.Struct):
    """The simulation's own word, which no sensor knows and no real table tells.

    `t_ms` counts since the table was switched on; angle and velocity are the plant's, in hundredths of a degree (a
    second); `injected` names the faults in force, joined by `+`; `held` the buttons that hands hold. `lamps` are those
    that are lit at the panel now, by their names in `safety.signals`, and `buzzer_hz` is the pitch that sounds there.
    """

    t_ms: int
    angle_cdeg: float
    velocity_cdeg_s: float
    injected: str
    held: tuple[str, ...]
    lamps: tuple[str, ...]
    buzzer_hz: int


class Reply(msgspec.Struct, omit_defaults=True):
    """One line back. `ok` is None in what a watcher gets unasked."""

    ok: bool | None = None
    error: str = ""
    simulated_truth: Truth | None = None
