"""The bridge to a table on the Pi's own pins keeps the one contract of all bridges."""

from collections.abc import Iterator

import pytest

from config.loading import load_profile
from safety.signals import LAMPS
from sim.gpio_table import build_gpio
from tests.firmware_bridge.bridge_contract import BridgeContract, Shown, Subject


class TestOnPins(BridgeContract):
    @pytest.fixture
    def subject(self) -> Iterator[Subject]:
        table = build_gpio(load_profile("pi-gpio"))

        def shown() -> Shown:
            lit = sum(bit for name, bit in LAMPS.items() if table.lit(name.lower()))
            return lit, round(table.buzzer_hz)

        subject = Subject(table.bridge, table.clock.now_ms, shown, table.forward_alone)
        subject.run(1.0, None)
        yield subject
        table.bridge.close()
        table.factory.reset()
