"""The one contract of bridges, kept over a serial line by the image itself."""

from collections.abc import Iterator

import pytest

from safety.signals import State
from tests.firmware_bridge.bridge_contract import BridgeContract, Subject
from tests.machine_code.rig import machine, rig_on
from tests.wire.test_contract import STILL_S, let_pass, session_of

pytestmark = pytest.mark.needs("simavr")


class TestMachineCode(BridgeContract):
    @pytest.fixture
    def subject(self) -> Iterator[Subject]:
        rig = rig_on(machine())
        rig.until(State.STRAPPED)
        rig.session.loop.observers.pop()
        snapshot = rig.run(STILL_S)
        rig.end.table.hands.press("TILT")
        yield Subject(
            rig.bridge,
            rig.host.now_ms,
            rig.end.table.panel.lights,
            lambda ms: let_pass(rig.host, ms),
            guarded=True,
            session_id=session_of(snapshot.decision.armed),
        )
        rig.end.close()
