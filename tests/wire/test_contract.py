"""Every bridge to a table with a second judge keeps the one contract: the one of this process, and the serial one."""

from collections.abc import Iterator

import pytest

from safety.signals import Arm, State
from sim.pytest_plugin import Rig
from sim.wired import build_wired
from tests.firmware_bridge.bridge_contract import BridgeContract, Subject
from tests.wire.lockstep import Lockstep, TableEnd
from tests.wire.rig import PROFILE, WireRig

pytestmark = pytest.mark.needs("cc")

STILL_S = 6  # before a press of TILT tilts, the table must have been still for 5 s


def session_of(armed: Arm | None) -> int:
    assert armed is not None
    return armed.session_id


def let_pass(host: Lockstep, ms: int) -> None:
    """Let time pass; what the host sent before is still on the line, and nobody reads what comes."""
    end_ms = host.ms + ms
    while host.ms < end_ms:
        host.pass_ms(end_ms - host.ms)


class TestInProcessWithTheGuard(BridgeContract):
    @pytest.fixture
    def subject(self) -> Subject:
        rig = Rig(guard=True)
        rig.forward(until=State.STRAPPED)
        rig.session.loop.observers.pop()  # the people stand back
        rig.forward(seconds=STILL_S)
        rig.hands.press("TILT")
        session_id = session_of(rig.snapshot.decision.armed)
        table = rig.table
        return Subject(
            table.bridge,
            table.clock.now_ms,
            table.panel.lights,
            table.forward_alone,
            guarded=True,
            session_id=session_id,
        )


class TestSerial(BridgeContract):
    @pytest.fixture
    def subject(self) -> Iterator[Subject]:
        end = TableEnd(build_wired(PROFILE))
        rig = WireRig(end)
        rig.until(State.STRAPPED)
        rig.session.loop.observers.pop()
        snapshot = rig.run(STILL_S)
        end.table.hands.press("TILT")
        yield Subject(
            rig.bridge,
            rig.host.now_ms,
            end.table.panel.lights,
            lambda ms: let_pass(rig.host, ms),
            guarded=True,
            session_id=session_of(snapshot.decision.armed),
        )
        end.close()
