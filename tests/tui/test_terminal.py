"""The terminal panel at a real terminal, with everything that `--start` starts, in real time; nothing is timed."""

import contextlib
import os
import signal
from pathlib import Path

import pytest

from firmware_bridge.hands import HandsClient
from safety.signals import Region
from tests.api.peers import short_folder
from tests.controller.pane import Pane
from tests.journal.recording import ended
from tests.service.test_process import last_snapshot, of_state

pytestmark = [pytest.mark.needs("tmux", "cc"), pytest.mark.timeout(200)]


def process_of(state: Path, words: str) -> int:
    (pid,) = [pid for pid, line in of_state(state).items() if words in line]
    return pid


def strapped_in(pane: Pane) -> None:
    """Take over from the simulated people, and do what the screen asks for up to the armed table."""
    pane.until("Simulated people do the visit, unless you press a key")
    pane.until("inverted 0:00 NOW Look at every lamp")
    pane.press("Enter")
    pane.until("You are the supervisor")
    pane.until("inverted 0:00 NOW Close both ankle straps")
    pane.type("12")
    pane.until("inverted 0:00 NOW Let the patient press the button")
    pane.type("p")
    pane.until("inverted 0:00 NOW Pull at both straps")
    pane.press("Enter")
    pane.until("inverted 0:00 NOW Read the name and the plan aloud")
    pane.pause()
    pane.press("Enter")
    pane.until("STRAPPED .*Hold TILT")


def a_visit_with_a_strap_that_opens_and_a_control_process_that_is_killed(state: Path, folder: Path, *size: int) -> None:
    with Pane(folder, f"panel --start --plan short --state {state}", *size, out=False, sockets=state) as pane:
        strapped_in(pane)
        pane.hold_until("t", "TILTING .*angle −([6-9]|1[0-9])[.]")
        with contextlib.closing(HandsClient(str(state / "wire.hands.sock"))) as hands:
            hands.strap("left", False)
            screen = pane.until("EMERGENCY RETURN .*HIGH H04 Left ankle strap open")
        assert "Hold the patient" in screen
        os.kill(process_of(state, "controller.app serve"), signal.SIGKILL)
        pane.until("NO CONTROL|The control process was ended by SIGKILL")
        pane.until("H29 The computer was started again")
        pane.until("RESTING .*angle [−+]?0[.]")
        pane.press("C-c")
        screen = pane.until("exit code [0-9]")
        assert "exit code 6" in screen
        assert "the patient is at level" in screen
    ended(*of_state(state))


def test_by_keys_on_80_by_24_a_fault_from_outside_and_a_kill(tmp_path: Path) -> None:
    with short_folder() as state:
        a_visit_with_a_strap_that_opens_and_a_control_process_that_is_killed(state, tmp_path, 80, 24)


@pytest.mark.nightly
def test_by_keys_on_120_by_40_a_fault_from_outside_and_a_kill(tmp_path: Path) -> None:
    with short_folder() as state:
        a_visit_with_a_strap_that_opens_and_a_control_process_that_is_killed(state, tmp_path, 120, 40)


def test_what_there_is_no_control_process_for_is_said_on_the_screen(tmp_path: Path) -> None:
    with Pane(tmp_path, f"panel --state {tmp_path}", out=False, sockets=tmp_path) as pane:
        screen = pane.until("NO CONTROL")
        assert "inversion-table serve" in screen
        pane.press("C-c")
        assert "exit code 0" in pane.until("exit code [0-9]")


def test_a_terminal_that_goes_away_ends_the_panel_and_all_that_it_started(tmp_path: Path) -> None:
    with short_folder() as state:
        with Pane(tmp_path, f"panel --start --plan short --state {state}", out=False, sockets=state) as pane:
            strapped_in(pane)
            pane.hold_until("t", "TILTING .*angle −[2-9][.]")
            there = of_state(state)
            assert len(there) >= 5
        ended(*there)
        assert last_snapshot(state).decision.region is Region.LEVEL
