"""A bridge, a line in virtual time and a scripted table, as tests work them."""

from collections.abc import Callable
from typing import Any

from firmware_bridge.serial_bridge import SerialBridge
from safety.signals import Arm, Command, Host, Issuer, Permit, Readings, Signals
from tests.firmware_bridge.scripted import CONSTANTS, ScriptedTable, VirtualLine

HOST = Host(config_ok=True, wall_s=7)
TICK_MS = 10
ARM = Arm(
    session_id=0xCAFE,
    plan_hash="0" * 16,
    cap_cdeg=-2000,
    hold_s=120,
    set_limit_s=190,
    sets=1,
    rest_s=120,
    speed_cdeg_s=200,
    travel_limit_ms=40_001,
    used_today_s=0,
    permit=Permit("0" * 16, "p", 1, 0, 0, -2000, 120, None, None, Issuer.SIMULATED),
)


class Bench:
    """A bridge that was opened, the line and the table at its other end."""

    def __init__(self, table: Any = None) -> None:
        self.table: Any = table or ScriptedTable()
        self.line = VirtualLine(self.table)
        self.bridge = opened(self.line)
        self.host_sends = True

    @property
    def port(self) -> Any:
        return self.line.ports[-1]

    def well(self) -> bool:
        """Whether nothing is wrong with the line now."""
        return self.bridge.trouble is None

    def tick(self, command: Command | None = None) -> Readings:
        """One tick as the control loop runs it: a lapse ends the commands."""
        readings = self.bridge.read(self.line.now_ms() + TICK_MS, HOST)
        sent = command or Command()
        if readings.age_ms <= 150:
            echoing = Command(
                sent.velocity_cdeg_s,
                sent.demand,
                True,
                sent.arm,
                sent.disarm,
                echo=readings.sequence,
                session_id=sent.session_id,
            )
            self.bridge.write(echoing, Signals())
        else:
            self.bridge.write(Command(send=False), Signals())
        return readings

    def run(self, ms: int, command: Command | None = None) -> list[Readings]:
        end_ms = self.line.now_ms() + ms
        rows = []
        while self.line.now_ms() < end_ms:
            rows.append(self.tick(command))
        return rows

    def until(self, happened: Callable[[], bool], most_ms: int = 10_000) -> int:
        """Run until something happened; return how many milliseconds that took."""
        start_ms = self.line.now_ms()
        while not happened():
            assert self.line.now_ms() - start_ms < most_ms, "it did not happen"
            self.tick()
        return self.line.now_ms() - start_ms


def opened(line: VirtualLine, **options: Any) -> SerialBridge:
    return SerialBridge.open(
        "/dev/ttyACM0", CONSTANTS, line, connect=line.connect, nonce=line.nonce, sleep=line.sleep, **options
    )
