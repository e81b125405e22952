"""The tests of this folder and the random steps run every line and every branch of the guard's C."""

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.firmware.coverage import FLAGS, measure, measured
from tests.firmware.gcov import needs_gcov, reached

pytestmark = pytest.mark.needs("cc")

HALF_RUN = """
static int sign_of(int value, int known) {
    if (value < 0 && known) {
        return -1;
    }
    return 1;
}
int main(void) { return sign_of(1, 1) - 1; }
"""


@pytest.fixture
def gcov(pytestconfig: pytest.Config) -> None:
    needs_gcov(pytestconfig)


@pytest.mark.usefixtures("gcov")
def test_a_line_or_branch_that_nothing_reached_is_told(tmp_path: Path) -> None:
    (tmp_path / "half.c").write_text(HALF_RUN, encoding="utf-8")
    for command in (("gcc", *FLAGS, "-c", "half.c"), ("gcc", "--coverage", "half.o", "-o", "half"), ("./half",)):
        subprocess.run(command, cwd=tmp_path, check=True)
    found = reached(tmp_path, "half.o", "half.c")
    assert found.missing == (
        "never taken   half.c:3: if (value < 0 && known) {  [branch 0]",
        "never taken   half.c:3: if (value < 0 && known) {  [branch 2]",
        "never taken   half.c:3: if (value < 0 && known) {  [branch 3]",
        "never run     half.c:4: return -1;",
    )
    assert (found.lines, found.branches) == (5, 4)


@pytest.mark.usefixtures("gcov")
def test_what_was_not_counted_is_no_success(tmp_path: Path) -> None:
    (tmp_path / "half.c").write_text(HALF_RUN, encoding="utf-8")
    subprocess.run(("gcc", *FLAGS, "-c", "half.c"), cwd=tmp_path, check=True)
    with pytest.raises(ValueError, match="no counts of other"):
        reached(tmp_path, "half.o", "other.c")
    assert "never run     half.c:6: return 1;" in reached(tmp_path, "half.o", "half.c").missing


@pytest.fixture
def without_gcov(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(shutil, "which", lambda name: None if name == "gcov" else name)
    yield
    monkeypatch.undo()


@pytest.mark.usefixtures("without_gcov")
@pytest.mark.parametrize(
    ("require", "outcome"), [("all", pytest.fail.Exception), ("cc", pytest.fail.Exception), ("", pytest.skip.Exception)]
)
def test_without_gcov_a_gate_fails_where_it_is_required(
    require: str, outcome: type[BaseException], pytestconfig: pytest.Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pytestconfig.option, "require", require)
    with pytest.raises(outcome, match="not here: gcov"):
        needs_gcov(pytestconfig)


@pytest.mark.usefixtures("gcov")
@pytest.mark.timeout(300)
def test_every_line_and_branch_of_the_guard_is_reached() -> None:
    files = measure()
    assert len(files) == len(measured()) == 6
    assert [line for file in files for line in file.missing] == []
