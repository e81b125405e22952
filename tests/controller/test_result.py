"""The result of a session: JSON for programs, a summary for people, an exit code for scripts."""

import json
from typing import Any

import pytest

from config.limits import LEVEL_BAND_CDEG
from controller.recording import Recorder
from controller.result import SessionResult, figures_of, minutes
from controller.sentences import message
from controller.session import COMPLETED, EXIT_NOT_LEVEL, LEVEL_CDEG, REFUSED, STOPPED, TRIPPED, Outcome
from safety.signals import (
    Alarm,
    Cause,
    Command,
    Decision,
    Demand,
    Readings,
    Snapshot,
    State,
    Wish,
)
from tests.controller.made_up import STRAP_OPEN, Story, calm_visit, strap_opens_visit

CRANK = "Fit the crank and turn it until the board is level."
KEYS = [
    *("schema", "result", "end_reason", "plan", "profile", "table", "guard", "seed", "cap_deg", "deepest_deg"),
    *("final_deg", "max_speed_deg_s", "duration_s", "inverted_s", "truth", "trips", "refusals", "files"),
]


def result_of(recorder: Recorder, outcome: str = COMPLETED, reason: str = "completed", **more: Any) -> SessionResult:
    """What a made-up session came to."""
    refusals = more.pop("refusals", ())
    return SessionResult(
        outcome=Outcome(outcome, reason, 0, True, (), refusals),
        plan="first-visit",
        profile="simulated",
        table="in-process",
        guard="absent",
        seed=7,
        cap_cdeg=-2000,
        manual_return_text=CRANK,
        figures=figures_of(recorder.rows()),
        trips=tuple(recorder.trips()),
        **more,
    )


def test_the_json_has_the_promised_keys_and_no_wall_time() -> None:
    told = json.loads(result_of(calm_visit()).json_text())
    assert list(told) == KEYS
    assert told["schema"] == "inversion-table.session/1"
    assert (told["result"], told["end_reason"], told["seed"], told["cap_deg"]) == ("completed", "completed", 7, -20.0)
    assert told["truth"] == "plant"
    assert told["trips"] == []


def test_the_figures_are_what_the_body_did() -> None:
    figures_now = figures_of(calm_visit().rows())
    assert figures_now.deepest_deg == -20.0
    assert figures_now.final_deg == -0.5
    assert figures_now.max_speed_deg_s == pytest.approx(1.77, abs=0.01)
    assert figures_now.duration_s == pytest.approx(262, abs=0.1)
    # 9 s of the way down, 60 s of hold and 8.5 s of the way back lie below −5°.
    assert figures_now.inverted_s == pytest.approx(9 + 60 + 8.5, abs=0.2)


def test_without_the_plants_truth_the_figures_come_from_the_sensors() -> None:
    figures_now = figures_of(calm_visit(Story(truth_known=False)).rows())
    assert figures_now.truth == "sensors"
    assert figures_now.deepest_deg == -20.0
    assert figures_now.max_speed_deg_s == pytest.approx(1.77, abs=0.05)


def test_a_trip_is_told_with_everything_that_is_promised() -> None:
    result = result_of(strap_opens_visit(), TRIPPED, "strap")
    (trip,) = result.as_json()["trips"]
    assert trip == {
        "code": "H04",
        "first": True,
        "demand": "RETURN",
        "alarm": "HIGH",
        "by": "host",
        "state": "holding",
        "at_s": 69.0,
        "value": 2,
        "limit": 1,
        "unit": "contacts open",
        "message": message(STRAP_OPEN, CRANK),
    }


@pytest.mark.parametrize(("outcome", "code"), [(COMPLETED, 0), (TRIPPED, 3), (REFUSED, 4), (STOPPED, 6)], ids=str)
def test_the_exit_code_follows_the_result_while_the_patient_is_home(outcome: str, code: int) -> None:
    assert result_of(calm_visit(), outcome).exit_code == code


@pytest.mark.parametrize(("angle_cdeg", "code"), [(-LEVEL_CDEG, 3), (-LEVEL_CDEG - 1, 7), (3000, 3), (-6000, 7)])
def test_a_patient_left_below_level_comes_before_everything_else(angle_cdeg: int, code: int) -> None:
    story = Story(angle_cdeg=angle_cdeg).until(1, State.STOPPED)
    assert result_of(story.recorder, TRIPPED, "drive").exit_code == code


def test_an_unknown_angle_is_not_level() -> None:
    recorder = Recorder()
    recorder.observe(Snapshot(0, 0, Readings(10), Wish(), Decision(Command())))
    result = result_of(recorder, TRIPPED, "sensor")
    assert result.exit_code == EXIT_NOT_LEVEL
    assert "THE PATIENT IS NOT AT LEVEL (unknown)" in result.summary()


def test_level_is_told_a_little_wider_than_the_band_so_that_a_slow_return_ends_there() -> None:
    assert LEVEL_BAND_CDEG <= LEVEL_CDEG <= 150


def test_the_summary_says_how_it_ended_how_deep_how_long_and_where_the_files_are() -> None:
    result = result_of(calm_visit(), files={"trace": "trace.csv", "picture": "session.svg"})
    summary = result.summary("/some/where")
    assert summary.startswith("first-visit on simulated: completed as planned.\n")
    for words in ("−20° (cap −20°)", "1 min 17 s of 4 min 22 s", "−0.5°, at level", "trips           none"):
        assert words in summary
    assert "result.json, trace.csv, session.svg\n  in              /some/where" in summary
    assert "NOT AT LEVEL" not in summary


def test_the_summary_names_each_trip_with_value_limit_and_what_it_meant() -> None:
    summary = result_of(strap_opens_visit(), TRIPPED, "strap").summary()
    assert "ended by the safety layer: H04, an ankle strap is open." in summary
    assert "first  H04 at 69.00 s, holding (RETURN)" in summary
    assert "2 contacts open, limit 1" in " ".join(summary.split())


def test_a_patient_who_is_not_at_level_is_told_first_with_what_to_do() -> None:
    cut = Cause("H13", Demand.CUT, Alarm.HIGH, 450, 400, "cdeg/s")
    story = Story(angle_cdeg=-1500).until(1, State.HOLDING).until(2, State.STOPPED, causes=(cut,))
    summary = " ".join(result_of(story.recorder, TRIPPED, "drive").summary().split())
    assert "THE PATIENT IS NOT AT LEVEL (−15°). Bring the patient back by hand" in summary
    assert CRANK in summary
    assert "BELOW LEVEL" in summary


def test_whoever_ended_it_from_outside_is_named() -> None:
    assert "ended by a person (Ctrl-C)" in result_of(calm_visit(), STOPPED, "supervisor", asked_by="Ctrl-C").headline


def test_a_refusal_names_every_reason() -> None:
    reasons = (
        Cause("H07", Demand.NO_DEEPENING, Alarm.LOW, 3, 4, "steps of strap proof"),
        Cause("H31", Demand.NO_DEEPENING, Alarm.LOW, -4500, -2000, "cdeg without a history"),
    )
    result = result_of(calm_visit(), REFUSED, "refused", refusals=reasons)
    summary = " ".join(result.summary().split())
    assert "H07: The ankle straps are not tested yet." in summary
    assert "Found: 3 steps of strap proof, limit 4." in summary
    assert "Found: −45° without a history, limit −20°." in summary
    assert [one["code"] for one in result.as_json()["refusals"]] == ["H07", "H31"]


def test_a_flood_of_trips_is_cut_for_people_and_whole_for_programs() -> None:
    story = Story().until(1, State.HOLDING, -20)
    for number in range(30):
        story.until(2 + number, State.STOPPED, causes=(STRAP_OPEN,))
        story.until(2.5 + number, State.STOPPED)
    result = result_of(story.recorder, TRIPPED, "strap")
    assert len(result.as_json()["trips"]) == 30
    assert "… and 22 more, all in result.json" in result.summary()


def test_one_session_gives_the_same_bytes_every_time() -> None:
    assert result_of(strap_opens_visit()).json_text() == result_of(strap_opens_visit()).json_text()


def test_times_are_told_as_people_say_them() -> None:
    assert [minutes(one) for one in (0, 42.4, 60, 82.4)] == ["0 s", "42 s", "1 min 0 s", "1 min 22 s"]
