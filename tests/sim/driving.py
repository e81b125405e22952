"""How the tests of the simulated table drive it: commands through the bridge, and a log of what the table then did."""

import math
from dataclasses import dataclass, field

from safety.signals import Command, Demand, Host, Readings, Signals
from sim.actuation import Phase
from sim.body import Person, PlantConstants
from sim.sensors import SensorConstants
from sim.table import SimulatedTable, assemble

TICK_MS = 10
HOST = Host()
SIGNALS = Signals()
SILENCE = Command(send=False)


@dataclass(frozen=True)
class Row:
    """One tick: what was read, and what is true."""

    t_ms: int
    readings: Readings
    angle_deg: float
    speed_deg_s: float
    phase: Phase


@dataclass
class Drive:
    """A table and everything that it did so far."""

    table: SimulatedTable
    rows: list[Row] = field(default_factory=list)

    @property
    def angle_deg(self) -> float:
        return math.degrees(self.table.plant.motion.angle_rad)

    @property
    def speed_deg_s(self) -> float:
        return math.degrees(self.table.plant.motion.speed_rad_s)

    @property
    def readings(self) -> Readings:
        return self.rows[-1].readings

    def run(self, seconds: float, command: Command) -> list[Row]:
        """Write a command in every tick for some seconds, and return the rows of that time."""
        first = len(self.rows)
        table = self.table
        for _ in range(round(seconds * 1000 / TICK_MS)):
            table.bridge.write(command, SIGNALS)
            readings = table.bridge.read(table.clock.now_ms() + TICK_MS, HOST)
            row = Row(table.clock.now_ms(), readings, self.angle_deg, self.speed_deg_s, table.actuation.phase)
            self.rows.append(row)
        return self.rows[first:]

    def go(self, cdeg_s: int, seconds: float, demand: Demand = Demand.ALLOW) -> list[Row]:
        return self.run(seconds, Command(velocity_cdeg_s=cdeg_s, demand=demand))

    def rest(self, seconds: float = 3.0) -> list[Row]:
        return self.run(seconds, Command())

    def demand(self, demand: Demand, seconds: float) -> list[Row]:
        return self.run(seconds, Command(demand=demand))

    def silence(self, seconds: float) -> list[Row]:
        return self.run(seconds, SILENCE)


def table_for(
    mass_kg: float = 75.0,
    offset_cm: float = 3.0,
    *,
    constants: PlantConstants | None = None,
    sensors: SensorConstants | None = None,
    seed: int = 0,
    start_deg: float = 0.0,
) -> Drive:
    """A table with somebody on it, ready to be driven."""
    person = Person(mass_kg=mass_kg, offset_cm=offset_cm)
    made = assemble(constants or PlantConstants(), sensors or SensorConstants(), person, seed=seed, start_deg=start_deg)
    return Drive(made)
