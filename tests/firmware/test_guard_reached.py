"""The tests of this folder and the random steps run every line and every branch of the guard's C."""

import shutil

import pytest

from tests.firmware.coverage import measure, measured, unreached

pytestmark = pytest.mark.needs("cc")

REPORT = """
        -:    7:static int8_t sign_of(int16_t value) {
       12:    8:    if (value < 0 && known) {
branch  0 taken 12 (fallthrough)
branch  1 taken 0
branch  2 never executed
    #####:    9:        return -1;
        5:   10:    }
"""


def test_a_line_or_branch_that_nothing_reached_is_told() -> None:
    assert unreached(REPORT, "guard_x.c") == [
        "never taken   guard_x.c:8: if (value < 0 && known) {  [branch  1 taken 0]",
        "never taken   guard_x.c:8: if (value < 0 && known) {  [branch  2 never executed]",
        "never run     guard_x.c:9: return -1;",
    ]


@pytest.mark.timeout(300)
@pytest.mark.skipif(shutil.which("gcc") is None or shutil.which("gcov") is None, reason="counted by gcc and gcov")
def test_every_line_and_branch_of_the_guard_is_reached() -> None:
    shares, missing = measure()
    assert len(shares) == len(measured()) == 6
    assert missing == []
