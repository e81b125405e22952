"""A real table at a port, opened for a session: who declares, and for which plans the declaration then stands."""

from pathlib import Path
from types import SimpleNamespace

import pytest

from config.loading import load_plan, load_profile
from controller import real_table
from firmware_bridge.serial_bridge import SerialBridge
from safety.signals import Issuer
from tests.controller.test_ways import declared

PROFILE, SHORT, FIRST = load_profile("wire"), load_plan("short"), load_plan("first-visit")


@pytest.fixture(autouse=True)
def a_line(monkeypatch: pytest.MonkeyPatch) -> None:
    """A port at which a simulated table answers."""
    line = SimpleNamespace(firmware=real_table.NO_MICROCONTROLLER, close=lambda: None)
    monkeypatch.setattr(SerialBridge, "open", lambda *_: line)


def test_the_list_may_be_left_to_the_panel(tmp_path: Path) -> None:
    table = real_table.open_serial("auto", PROFILE, SHORT, "panel", tmp_path)
    table.close()
    assert (table.permit, table.permit_for) == (None, None)


def test_what_a_file_declares_stands_for_each_plan_that_may_be_chosen(tmp_path: Path) -> None:
    table = real_table.open_serial("auto", PROFILE, SHORT, declared(tmp_path), tmp_path)
    table.close()
    assert table.permit is not None
    assert table.permit_for is not None
    other = table.permit_for(FIRST)
    assert (table.permit.plan_hash, other.plan_hash) == (SHORT.hash, FIRST.hash)
    assert (other.issuer, other.pseudonym) == (Issuer.DECLARED, table.permit.pseudonym)
