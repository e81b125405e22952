"""Everything on the near side of a simulated table in another process: its line, its hands, what it knows of itself."""

from collections.abc import Sequence

from config.profile import Profile
from firmware_bridge.clock import MonotonicClock
from firmware_bridge.hands import HandsClient
from firmware_bridge.news import LineNews
from firmware_bridge.protocol import TableConstants
from firmware_bridge.serial_bridge import SerialBridge
from safety.signals import Snapshot
from sim.faults.kinds import Fault
from sim.faults.papers import boot_angle_deg
from sim.wire_process import FarFaults, WireProcess, refuse_host_faults


class WireRoom:
    """A table that was started for one session, and the ways to it.

    Args:
        profile: the table. seed, patient: of the simulation. faults: what is to happen.
        boards_at_deg: where the patient steps on. options: further words for the process.

    Attributes:
        process, bridge, hands, clock, faults: what it is made of. papers: faults of what is brought to the table.

    Raises:
        InversionTableError: the table cannot be started or reached, or cannot have such faults.
    """

    def __init__(
        self,
        profile: Profile,
        seed: int,
        patient: dict[str, float],
        faults: Sequence[Fault],
        boards_at_deg: float,
        options: Sequence[str],
    ) -> None:
        refuse_host_faults(faults)
        self.papers = [fault for fault in faults if fault.kind.at_boot]
        body = ",".join(f"{key}={value}" for key, value in patient.items())
        # One word each: an angle below level would be taken for an option.
        at = f"--at-deg={boot_angle_deg(faults, boards_at_deg)}"
        words = [*options, f"--seed={seed}", at, *([f"--patient={body}"] if body else [])]
        self.clock = MonotonicClock()
        self.process = WireProcess(words)
        try:
            self.hands = HandsClient(self.process.hands)
            self.hands.look()
            self.hands.watch()
            motor_side = profile.brake.side == "motor"
            constants = TableConstants.of(profile.limits(), brake_on_motor_side=motor_side)
            self.bridge = SerialBridge.open(self.process.path, constants, self.clock)
        except BaseException:
            self.process.stop()
            raise
        self.faults = FarFaults(self.hands, faults)
        self._line_news = LineNews(self.bridge)
        self._told = ""

    def renew(self, _snapshot: Snapshot) -> None:
        """Say again what hands hold, and hear what the simulation knows; once a tick."""
        self.hands.renew()

    def truth(self) -> tuple[float | None, float | None, str]:
        """Return what the plant said of itself last: centidegrees, centidegrees a second, faults."""
        papers = [fault.name for fault in self.papers]
        said = self.hands.truth
        if said is None:
            return None, None, "+".join(papers)
        injected = "+".join([*papers, *([said.injected] if said.injected else [])])
        return said.angle_cdeg, said.velocity_cdeg_s, injected

    def news(self) -> list[str]:
        """Return what people must be told now."""
        news = self._line_news.take()
        if self.hands.trouble and self.hands.trouble != self._told:
            self._told = self.hands.trouble
            news.append(self._told)
        return news

    def close(self) -> None:
        """Let line and hands go, and end the process."""
        self.bridge.close()
        self.hands.close()
        self.process.stop()
