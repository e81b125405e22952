"""Permits: who may vouch for a person, and with what."""

import pytest

from config.errors import RefusedError
from config.loading import load_plan, load_screening
from controller.permits import VALID_S, Declaration, declared, simulated
from safety.signals import Issuer

PLAN = load_plan("first-visit")
LIST = load_screening()
ALL_NO = {item.id: False for item in LIST.items}


def test_a_declared_permit_carries_the_list_the_history_and_the_plan() -> None:
    declaration = Declaration("P-17", ALL_NO, inverted_today_s=60, last_deg=-20.0, last_hold_s=120)
    permit = declared(PLAN, LIST, declaration, wall_s=1000)
    assert permit.issuer is Issuer.DECLARED
    assert permit.plan_hash == PLAN.hash
    assert permit.screening_version == LIST.version
    assert (permit.last_cdeg, permit.last_hold_s, permit.inverted_today_s) == (-2000, 120, 60)
    assert permit.valid_until_s == 1000 + VALID_S


def test_one_item_that_applies_refuses_the_permit_and_is_named() -> None:
    answers = ALL_NO | {LIST.items[3].id: True}
    with pytest.raises(RefusedError, match=LIST.items[3].id) as told:
        declared(PLAN, LIST, Declaration("P-17", answers), wall_s=0)
    assert told.value.exit_code == 4


def test_an_unanswered_item_refuses_the_permit_and_every_one_is_named() -> None:
    answers = dict(list(ALL_NO.items())[2:])
    with pytest.raises(RefusedError) as told:
        declared(PLAN, LIST, Declaration("P-17", answers), wall_s=0)
    assert f"{LIST.items[0].id}: not answered" in str(told.value)
    assert f"{LIST.items[1].id}: not answered" in str(told.value)


def test_nobody_without_a_pseudonym_is_declared() -> None:
    with pytest.raises(RefusedError, match="pseudonym"):
        declared(PLAN, LIST, Declaration("  ", ALL_NO), wall_s=0)


def test_simulated_people_are_permitted_their_plan_and_nothing_else() -> None:
    permit = simulated(PLAN, LIST.version, wall_s=0)
    assert permit.issuer is Issuer.SIMULATED
    assert (permit.prescribed_cdeg, permit.prescribed_hold_s) == (PLAN.cap_cdeg, PLAN.hold_s)
