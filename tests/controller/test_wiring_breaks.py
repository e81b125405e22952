"""What the wiring page says of a broken contact is what the judge does with it: nobody gets deeper by a broken wire.

Each contact of the microcontroller's table breaks in the middle of a tilt, for good, by the value that its circuit has
while it is open. The guard is left out, so that the host's judge has to do it alone.
"""

from typing import Any

import msgspec
import pytest

from firmware_bridge.bridge import Bridge
from firmware_bridge.circuits import Circuit, circuits_of
from firmware_bridge.pin_map import BOARD
from safety.signals import BUTTONS, Command, Contacts, Host, Readings, Signals
from sim.pytest_plugin import Rig

CONTACTS = {name: circuit for name, circuit in circuits_of(BOARD).items() if circuit.kind == "contact"}
# What may go on: nobody needs these in a tilt, or the judge asks for them later, at the latest before the next set.
GOES_ON = {"level_switch", "end_up", "battery"}
GOES_ON |= {f"button_{name}" for name in ("raise", "presence", "ack", "confirm", "plan_up", "plan_down")}
# Of these the host has no reading: the guard alone hears them.
GUARD_ONLY = {"supply_rail"}
AT_DEG = -8.0
STOPPING_DEG = 3.6  # from 2°/s by 0.6°/s², and a debounce


def broken(circuit: Circuit, readings: Readings) -> Readings:
    """The readings with one contact's circuit open."""
    field, _, button = circuit.carries.partition(".")
    if button:
        held, bit = readings.buttons or 0, BUTTONS[button]
        return msgspec.structs.replace(readings, buttons=held | bit if circuit.open_is else held & ~bit)
    value: Any = circuit.open_is
    if circuit.name.endswith(("_1", "_2")):
        # One contact of two that should agree.
        closed = getattr(readings, field) is Contacts.CLOSED
        value = Contacts.DISCREPANT if closed else Contacts.OPEN
    return msgspec.structs.replace(readings, **{field: value})


class OneWireBroken:
    """A bridge on whose table one contact's wire is broken."""

    def __init__(self, bridge: Bridge, circuit: Circuit) -> None:
        self.bridge, self.circuit = bridge, circuit

    def read(self, deadline_ms: int, host: Host) -> Readings:
        return broken(self.circuit, self.bridge.read(deadline_ms, host))

    def write(self, command: Command, signals: Signals) -> None:
        self.bridge.write(command, signals)

    def close(self) -> None:
        self.bridge.close()


def in_a_tilt(name: str) -> Rig:
    """A table on its way down whose wire has just broken."""
    rig = Rig("short", guard=False)
    rig.expect("*")
    rig.forward(until=lambda now: (now.decision.angle_cdeg or 0) <= 100 * AT_DEG)
    loop: Any = rig.session.loop
    loop.bridge = OneWireBroken(loop.bridge, CONTACTS[name])
    return rig


def test_every_contact_is_looked_at() -> None:
    assert len(CONTACTS) == 23
    assert CONTACTS.keys() >= GOES_ON | GUARD_ONLY


@pytest.mark.parametrize("name", sorted(CONTACTS.keys() - GOES_ON - GUARD_ONLY))
def test_a_contact_that_breaks_in_a_tilt_stops_it(name: str) -> None:
    rig = in_a_tilt(name)
    rig.forward(seconds=15)
    assert min(row.true_angle_cdeg or 0 for row in rig.rows) >= 100 * (AT_DEG - STOPPING_DEG)


@pytest.mark.parametrize("name", sorted(GOES_ON))
def test_a_contact_that_nobody_needs_in_a_tilt_gets_nobody_deeper_than_the_plan(name: str) -> None:
    rig = in_a_tilt(name)
    rig.forward(seconds=60)
    assert min(row.true_angle_cdeg or 0 for row in rig.rows) >= -2100
