"""The states of a session and the steps between them, as one table.

Each state is entered and left only as told here; a trigger that a state does not have raises `IllegalStepError`,
changes nothing and is counted.

- `idle`: not armed. Entered at start and by `disarm`. Left by `armed` (the echo of ARM), `halt` and `bring_back`.
- `strapped`: armed, at level or above, also while the tone before a tilt sounds. Entered by `armed`, by `next_set`
  after a rest, by `clear`. Left by `tilt`, `disarm`, `halt` and `bring_back`.
- `tilting`: on the way down, or standing because TILT was let go. Left by `reached`, `turn_back`, `bring_back`, `halt`.
- `holding`: at the set's angle, or as much less as was asked for by LESS. Left by `turn_back`, `bring_back`, `halt`.
- `returning`: the plan's own way back, or a person's RETURN. Left by `arrived`, `bring_back`, `halt`.
- `resting`: at level after an inversion. Left by `next_set`, `disarm`, and `bring_back` or `halt` when it moves.
- `emergency_return`: the judge brings the patient back. Left by `arrived` and `halt`.
- `stopped`: the judge stopped the table. Left by `bring_back`, `turn_back`, `tilt`, `resume`,
  `clear`, `arrived`, `disarm`.
"""

from typing import Any, Final

from safety.signals import State

IDLE: Final = State.IDLE
STRAPPED: Final = State.STRAPPED
TILTING: Final = State.TILTING
HOLDING: Final = State.HOLDING
RETURNING: Final = State.RETURNING
RESTING: Final = State.RESTING
EMERGENCY_RETURN: Final = State.EMERGENCY_RETURN
STOPPED: Final = State.STOPPED

TABLE: Final[tuple[dict[str, Any], ...]] = (
    {"trigger": "armed", "source": IDLE, "dest": STRAPPED},
    {"trigger": "tilt", "source": (STRAPPED, STOPPED), "dest": TILTING},
    {"trigger": "reached", "source": TILTING, "dest": HOLDING},
    {"trigger": "resume", "source": STOPPED, "dest": HOLDING},
    {"trigger": "turn_back", "source": (TILTING, HOLDING, STOPPED), "dest": RETURNING},
    {"trigger": "arrived", "source": (RETURNING, EMERGENCY_RETURN, STOPPED), "dest": RESTING},
    {"trigger": "next_set", "source": RESTING, "dest": STRAPPED},
    {"trigger": "disarm", "source": (STRAPPED, RESTING, STOPPED), "dest": IDLE},
    {
        "trigger": "bring_back",
        "source": (IDLE, STRAPPED, TILTING, HOLDING, RETURNING, RESTING, STOPPED),
        "dest": EMERGENCY_RETURN,
    },
    {
        "trigger": "halt",
        "source": (IDLE, STRAPPED, TILTING, HOLDING, RETURNING, RESTING, EMERGENCY_RETURN),
        "dest": STOPPED,
    },
    {"trigger": "clear", "source": STOPPED, "dest": STRAPPED, "conditions": "is_armed"},
    {"trigger": "clear", "source": STOPPED, "dest": IDLE, "unless": "is_armed"},
)
TRIGGERS: Final = tuple(dict.fromkeys(row["trigger"] for row in TABLE))
