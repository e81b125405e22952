"""The control process from its first tick to its last, and what it refuses before it starts."""

import os
import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from config.errors import UsageError
from config.loading import load_profile
from controller import startup
from controller.app import main
from controller.commands.ways import Way
from controller.lines import Lines
from controller.locks import Lock
from controller.serving import EXIT_NOT_LEVEL, EXIT_SERVED, Serving
from safety.signals import State
from tests.service.rig import Rig


class Script:
    """Stands in for the socket: it is polled once a tick, lets the people act, and does what a test wants then."""

    def __init__(self, rig: Rig, then: Callable[[Rig], None]) -> None:
        self.polls = 0
        self._rig = rig
        self._then = then

    def poll(self) -> None:
        self.polls += 1
        if self._rig.people is not None:
            self._rig.people.observe(self._rig.snapshot)
        self._then(self._rig)

    def close(self) -> None:
        """Nobody is connected."""


def serve(rig: Rig, then: Callable[[Rig], None], lost: Callable[[], str] = str) -> tuple[int, list[str]]:
    near, far = os.pipe()
    with os.fdopen(far, "w", encoding="utf-8") as stream:
        lines = Lines(stream)
        script = Script(rig, then)
        code = Serving(rig.service, script, lines, lost, simulated=True).run()
        lines.finish()
    with os.fdopen(near, encoding="utf-8") as reader:
        told = reader.read().splitlines()
    assert script.polls >= rig.snapshot.number - 1
    return code, told


def test_a_signal_ends_a_table_at_rest_at_once() -> None:
    def then(rig: Rig) -> None:
        if rig.snapshot.number == 50:
            os.kill(os.getpid(), signal.SIGTERM)

    rig = Rig()
    code, told = serve(rig, then)
    assert code == EXIT_SERVED
    assert rig.snapshot.number < 60
    assert any("SIGTERM" in line for line in told)
    assert rig.records.events[-1].kind == "end"
    assert rig.records.events[-1].values["because"] == "SIGTERM"


def test_a_signal_in_a_hold_brings_the_patient_back_and_a_second_one_says_why_it_waits() -> None:
    asked: list[int] = []

    def then(rig: Rig) -> None:
        if rig.snapshot.number == 100:
            assert rig.offer().ok
            rig.come()
        if rig.snapshot.wish.state is State.HOLDING and not asked:
            asked.append(rig.snapshot.number)
            os.kill(os.getpid(), signal.SIGHUP)
        if asked and rig.snapshot.number == asked[0] + 200:
            os.kill(os.getpid(), signal.SIGINT)

    rig = Rig()
    code, told = serve(rig, then)
    assert code == EXIT_SERVED
    assert -1 < rig.true_deg < 1
    waits = [line for line in told if "still here" in line]
    assert len(waits) == 2
    assert all("on the way to level" in line for line in waits)
    result = [event.values for event in rig.events("armed")]
    assert result[0]["armed"] == 1
    # The visit has its end too, though nobody waited for the rest.
    assert rig.events("visit")[-1].values["result"] == "stopped"


def test_a_table_that_is_gone_ends_it_and_says_that_somebody_has_to_look() -> None:
    def then(rig: Rig) -> None:
        if rig.snapshot.number == 100:
            assert rig.offer().ok
            rig.come()

    rig = Rig()

    def lost() -> str:
        snapshot = rig.service.snapshot
        return "the table's process was ended" if snapshot and snapshot.wish.state is State.HOLDING else ""

    code, told = serve(rig, then, lost)
    assert code == EXIT_NOT_LEVEL
    assert any("the table's process was ended" in line for line in told)
    assert rig.records.events[-1].kind == "end"


# Before it starts.


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--profile", "simulated"], "time of its own"),
        (["--profile", "mega-serial", "--offer", "short"], "--offer is for a simulated table"),
        (["--declared", "today.toml"], "takes the word panel"),
        (["--offer", "nonsense"], "nonsense"),
        (["--profile", "nonsense"], "nonsense"),
        (["--table", "nonsense"], "nonsense"),
    ],
)
def test_what_is_wrong_is_told_before_anything_is_started(
    words: list[str], told: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["serve", "--state", str(tmp_path), *words]) == 2
    assert told in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_a_table_in_other_hands_is_refused_by_the_number_of_its_process(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("RUNTIME_DIRECTORY", raising=False)
    monkeypatch.delenv("XDG_RUNTIME_DIR", raising=False)
    with Lock(tmp_path, "wire", "the table wire"):
        assert main(["serve", "--state", str(tmp_path)]) == 4
    assert str(os.getpid()) in capsys.readouterr().err


def test_a_table_that_was_never_proven_is_not_served(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["serve", "--state", str(tmp_path), "--profile", "mega-serial"]) == 4
    assert "arms nobody" in capsys.readouterr().err


def test_a_profile_that_takes_no_declared_permits_has_no_list_at_its_panel() -> None:
    profile = load_profile("wire")
    rules = profile.session.model_copy(update={"issuers": ("clinic",)})
    profile = profile.model_copy(update={"session": rules})
    with pytest.raises(UsageError, match="accepts no declared permits"):
        startup.refuse_misfits(Way("wire"), profile, "panel", None)


def test_the_plans_that_fit_a_table_are_offered_the_mildest_first() -> None:
    limits = load_profile("wire").limits()
    plans, told = startup.plans_for(limits)
    assert [plan.cap_cdeg for plan in plans] == sorted((plan.cap_cdeg for plan in plans), reverse=True)
    assert [plan.name for plan in plans] == [entry["name"] for entry in told]
    assert all(entry["plan"]["angle_deg"] * 100 == plan.cap_cdeg for entry, plan in zip(told, plans, strict=True))


def test_without_a_journal_nothing_is_unfinished_and_one_that_cannot_be_read_says_nothing_good(tmp_path: Path) -> None:
    assert startup.unfinished(tmp_path, "wire") == (False, "")
    (tmp_path / "journal").mkdir()
    (tmp_path / "journal" / "wire.sqlite3").write_bytes(b"garbage" * 1000)
    cut, told = startup.unfinished(tmp_path, "wire")
    assert cut
    assert "not known" in told
