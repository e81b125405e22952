"""H35: who may ask for what over the local socket, and on how old a picture."""

import pytest

from controller.messages import STALE_MS
from safety import asking
from safety.asking import BRINGS_BACK, CHANGES, READS, is_stale, someone_else
from safety.signals import Alarm, Demand


@pytest.mark.parametrize("asks", [READS, BRINGS_BACK])
@pytest.mark.parametrize("trusted", [True, False])
@pytest.mark.parametrize("picture_ms", [0, 501, asking.NEVER_SENT_MS])
def test_whoever_asks_may_read_and_may_stop_and_return(asks: int, trusted: bool, picture_ms: int) -> None:
    assert someone_else(asks, trusted, picture_ms) is None


@pytest.mark.parametrize("picture_ms", [0, 1, 499, 500])
def test_the_own_user_may_change_things_on_a_fresh_picture(picture_ms: int) -> None:
    assert someone_else(CHANGES, True, picture_ms) is None
    assert not is_stale(picture_ms)


@pytest.mark.parametrize("picture_ms", [501, 502, asking.NEVER_SENT_MS, -1])
def test_h35_an_old_picture_or_a_replayed_request_changes_nothing(picture_ms: int) -> None:
    cause = someone_else(CHANGES, True, picture_ms)
    assert cause is not None
    assert (cause.code, cause.value, cause.limit) == ("H35", picture_ms, 500)
    assert (cause.demand, cause.alarm) == (Demand.NO_DEEPENING, Alarm.LOW)
    assert is_stale(picture_ms)


def test_h35_another_user_changes_nothing_however_fresh_the_picture() -> None:
    cause = someone_else(CHANGES, False, 0)
    assert cause is not None
    assert (cause.code, cause.value, cause.limit, cause.unit) == ("H35", 0, 1, "user of the control process")


def test_the_messages_and_the_judge_mean_the_same_by_an_old_picture() -> None:
    assert asking.STALE_MS == STALE_MS
