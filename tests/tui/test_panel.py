"""The terminal panel on a table in this process: what stands on its screen, and what keys and mouse do."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot

from controller import permits
from controller.messages import Answer
from controller.panel_lamps import Worked
from controller.tui.control import Control
from safety.signals import Guide, State
from tests.service.rig import LIMITS, SHORT, WALL_S, as_in_a_file
from tests.tui.bench import Bench

SMALL, LARGE = (80, 24), (120, 40)
Script = Callable[[Bench, Pilot[int]], Awaitable[None]]


def at_a_panel(folder: Path, script: Script, size: tuple[int, int] = SMALL, **bench: Any) -> None:
    """Run a script with the panel on a screen of this size."""

    async def run() -> None:
        made = Bench(folder, **bench)
        try:
            async with made.app.run_test(size=size) as pilot:
                made.pass_s(0.5)
                await pilot.pause()
                await script(made, pilot)
        finally:
            made.close()

    asyncio.run(run())


async def until_state(bench: Bench, pilot: Pilot[int], state: State) -> str:
    for _ in range(60_000):
        if bench.tick().wish.state is state:
            break
    bench.pass_s(0.2)
    await pilot.pause()
    assert bench.rig.snapshot.wish.state is state
    return bench.text


async def screen(bench: Bench, pilot: Pilot[int], seconds: float = 0.2) -> str:
    bench.pass_s(seconds)
    await pilot.pause()
    return bench.text


def place_of(bench: Bench, word: str) -> tuple[int, int]:
    """Where a word stands among the lamps."""
    for y, line in enumerate(bench.text.split("\n")):
        if y > 12 and (x := line.find(word, 21)) >= 0:
            return x, y
    raise AssertionError(f"{word} is nowhere")


@pytest.mark.parametrize("size", [SMALL, LARGE])
def test_a_visit_as_it_stands_on_the_screen(tmp_path: Path, size: tuple[int, int]) -> None:
    async def script(bench: Bench, pilot: Pilot[int]) -> None:
        assert "none is offered" in bench.text
        bench.rig.offer()
        bench.rig.come()
        await until_state(bench, pilot, State.HOLDING)
        text = await screen(bench, pilot, 2)
        for words in (
            "short on simulated  HOLDING",
            "NOW  Stay with the patient",
            "plan −20.0° cap −20.0°",
            "left 0:0",
            "● 1 left strap",
            "brake set",
            "plan  simulated: short, 1 set of −20.0° for 0:10",
            "The session is holding.",
        ):
            assert words in text
        assert (" min" in text) is (size == LARGE), "the curve stands where there is room for it"
        assert ("The plan short is offered" in text) is (size == LARGE)
        bench.rig.table.hands.strap("left", False)
        text = await screen(bench, pilot, 1.0)
        for words in ("EMERGENCY RETURN", "NOW  Hold the patient.", "HIGH    H04 Left ankle strap open", "left open"):
            assert words in text

    at_a_panel(tmp_path, script, size)


def test_on_a_small_screen_the_curve_takes_the_lamps_place_when_asked_for(tmp_path: Path) -> None:
    async def script(bench: Bench, pilot: Pilot[int]) -> None:
        bench.rig.offer()
        bench.rig.come()
        await until_state(bench, pilot, State.HOLDING)
        await pilot.press("g")
        text = await screen(bench, pilot)
        assert " min" in text
        assert "−20°" in text
        assert "space PRESENCE" not in text
        assert "NOW  Stay" in text
        await pilot.press("g")
        assert "space PRESENCE" in await screen(bench, pilot)

    at_a_panel(tmp_path, script)


def test_a_held_key_holds_its_button_and_a_key_that_stops_coming_lets_go(tmp_path: Path) -> None:
    async def script(bench: Bench, pilot: Pilot[int]) -> None:
        await pilot.press("t")
        bench.pass_s(0.7)
        assert bench.held() == ["TILT"], "the first repetition may take so long"
        for _ in range(20):
            await pilot.press("t")
            bench.pass_s(0.05)
        assert bench.held() == ["TILT"]
        bench.pass_s(0.4)
        assert bench.held() == []

    at_a_panel(tmp_path, script)


def test_the_mouse_holds_a_button_until_it_is_let_go_of_also_elsewhere(tmp_path: Path) -> None:
    async def script(bench: Bench, pilot: Pilot[int]) -> None:
        await pilot.mouse_down(offset=place_of(bench, "RAISE"))
        bench.pass_s(3)
        assert bench.held() == ["RAISE"]
        await pilot.hover(offset=(2, 2))
        assert bench.held() == ["RAISE"]
        await pilot.mouse_up(offset=(2, 2))
        bench.pass_s(0.2)
        assert bench.held() == []

    at_a_panel(tmp_path, script)


def test_a_new_key_lets_go_of_what_the_mouse_holds_and_presence_does_not(tmp_path: Path) -> None:
    async def script(bench: Bench, pilot: Pilot[int]) -> None:
        await pilot.mouse_down(offset=place_of(bench, "TILT"))
        await pilot.press("space")
        bench.pass_s(0.1)
        assert bench.held() == ["PRESENCE", "TILT"]
        await pilot.press("s")
        bench.pass_s(0.1)
        assert bench.held() == ["STOP"]

    at_a_panel(tmp_path, script)


def test_a_click_beside_the_words_does_nothing(tmp_path: Path) -> None:
    async def script(bench: Bench, pilot: Pilot[int]) -> None:
        x, y = place_of(bench, "TILT")
        await pilot.mouse_down(offset=(x - 3, y))
        bench.pass_s(0.3)
        assert bench.held() == []
        assert bench.app.hands is not None
        assert not bench.app.hands.in_charge

    at_a_panel(tmp_path, script)


def test_a_whole_start_by_keys_and_mouse(tmp_path: Path) -> None:
    async def script(bench: Bench, pilot: Pilot[int]) -> None:
        rig = bench.rig
        rig.offer()
        bench.pass_s(2)
        assert rig.guide() is Guide.LAMP_TEST
        await pilot.press("enter")
        bench.pass_s(1)
        await pilot.press("1")
        bench.pass_s(1)
        await pilot.click(offset=place_of(bench, "right strap"))
        bench.pass_s(4)
        assert rig.guide() is Guide.PATIENT_BUTTON
        await pilot.mouse_down(offset=place_of(bench, "p patient"))
        bench.pass_s(0.6)
        await pilot.mouse_up(offset=(0, 0))
        bench.pass_s(1)
        assert rig.guide() is Guide.CONFIRM_STRAPS
        await pilot.click(offset=place_of(bench, "CONFIRM"))
        bench.pass_s(2)
        await pilot.press("c")
        text = await until_state(bench, pilot, State.STRAPPED)
        assert "Hold TILT" in await screen(bench, pilot, 11)
        assert "● armed" in text
        await pilot.mouse_down(offset=place_of(bench, "TILT"))
        bench.pass_s(6)
        assert rig.snapshot.wish.state is State.TILTING
        assert rig.true_deg < -3

    at_a_panel(tmp_path, script)


def test_simulated_people_leave_before_the_first_key_does_anything(tmp_path: Path) -> None:
    left: list[str] = []

    async def script(bench: Bench, pilot: Pilot[int]) -> None:
        assert "Simulated people do the visit, unless you press a key" in bench.text
        for _ in range(2):
            await pilot.press("t")
            bench.pass_s(0.1)
        assert left == ["left"]
        assert "You are the supervisor" in await screen(bench, pilot)

    panel = {"started": True, "take_over": lambda: left.append("left"), "people": lambda: not left}
    at_a_panel(tmp_path, script, panel=panel)


def test_a_real_table_takes_stop_return_and_audio_pause_and_nothing_else(tmp_path: Path) -> None:
    async def script(bench: Bench, pilot: Pilot[int]) -> None:
        assert "From here: s STOP, r RETURN, a pauses the sound." in bench.text
        assert bench.app.scene.worked is Worked.REMOTE
        for key in ("t", "u", "space", "enter", "plus", "1", "2", "p", "e", "m"):
            await pilot.press(key)
        await pilot.mouse_down(offset=place_of(bench, "TILT"))
        text = await screen(bench, pilot)
        assert {name for name in bench.asked if name != "Events"} == set()
        assert bench.held() == []
        assert "this table has buttons of its own" in " ".join(text.split())
        await pilot.press("s", "s", "s")
        assert bench.asked[-1] == "Stop"
        assert bench.asked.count("Stop") == 1, "held down it asks once"
        await screen(bench, pilot, 1.0)
        await pilot.mouse_down(offset=place_of(bench, "RETURN"))
        assert bench.asked[-1] == "Return"
        await pilot.press("a")
        assert bench.asked[-1] == "Acknowledge"

    at_a_panel(tmp_path, script, real=True)


def test_stop_from_here_stops_a_real_table_in_mid_visit(tmp_path: Path) -> None:
    async def script(bench: Bench, pilot: Pilot[int]) -> None:
        bench.rig.offer()
        bench.rig.come()
        await until_state(bench, pilot, State.TILTING)
        bench.pass_s(3)
        await pilot.press("s")
        bench.rig.people = None
        text = await screen(bench, pilot, 1.0)
        assert bench.rig.snapshot.wish.state is State.STOPPED
        assert "STOPPED" in text

    at_a_panel(tmp_path, script, real=True)


def test_control_gone_is_said_in_large_letters_and_it_is_found_again_by_itself(tmp_path: Path) -> None:
    async def script(bench: Bench, pilot: Pilot[int]) -> None:
        await pilot.mouse_down(offset=place_of(bench, "TILT"))
        bench.pass_s(0.3)
        bench.alive = False
        text = await screen(bench, pilot, 0.5)
        for words in (
            "NO CONTROL",
            "NOW  Look at the table, and stay with the patient",
            "guard brings the patient back",
            "Fit the crank",
            "Start the control process: inversion-table serve",
        ):
            assert words in text
        assert bench.held() == [], "whoever sees nothing holds nothing"
        await pilot.press("t")
        bench.pass_s(0.3)
        assert bench.held() == []
        bench.alive = True
        text = await screen(bench, pilot, 1.0)
        assert "NO CONTROL" not in text
        assert "IDLE" in text
        await pilot.press("t")
        bench.pass_s(0.2)
        assert bench.held() == ["TILT"]

    at_a_panel(tmp_path, script)


def test_a_control_process_that_hangs_is_not_shown_as_if_all_were_well(tmp_path: Path) -> None:
    async def script(bench: Bench, pilot: Pilot[int]) -> None:
        await pilot.mouse_down(offset=place_of(bench, "TILT"))
        bench.pass_s(0.3)
        bench.hung = True
        assert "NO NEWS" not in await screen(bench, pilot, 0.5)
        assert "NO NEWS" in await screen(bench, pilot, 1.0)
        assert bench.held() == []
        bench.hung = False
        assert "NO NEWS" not in await screen(bench, pilot, 0.5)

    at_a_panel(tmp_path, script)


def test_on_a_very_small_screen_what_to_do_stands_whole(tmp_path: Path) -> None:
    async def script(bench: Bench, pilot: Pilot[int]) -> None:
        bench.rig.offer()
        text = " ".join((await screen(bench, pilot, 2)).split())
        assert "Look at every lamp" in text
        assert "make the terminal larger" in text

    at_a_panel(tmp_path, script, (40, 12))


def test_without_colours_the_same_words_stand_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")

    async def script(bench: Bench, pilot: Pilot[int]) -> None:
        text = await screen(bench, pilot)
        assert "IDLE" in text
        styles = {
            segment.style.color
            for strip in bench.app.screen._compositor.render_strips()
            for segment in strip
            if segment.style is not None and segment.style.color is not None and not segment.style.color.is_default
        }
        triplets = {colour.get_truecolor() for colour in styles}
        assert all(red == green == blue for red, green, blue in triplets), "greys at the most"

    at_a_panel(tmp_path, script)


def test_in_ascii_nothing_else_is_drawn(tmp_path: Path) -> None:
    async def script(bench: Bench, pilot: Pilot[int]) -> None:
        bench.rig.offer()
        bench.rig.come()
        text = await until_state(bench, pilot, State.HOLDING)
        assert text.isascii()
        assert "H O L D I N G" in text
        bench.alive = False
        assert (await screen(bench, pilot, 0.5)).isascii()

    at_a_panel(tmp_path, script, panel={"ascii_only": True})


def test_ctrl_c_and_a_signal_ask_for_the_end_and_the_panel_stays_until_all_has_ended(tmp_path: Path) -> None:
    asked: list[str] = []
    codes: list[int] = []

    def leave() -> bool:
        asked.append("leave")
        return False

    async def script(bench: Bench, pilot: Pilot[int]) -> None:
        await pilot.press("t")
        bench.pass_s(0.2)
        await pilot.press("ctrl+c")
        bench.pass_s(0.1)
        await pilot.pause()
        assert asked == ["leave"]
        assert bench.held() == []
        bench.app._signalled()
        await pilot.pause()
        assert asked == ["leave", "leave"]
        assert bench.app.is_running
        codes.append(6)
        bench.app.look()
        await pilot.pause()
        assert bench.app.return_value == 6

    at_a_panel(tmp_path, script, panel={"started": True, "leave": leave, "over": lambda: codes[0] if codes else None})


def test_after_a_visit_the_plan_can_be_offered_again(tmp_path: Path) -> None:
    def offer(control: Control) -> Answer:
        return control.offer(as_in_a_file(SHORT), permits.simulated(SHORT, LIMITS.screening_version, WALL_S))

    async def script(bench: Bench, pilot: Pilot[int]) -> None:
        assert "none is offered: press o to offer one" in bench.text
        await pilot.press("o")
        text = await screen(bench, pilot, 0.5)
        assert "short on simulated  IDLE" in text
        assert "plan  short, 1 set of −20.0° for 0:10" in text
        assert bench.rig.offered()
        await pilot.press("o")
        assert "Not offered: a plan is offered or a visit under way already" in " ".join(
            (await screen(bench, pilot)).split()
        )

    at_a_panel(tmp_path, script, LARGE, panel={"started": True, "offer": offer})


def test_why_a_control_process_does_not_end_yet_stands_there(tmp_path: Path) -> None:
    async def script(bench: Bench, pilot: Pilot[int]) -> None:
        bench.rig.offer()
        bench.rig.come()
        await until_state(bench, pilot, State.HOLDING)
        bench.rig.service.leave("SIGTERM")
        text = await screen(bench, pilot, 0.5)
        assert text.count("SIGTERM: still here, because the patient is at") == 1
        assert (await screen(bench, pilot, 2)).count("SIGTERM: still here, because the patient is at") == 1

    at_a_panel(tmp_path, script, LARGE)


def test_the_first_look_at_a_table_that_is_in_trouble_without_a_plan_is_drawn(tmp_path: Path) -> None:
    async def script(bench: Bench, pilot: Pilot[int]) -> None:
        text = await screen(bench, pilot)
        assert "no plan on simulated  STOPPED" in text
        assert " min" in text

    # A control process that was started again: no plan, no time passed, and a visit's trouble all the same.
    at_a_panel(tmp_path, script, LARGE, start_deg=-10.0, unfinished=True)
