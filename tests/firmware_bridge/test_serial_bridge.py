"""The serial bridge in virtual time: reading, writing, and asking until there is an answer."""

import itertools

import msgspec

from safety.signals import Command, Signals
from tests.firmware_bridge.bench import ARM, HOST, Bench
from tests.firmware_bridge.scripted import CONSTANTS


def test_a_read_returns_when_a_frame_comes(bench: Bench) -> None:
    bench.run(100)
    for _ in range(20):
        start_ms = bench.line.now_ms()
        readings = bench.bridge.read(start_ms + 1000, HOST)
        assert bench.line.now_ms() - start_ms <= 10
        assert readings.age_ms == 0
        assert readings.host == HOST


def test_a_read_ends_at_its_deadline_and_tells_the_age(bench: Bench) -> None:
    bench.run(100)
    bench.table.sends = False
    ages = []
    for wait_ms in (0, 1, 7, 30, 12):
        deadline_ms = bench.line.now_ms() + wait_ms
        readings = bench.bridge.read(deadline_ms, HOST)
        assert bench.line.now_ms() == deadline_ms
        assert readings.elapsed_ms == wait_ms
        assert readings.age_ms == readings.slow_age_ms
        ages.append(readings.age_ms)
    assert ages[-1] - ages[0] == 50


def test_elapsed_times_add_up_to_the_clock(bench: Bench) -> None:
    bench.tick()
    start_ms = bench.line.now_ms()
    waits_ms = (1, 3, 10, 7, 25, 0, 2, 14, 90)
    rows = [bench.bridge.read(bench.line.now_ms() + wait_ms, HOST) for wait_ms in waits_ms]
    assert sum(row.elapsed_ms for row in rows) == bench.line.now_ms() - start_ms


def test_of_several_frames_at_once_the_newest_is_told(bench: Bench) -> None:
    bench.run(50)
    bench.line.pass_ms(45)
    readings = bench.tick()
    assert readings.sequence & 0xFFFF == bench.table.sequence
    assert readings.age_ms <= 10


def test_a_command_goes_out_in_every_tick_and_echoes_the_newest_frame(bench: Bench) -> None:
    bench.run(1000, Command(velocity_cdeg_s=-150, session_id=9))
    commands = bench.table.commands()
    assert 95 <= len(commands) <= 105
    assert {command["velocity_cdeg_s"] for command in commands} == {-150}
    assert {command["session_id"] for command in commands} == {9}
    numbers = [command["sequence"] for command in commands]
    assert all((b - a) & 0xFFFF == 1 for a, b in itertools.pairwise(numbers))
    assert (bench.table.sequence - commands[-1]["echo"]) & 0xFFFF <= 1


def test_what_is_not_to_be_sent_is_not_sent(bench: Bench) -> None:
    bench.tick()
    before = len(bench.table.heard)
    bench.bridge.write(Command(velocity_cdeg_s=-100, send=False), Signals())
    assert len(bench.table.heard) == before


def test_closing_stops_the_table_once(bench: Bench) -> None:
    bench.run(100, Command(velocity_cdeg_s=-150))
    bench.bridge.close()
    bench.bridge.close()
    bench.bridge.write(Command(velocity_cdeg_s=-150), Signals())
    assert [command["velocity_cdeg_s"] for command in bench.table.commands()][-2:] == [-150, 0]
    assert bench.port.closed


# ARM and DISARM.


def test_arm_is_asked_once_and_told_by_the_guards_session(bench: Bench) -> None:
    bench.tick()
    bench.tick(Command(arm=ARM, session_id=0))
    readings = bench.run(50)[-1]
    assert readings.guard is not None
    assert readings.guard.session_id == ARM.session_id
    assert readings.guard.refused == ()
    (asked,) = bench.table.kinds("ARM")
    assert asked["config_hash"] == CONSTANTS.hash
    assert asked["travel_limit_s"] == 41


def test_arm_is_asked_again_until_it_is_answered(bench: Bench) -> None:
    bench.tick()
    bench.table.answers = False
    bench.run(300, Command(arm=ARM))
    asked = bench.table.kinds("ARM")
    assert 5 <= len(asked) <= 8
    assert len({fields["sequence"] for fields in asked}) == len(asked)
    assert len({fields["echo"] for fields in asked}) == len(asked)
    bench.table.answers = True
    bench.run(100, Command(arm=ARM))
    count = len(bench.table.kinds("ARM"))
    bench.run(1000, Command(arm=ARM))
    assert len(bench.table.kinds("ARM")) == count


def test_a_refusal_is_told_with_its_reasons_until_the_next_request(bench: Bench) -> None:
    bench.tick()
    bench.table.refusals = 1 << 7 | 1 << 23
    bench.run(100, Command(arm=ARM))
    rows = bench.run(1000)
    assert rows[-1].guard is not None
    assert rows[-1].guard.refused == ("H07", "H23")
    assert rows[-1].guard.session_id == 0
    bench.table.refusals = 0
    guard = bench.run(50, Command(arm=ARM))[-1].guard
    assert guard is not None
    assert (guard.refused, guard.session_id) == ((), ARM.session_id)


def test_while_the_judge_asks_the_last_answer_counts(bench: Bench) -> None:
    bench.tick()
    bench.table.refusals = 1 << 25
    guards = [row.guard for row in bench.run(300, Command(arm=ARM))]
    assert [guard.refused for guard in guards if guard][5:] == [("H25",)] * (len(guards) - 5)
    bench.table.refusals = 0
    guard = bench.run(100, Command(arm=ARM))[-1].guard
    assert guard is not None
    assert (guard.refused, guard.session_id) == ((), ARM.session_id)
    asked = len(bench.table.kinds("ARM"))
    assert 6 <= asked <= 9
    bench.run(500, Command(arm=ARM))
    assert len(bench.table.kinds("ARM")) == asked


def test_what_the_judge_no_longer_asks_is_not_asked(bench: Bench) -> None:
    bench.tick()
    bench.table.answers = False
    bench.run(200, Command(arm=ARM))
    asked = len(bench.table.kinds("ARM"))
    rows = bench.run(1500)
    assert len(bench.table.kinds("ARM")) == asked
    assert rows[-1].guard is not None
    assert rows[-1].guard.refused == ()


def test_a_table_that_never_answers_has_refused(bench: Bench) -> None:
    bench.tick()
    bench.table.answers = False
    guard = bench.run(1200, Command(arm=ARM))[-1].guard
    assert guard is not None
    assert guard.refused == ("H18",)
    assert len(bench.table.kinds("ARM")) == 20


def test_an_arm_that_does_not_fit_its_frame_is_refused(bench: Bench) -> None:
    bench.tick()
    bench.tick(Command(arm=msgspec.structs.replace(ARM, set_limit_s=70_000)))
    guard = bench.run(50)[-1].guard
    assert guard is not None
    assert guard.refused == ("H30",)


def test_disarm_names_the_session_that_the_guard_holds(bench: Bench) -> None:
    bench.tick()
    bench.tick(Command(disarm=True))
    assert bench.table.kinds("DISARM") == []
    bench.tick(Command(arm=ARM))
    bench.run(50)
    bench.tick(Command(disarm=True))
    guard = bench.run(50)[-1].guard
    assert guard is not None
    assert guard.session_id == 0
    assert [fields["session_id"] for fields in bench.table.kinds("DISARM")] == [ARM.session_id]
