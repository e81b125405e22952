"""A table on pins without a session: commands straight to the bridge, and a log of what the table then did."""

import math
from collections.abc import Iterable
from dataclasses import dataclass, field

from config.loading import load_profile
from config.profile import Profile
from firmware_bridge.gpio_drive import Phase
from safety.signals import Command, Demand, Host, Readings, Signals
from sim.gpio_table import GpioTable, build_gpio

TICK_MS = 10
HOST = Host()


@dataclass(frozen=True)
class Row:
    """One tick: what was read, what is true, and what is on the motor."""

    t_ms: int
    readings: Readings
    angle_deg: float
    speed_deg_s: float
    duty: float
    phase: Phase


@dataclass
class Driven:
    """A table, and everything that it did so far."""

    table: GpioTable
    rows: list[Row] = field(default_factory=list)

    @property
    def angle_deg(self) -> float:
        return math.degrees(self.table.plant.motion.angle_rad)

    @property
    def speed_deg_s(self) -> float:
        return math.degrees(self.table.plant.motion.speed_rad_s)

    def run(self, seconds: float, command: Command) -> list[Row]:
        """Write a command in every tick for some seconds, and return the rows of that time."""
        table, first = self.table, len(self.rows)
        end_ms = table.clock.ms + 1000 * seconds
        while table.clock.ms < end_ms:
            table.bridge.write(command, Signals())
            readings = table.bridge.read(table.clock.ms + TICK_MS, HOST)
            duty = table.power.duty if table.power.up else -table.power.duty
            phase = table.bridge.drive.phase
            self.rows.append(Row(table.clock.ms, readings, self.angle_deg, self.speed_deg_s, duty, phase))
        return self.rows[first:]

    def go(self, cdeg_s: int, seconds: float, demand: Demand = Demand.ALLOW) -> list[Row]:
        return self.run(seconds, Command(velocity_cdeg_s=cdeg_s, demand=demand))

    def rest(self, seconds: float = 3.0) -> list[Row]:
        return self.run(seconds, Command())

    def close(self) -> None:
        self.table.bridge.close()
        self.table.factory.reset()


def driven(
    mass_kg: float = 75.0,
    offset_cm: float = 3.0,
    *,
    profile: str | Profile = "pi-gpio",
    seed: int = 0,
    start_deg: float = 0.0,
    relay_drop_ms: int = 150,
) -> Driven:
    """A table with somebody on it, awake for a second."""
    loaded = load_profile(profile) if isinstance(profile, str) else profile
    made = Driven(
        build_gpio(
            loaded,
            seed=seed,
            mass_kg=mass_kg,
            offset_cm=offset_cm,
            start_deg=start_deg,
            relay_drop_ms=relay_drop_ms,
        )
    )
    made.rest(1.0)
    return made


def applied_deg(rows: Iterable[Row]) -> float:
    """How far the table would be, had it followed its set-point exactly."""
    return sum((row.readings.applied_cdeg_s or 0) * row.readings.elapsed_ms for row in rows) / 1e5
