"""What the Pi's outputs switch: safety relay, reversing relays, brake and enable, whatever becomes of the program."""

import dataclasses
import math

import pytest

from config.loading import load_profile
from sim.body import Person
from sim.clock import VirtualClock
from sim.gpio_power import RELAY_LETS_GO_MS, RELAY_PULLS_MS, PowerStage, SafetyRelay
from sim.gpio_table import motor_constants
from sim.plant import Plant


class Board:
    """A plant, its power stage, and time that passes a millisecond at a time."""

    def __init__(self, drop_ms: int = 150, relays: bool = False, person: Person | None = None) -> None:
        self.clock = VirtualClock()
        constants = motor_constants(load_profile("pi-gpio"))
        self.plant = Plant(constants, person or Person(offset_cm=0.0))
        self.power = PowerStage(self.plant, self.clock, SafetyRelay(self.clock, drop_ms), relays=relays)

    def run(self, duration_ms: int, toggles: bool = True) -> None:
        for _ in range(duration_ms):
            if toggles and self.clock.ms % 10 == 0:
                self.power.toggle(None)
            self.plant.wire(self.power.safety.dropped, False, False)
            self.plant.advance(1)
            self.clock.ms += 1
            self.power.pass_to(self.clock.ms, 1)

    @property
    def speed_deg_s(self) -> float:
        return math.degrees(self.plant.motion.speed_rad_s)

    def go(self, duty: float) -> None:
        """Open the brake and turn head-down."""
        self.power.enable(1.0)
        self.power.direction(0.0)
        self.power.pwm(duty)
        self.power.brake(1.0)


def test_a_relay_that_was_never_fed_keeps_drive_and_brake_off() -> None:
    board = Board()
    board.go(0.5)
    board.run(1000, toggles=False)
    assert not board.plant.powered
    assert board.plant.brake_commanded
    assert board.speed_deg_s == 0.0


def test_the_motor_turns_as_duty_and_direction_say() -> None:
    board = Board()
    board.go(0.5)
    board.run(1000)
    down_deg_s = board.speed_deg_s
    board.power.direction(1.0)
    board.run(1000)
    assert -2.0 < down_deg_s < -1.8
    assert board.speed_deg_s == pytest.approx(-down_deg_s, rel=0.02)


@pytest.mark.parametrize("drop_ms", [50, 150, 250])
def test_a_pin_that_stops_changing_drops_drive_and_brake_that_long_after_its_last_edge(drop_ms: int) -> None:
    board = Board(drop_ms)
    board.go(0.5)
    board.run(1001)
    edge_ms = board.clock.ms - 1
    while not board.power.safety.dropped:
        board.run(1, toggles=False)
    assert board.clock.ms - edge_ms == drop_ms
    board.run(1, toggles=False)
    assert not board.plant.powered
    assert board.plant.brake_commanded
    assert board.power.duty == 0.5
    board.run(300, toggles=False)
    assert board.speed_deg_s == 0.0


def test_a_welded_relay_never_drops() -> None:
    board = Board()
    board.go(0.5)
    board.power.safety.welded = True
    board.run(100)
    board.run(1000, toggles=False)
    assert board.plant.powered
    assert board.speed_deg_s < -1.0


def test_without_the_enable_nothing_turns_and_a_floating_pin_is_off() -> None:
    board = Board()
    board.go(0.25)
    board.run(500)
    board.power.enable(None)
    board.run(1000)
    assert not board.plant.powered
    board.power.enable(1.0)
    board.power.brake(None)
    board.run(1000)
    assert board.plant.brake_commanded
    assert board.speed_deg_s == 0.0


def test_a_relays_contact_follows_its_coil_and_lets_go_more_slowly() -> None:
    board = Board(relays=True)
    board.power.enable(1.0)
    coil = board.power.coil(0)
    assert board.power.pair is not None
    down = board.power.pair[0]
    coil(1.0)
    board.run(RELAY_PULLS_MS - 1)
    before = down.closed
    board.run(1)
    assert (before, down.closed) == (False, True)
    coil(0.0)
    board.run(RELAY_LETS_GO_MS - 1)
    before = down.closed
    board.run(1)
    assert (before, down.closed) == (True, False)


def test_relays_that_change_over_without_a_dead_time_are_both_closed_for_a_while_and_it_is_counted() -> None:
    board = Board(relays=True)
    board.power.enable(1.0)
    down, up = board.power.coil(0), board.power.coil(1)
    down(1.0)
    board.run(100)
    down(0.0)
    up(1.0)
    board.run(100)
    assert board.power.both_ms == RELAY_LETS_GO_MS - RELAY_PULLS_MS
    assert board.power.pair is not None
    assert board.power.pair[1].closed and not board.power.pair[0].closed


def test_a_self_locking_motor_without_power_and_brake_holds_the_rated_load_on_either_side() -> None:
    for offset_cm in (-15.0, 15.0):
        board = Board(person=Person(mass_kg=135.0, offset_cm=offset_cm))
        board.plant.hooks.brake_grip = 0.0
        board.run(5000, toggles=False)
        assert board.speed_deg_s == 0.0


def test_a_motor_that_is_not_self_locking_does_not_hold_it() -> None:
    profile = load_profile("pi-gpio")
    loose = profile.model_copy(update={"drive": profile.drive.model_copy(update={"self_locking": False})})
    constants = dataclasses.replace(motor_constants(loose))
    plant = Plant(constants, Person(mass_kg=135.0, offset_cm=15.0))
    plant.hooks.brake_grip = 0.0
    plant.advance(5000)
    assert math.degrees(plant.motion.angle_rad) < -5.0
