"""Whole sessions over the line in virtual time: session, real pyserial, pseudo-terminal, link, guard, plant, people."""

import copy
import functools

from config.loading import load_profile
from config.plan import Plan
from controller import permits
from controller.recording import Recorder, Trip
from controller.session import Session
from firmware_bridge.protocol import TableConstants
from firmware_bridge.serial_bridge import SerialBridge
from safety.signals import Guard, Host, Snapshot, State
from sim.faults.schedule import FaultSchedule
from sim.habits import Habits
from sim.people import People
from sim.pytest_plugin import WALL_S
from sim.wired import WiredTable, build_wired
from tests.sessions.runs import BRIEF
from tests.wire.lockstep import Lockstep, TableEnd

PROFILE = load_profile("wire")
LIMITS = PROFILE.limits()
CONSTANTS = TableConstants.of(LIMITS, brake_on_motor_side=PROFILE.brake.side == "motor")
AT_LEVEL = Habits(boards_at_deg=0.0)
LEVEL_CDEG = 150


def open_bridge(host: Lockstep) -> SerialBridge:
    """A bridge over real pyserial."""
    return SerialBridge.open(host.path, CONSTANTS, host, connect=host.connect, nonce=host.nonce, sleep=host.sleep)


class WireRig:
    """One session on one table behind a line; without `people` the switches are left to the test."""

    def __init__(
        self,
        end: TableEnd,
        plan: Plan = BRIEF,
        *,
        habits: Habits = AT_LEVEL,
        people: bool = True,
        simulated: bool = True,
    ) -> None:
        self.end = end
        self.table = end.table
        self.host = Lockstep.at(end)
        self.bridge = open_bridge(self.host)
        permit = permits.simulated(plan, LIMITS.screening_version, WALL_S)
        knows = Host(clock_ok=True, config_ok=True, started_table=simulated, wall_s=WALL_S, records_ok=True)
        self.session = Session(self.bridge, self.host, plan, LIMITS, permit, knows)
        self.faults = FaultSchedule(self.table)
        self.recorder = Recorder()
        self.session.loop.observers += [self.recorder.observe, self.faults.observe]
        if people:
            self.session.loop.observers.append(People(self.table.hands, habits).observe)

    @property
    def trips(self) -> list[Trip]:
        return self.recorder.trips()

    def tick(self) -> Snapshot:
        return self.session.tick()

    def until(self, state: State, at_most_s: float = 200) -> Snapshot:
        end_ms = self.host.ms + at_most_s * 1000
        while (snapshot := self.tick()).wish.state is not state:
            assert self.host.ms < end_ms, f"{state} did not come; it is {snapshot.wish.state}"
        return snapshot

    def run(self, seconds: float) -> Snapshot:
        end_ms = self.host.ms + seconds * 1000
        while self.host.ms < end_ms:
            snapshot = self.tick()
        return snapshot

    def finish(self, at_most_s: float = 400) -> None:
        end_ms = self.host.ms + at_most_s * 1000
        while not self.session.finished:
            self.tick()
            assert self.host.ms < end_ms, f"the session did not end; it is {self.session.snapshot}"

    def close(self) -> None:
        """End the host in good order."""
        self.bridge.close()
        self.end.hosts -= 1

    def die(self) -> None:
        """End the host as kill -9 does: nothing is said, the port is closed by the system."""
        for port in self.host.ports:
            port.close()
        self.end.hosts -= 1


def guard_of(table: WiredTable) -> Guard:
    """What the guard says of itself."""
    return table.actuation.told


@functools.cache
def _at(state: State) -> WiredTable:
    """The table of a usual session, a second after the entry of a state; to be copied."""
    end = TableEnd(build_wired(PROFILE))
    rig = WireRig(end)
    try:
        rig.until(state)
        rig.run(1)
        rig.die()
        return copy.deepcopy(end.table)
    finally:
        end.close()


def table_in(state: State) -> WiredTable:
    """A table in mid-session whose host is gone this moment: nobody is on the line."""
    table = copy.deepcopy(_at(state))
    table.hands.release("TILT")
    return table


class Watch:
    """What happens to a table from now on; call it in each millisecond."""

    def __init__(self, table: WiredTable) -> None:
        self.table = table
        self.began_cdeg = self.deepest_cdeg = table.truth().angle_cdeg
        self.fastest_cdeg_s = 0
        self.tones: set[int] = set()

    def __call__(self) -> None:
        angle_cdeg, speed_cdeg_s = self.table.truth()
        self.deepest_cdeg = min(self.deepest_cdeg, angle_cdeg)
        self.fastest_cdeg_s = max(self.fastest_cdeg_s, abs(speed_cdeg_s))
        self.tones.add(self.table.actuation.tone)

    @property
    def home(self) -> bool:
        """Whether the table is at level, its brake set."""
        return self.table.truth().angle_cdeg > -LEVEL_CDEG and not self.table.actuation.brake_released
