"""A session at a real terminal, by its keys: what stands on the screen, and what comes of it."""

import json
from pathlib import Path

import pytest

from tests.controller.pane import Pane

pytestmark = [pytest.mark.needs("tmux"), pytest.mark.timeout(200)]


def a_visit_by_keys(pane: Pane) -> None:
    """Do what the screen asks for, from the lamp test to the open straps, as whoever stands at the table."""
    screen = pane.until("inverted 0:00 NOW Look at every lamp and listen")
    for words in ("● RED", "● t TILT", "● space PRESENCE", "p patient's button", "e e-stop", "straps left open"):
        assert words in screen
    pane.press("Enter")
    pane.until("Close both ankle straps")
    pane.type("12")
    pane.hold_until("t", "angle .0[.][0-9]°.*(Let go|Let the patient)")
    pane.until("Let the patient press the button")
    pane.type("p")
    pane.until("inverted 0:00 NOW Pull at both straps")
    pane.press("Enter")
    pane.until("inverted 0:00 NOW Read the name and the plan aloud.* plan simulated: short, 1 set of −20.0° for 0:10")
    pane.pause()
    pane.press("Enter")
    pane.until("STRAPPED .*Hold TILT")
    pane.hold_until("t", "TILTING .*angle −[1-9][.]")
    # Let go of, it stops.
    screen = pane.until("TILTING .*brake set")
    assert "angle −2" not in screen
    pane.hold_until("t", "HOLDING .*angle −(19|20)[.]")
    pane.type(" ")
    pane.type("-")
    pane.until("HOLDING .*plan −15.0° .*set 1 of 1")
    pane.until("RETURNING")
    pane.until("RESTING .*angle [−+]?0[.].*sound silent")
    pane.until("Press CONFIRM to end the session")
    pane.press("Enter")
    pane.until("Open the straps and let the patient off")
    pane.type("12")
    screen = pane.until("exit code [0-9]")
    assert "exit code 0" in screen
    assert "completed as planned" in screen
    result = json.loads((pane.out / "result.json").read_text())
    assert (result["result"], result["trips"], result["refusals"]) == ("completed", [], [])
    assert -20.5 < result["deepest_deg"] < -19


def test_a_whole_visit_by_keys_on_80_by_24(tmp_path: Path) -> None:
    with Pane(tmp_path, "session --plan short --by-hand --speed 15") as pane:
        a_visit_by_keys(pane)


@pytest.mark.nightly
def test_a_whole_visit_by_keys_over_the_wire(tmp_path: Path) -> None:
    with Pane(tmp_path, f"session --plan short --by-hand --table wire --state {tmp_path}") as pane:
        a_visit_by_keys(pane)


def test_keys_over_the_wire_on_120_by_40_move_stop_and_cut(tmp_path: Path) -> None:
    with Pane(tmp_path, f"session --plan short --by-hand --table wire --state {tmp_path}", 120, 40) as pane:
        screen = pane.until("Look at every lamp")
        assert " min" in screen, "the chart below the panel has the time"
        pane.hold_until("t", "angle .19[.][0-8]°")
        pane.until("brake set")
        pane.type("e")
        screen = pane.until("HIGH H20 .*e-stop PRESSED")
        assert "STOPPED" in screen
        pane.pause()
        pane.type("e")
        pane.until("e-stop released")
        pane.press("C-c")
        screen = pane.until("exit code [0-9]")
        assert "exit code 3" in screen
