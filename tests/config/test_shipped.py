"""What is shipped is what the documents promise, and agrees with the simulated table."""

from pathlib import Path

import pytest

from config.limits import Limits
from config.loading import load_declared, load_plan, load_profile, load_screening
from config.names import known
from config.screening import Screening
from tests.config.writing import SCREENING, changed


def test_the_shipped_plans_are_these() -> None:
    shipped = {source.name: load_plan(source.name) for source in known("plan") if source.origin == "shipped"}
    figures = {
        name: (plan.sets, plan.angle_cdeg, plan.hold_s, plan.rest_s, plan.speed_cdeg_s, plan.staged)
        for name, plan in shipped.items()
    }
    assert figures == {
        "first-visit": (1, -2000, 60, 120, 200, None),
        "standard": (1, -4500, 180, 120, 200, None),
        "three-sets": (3, -3000, 180, 120, 200, None),
        "short": (1, -2000, 10, 60, 200, None),
    }


@pytest.mark.parametrize("profile", [source.name for source in known("profile")])
@pytest.mark.parametrize("plan", [source.name for source in known("plan")])
def test_every_shipped_plan_runs_on_every_shipped_profile(profile: str, plan: str) -> None:
    limits = load_profile(profile).limits()
    assert load_plan(plan, limits).set_limit_s(limits) <= limits.set_limit_s


def test_the_simulated_profile_has_the_default_limits() -> None:
    profile = load_profile("simulated")
    expected = Limits(issuers=("simulated", "declared"), profile_hash=profile.hash)
    assert profile.limits() == expected
    assert profile.session.held_tilt
    assert not profile.session.strap_wait


def test_the_simulated_profile_describes_the_simulated_table() -> None:
    from sim.body import PlantConstants

    profile, plant = load_profile("simulated"), PlantConstants()
    geometry, drive, switches = profile.geometry, profile.drive, profile.switches
    assert geometry.hard_stop_down_cdeg == 100 * plant.hard_stop_low_deg
    assert geometry.hard_stop_up_cdeg == 100 * plant.hard_stop_high_deg
    assert switches.end_down_cdeg == 100 * plant.end_down_deg
    assert switches.end_up_cdeg == 100 * plant.end_up_deg
    assert drive.backlash_cdeg == 100 * plant.backlash_deg
    assert drive.stall_ma == plant.stall_ma
    assert drive.idle_ma < plant.powered_ma
    assert drive.torque_nm_a == plant.torque_nm_a
    assert drive.thermal_budget_a2_s * 1e6 == plant.thermal_budget_ma2_s
    assert drive.continuous_ma**2 == plant.thermal_leak_ma2
    assert profile.brake.set_ms >= plant.brake_setting_ms
    assert profile.brake.hold_nm == plant.brake_nm
    assert (profile.brake.side == "motor") == plant.brake_on_motor_side
    assert profile.battery.capacity_mah * 3600 == plant.battery_mas


def test_every_shipped_figure_is_explained() -> None:
    profile = Path(__file__).resolve().parents[2] / "config/profiles/simulated.toml"
    figures = profile.read_text(encoding="utf-8").partition("[geometry]")[2].splitlines()
    silent = {line for line in figures if " = " in line and "#" not in line}
    # These say it by their names, or by the key above them.
    assert {line.partition(" =")[0] for line in silent} <= {
        "fitted",
        "b_slope",
        "end_down_deg",
        "end_up_deg",
        "speed_deg_s",
        "degraded_deg_s",
        "issuers",
    }


ABSOLUTE = """cataract-surgery retinal-detachment raised-intracranial-pressure ankle-injury circulation-or-heart
    hypertension pregnancy glaucoma retinal-vessel-disease stroke-or-tia carotid-stenosis seizure spinal-injury
    recent-fracture above-rated-load cannot-press-button"""
OVERRIDE = """other-eye-condition anticoagulants hernia reflux osteoporosis implants vertigo extreme-obesity
    recent-surgery"""
TODAY = "meal-or-alcohol-today middle-ear-infection-today conjunctivitis-today blood-pressure-today"


@pytest.mark.parametrize(("kind", "ids"), [("absolute", ABSOLUTE), ("override", OVERRIDE), ("today", TODAY)])
def test_the_screening_list_has_every_reason_in_its_class(kind: str, ids: str) -> None:
    assert {item.id for item in load_screening().items if item.kind == kind} == set(ids.split())


def test_the_eight_of_the_source_are_named_as_such() -> None:
    named = {item.id for item in load_screening().items if item.note.startswith("Named by the source of this project")}
    assert len(named) == 8
    assert named - set(ABSOLUTE.split()) == {"other-eye-condition"}


def test_every_question_is_a_question_and_yes_is_against_tilting() -> None:
    for item in load_screening().items:
        assert item.question.endswith("?")
        assert "not " not in item.question


def test_an_id_may_stand_only_once() -> None:
    twice = [SCREENING["items"][0], SCREENING["items"][1], SCREENING["items"][0]]
    with pytest.raises(ValueError, match=r"items\.0\.id = .*this id stands more than once.*items\.2\.id"):
        Screening.model_validate(changed(SCREENING, {"items": twice}))


def test_the_permit_names_the_version_of_the_list() -> None:
    assert load_profile().limits().screening_version == load_screening().version == SCREENING["version"]


def test_the_wire_profile_is_the_simulated_table_in_another_place() -> None:
    simulated, wire = load_profile("simulated"), load_profile("wire")
    other = {"name": "wire", "title": wire.title, "table_id": "wire", "bridge": "wire"}
    assert simulated.model_copy(update={**other, "commissioning": wire.commissioning}) == wire
    assert wire.commissioning is not None
    assert wire.commissioning.by == "the simulation"


def test_the_form_of_a_declaration_has_every_question_and_answers_none_of_them_away() -> None:
    form, screening = load_declared(Path(__file__).resolve().parents[2] / "config/declared.toml"), load_screening()
    assert list(form.answers) == [item.id for item in screening.items]
    assert form.screening_version == screening.version
    assert all(form.answers.values())
