"""What every bridge must do, whatever is behind it: one suite, run by each implementation."""

from collections.abc import Callable
from dataclasses import dataclass

import msgspec
import pytest

from firmware_bridge.bridge import Bridge
from safety.signals import (
    ALL_LAMPS,
    LAMP_CYAN,
    LAMP_RED,
    LAMP_YELLOW,
    LAMPS,
    Alarm,
    Command,
    Demand,
    Guard,
    Host,
    Readings,
    Signals,
)

TICK_MS = 10
HOST = Host(config_ok=True, wall_s=7)
DARK = Signals()
ALARM_LAMPS = LAMP_RED | LAMP_YELLOW | LAMP_CYAN
# A pitch that no table sounds by itself.
PITCH_HZ = 1230
Shown = tuple[int, int]


@dataclass
class Subject:
    """One bridge under test, a healthy table behind it, at level and still.

    `now_ms` is the loop's clock; `shown` looks at the panel: the lamps that are lit now, and the pitch that sounds, in
    Hz; `alone` lets milliseconds pass without the host. `lease_ms` is how long a command holds. `guarded` says whether
    a second judge is in the loop; then `session_id` is of the session that it has armed, and TILT is held, so that
    nothing but the host keeps the table from tilting.
    """

    bridge: Bridge
    now_ms: Callable[[], int]
    shown: Callable[[], Shown]
    alone: Callable[[int], None]
    lease_ms: int = 150
    guarded: bool = False
    session_id: int = 0
    newest: int = 0

    def read(self, wait_ms: int = TICK_MS) -> Readings:
        readings = self.bridge.read(self.now_ms() + wait_ms, HOST)
        self.newest = readings.sequence
        return readings

    def run(self, seconds: float, command: Command | None, signals: Signals = DARK) -> list[Readings]:
        """Read for some seconds, writing `command` and `signals` in every tick, or nothing at all."""
        rows = []
        end_ms = self.now_ms() + round(1000 * seconds)
        while self.now_ms() < end_ms:
            if command is not None:
                echoing = msgspec.structs.replace(command, echo=self.newest, session_id=self.session_id)
                self.bridge.write(echoing, signals)
            rows.append(self.read())
        return rows

    def watch(self, seconds: float, command: Command | None, signals: Signals = DARK) -> set[Shown]:
        """Return all that the panel shows at the end of each tick of some seconds."""
        seen = set()
        for _ in range(round(1000 * seconds / TICK_MS)):
            self.run(TICK_MS / 1000, command, signals)
            seen.add(self.shown())
        return seen

    def is_of_the_table(self, shown: Shown) -> bool:
        """Whether nothing of this is the host's: what is left is the alarm of a table that has a judge of its own."""
        lamps, buzzer_hz = shown
        return not lamps & ~ALARM_LAMPS and buzzer_hz != PITCH_HZ if self.guarded else shown == (0, 0)


class BridgeContract:
    """Inherit, and give a fixture `subject`."""

    @pytest.fixture
    def subject(self) -> Subject:
        raise NotImplementedError

    def test_a_healthy_table_says_everything(self, subject: Subject) -> None:
        readings = subject.run(0.5, Command())[-1]
        unknown = [name for name in Readings.__struct_fields__ if getattr(readings, name) is None]
        assert unknown == []
        assert isinstance(readings.guard, Guard)
        assert readings.age_ms <= 50
        assert readings.slow_age_ms <= 150

    def test_what_the_host_says_of_itself_passes_unchanged(self, subject: Subject) -> None:
        assert subject.read().host == HOST

    def test_elapsed_times_add_up_to_the_clock(self, subject: Subject) -> None:
        subject.read()
        start_ms = subject.now_ms()
        rows = [subject.read(wait_ms) for wait_ms in (1, 3, 10, 7, 25, 0, 2)]
        assert sum(row.elapsed_ms for row in rows) == subject.now_ms() - start_ms

    def test_a_read_ends_at_its_deadline_at_the_latest(self, subject: Subject) -> None:
        for wait_ms in (0, 1, 4, 10, 30):
            deadline_ms = subject.now_ms() + wait_ms
            subject.bridge.read(deadline_ms, HOST)
            assert subject.now_ms() <= deadline_ms

    def test_every_new_frame_has_a_number_of_its_own_and_is_fresh(self, subject: Subject) -> None:
        rows = subject.run(0.5, Command())
        numbers = [row.sequence for row in rows]
        assert numbers == sorted(numbers)
        assert len(set(numbers)) > 40
        assert max(row.age_ms for row in rows) <= 50

    def test_at_rest_the_brake_is_set_and_nothing_is_applied(self, subject: Subject) -> None:
        readings = subject.run(0.5, Command())[-1]
        assert readings.brake_set
        assert readings.applied_cdeg_s == 0

    def test_a_velocity_is_followed(self, subject: Subject) -> None:
        readings = subject.run(3.0, Command(velocity_cdeg_s=-100))[-1]
        assert readings.applied_cdeg_s == -100
        assert not readings.brake_set
        assert readings.angle_a_cdeg is not None
        assert readings.angle_a_cdeg < -100

    def test_a_command_that_is_not_renewed_expires(self, subject: Subject) -> None:
        subject.run(3.0, Command(velocity_cdeg_s=-100))
        rows = subject.run(2.0, None)
        slowing = next(i for i, row in enumerate(rows) if (row.applied_cdeg_s or 0) > -100)
        assert sum(row.elapsed_ms for row in rows[:slowing]) <= subject.lease_ms + 3 * TICK_MS
        assert rows[-1].brake_set
        assert rows[-1].applied_cdeg_s == 0

    def test_what_is_not_to_be_sent_renews_nothing(self, subject: Subject) -> None:
        subject.run(3.0, Command(velocity_cdeg_s=-100))
        rows = subject.run(2.0, Command(velocity_cdeg_s=-100, send=False))
        assert rows[-1].brake_set

    def test_a_cut_sets_the_brake_and_drops_the_power(self, subject: Subject) -> None:
        subject.run(3.0, Command(velocity_cdeg_s=-100))
        rows = subject.run(0.5, Command(demand=Demand.CUT))
        assert rows[1].brake_set
        assert rows[1].applied_cdeg_s == 0
        assert not rows[-1].drive_power

    def test_after_closing_the_table_comes_to_rest_and_closing_twice_is_allowed(self, subject: Subject) -> None:
        subject.run(3.0, Command(velocity_cdeg_s=-100))
        subject.bridge.close()
        subject.bridge.close()

    @pytest.mark.parametrize("lamps", [*LAMPS.values(), ALL_LAMPS, 0])
    def test_lamps_and_buzzer_are_shown_within_two_ticks(self, subject: Subject, lamps: int) -> None:
        subject.run(0.5, Command(), Signals(lamps=ALL_LAMPS ^ lamps))
        for buzzer_hz in (150, 0, 2550, PITCH_HZ):
            subject.run(2 * TICK_MS / 1000, Command(), Signals(lamps=lamps, buzzer_hz=buzzer_hz))
            assert subject.shown() == (lamps, buzzer_hz)

    def test_a_panel_that_nobody_writes_to_is_dark_and_silent(self, subject: Subject) -> None:
        subject.run(0.1, Command())
        assert subject.watch(2.0, Command()) == {(0, 0)}

    def test_the_hosts_lamps_and_buzzer_end_with_its_lease(self, subject: Subject) -> None:
        subject.run(0.5, Command(), Signals(Alarm.HIGH, True, ALL_LAMPS, PITCH_HZ))
        assert subject.shown() == (ALL_LAMPS, PITCH_HZ)
        subject.run((subject.lease_ms + 3 * TICK_MS) / 1000, None)
        assert all(subject.is_of_the_table(shown) for shown in subject.watch(3.0, None))

    def test_what_a_host_shows_again_after_its_silence_is_shown_again(self, subject: Subject) -> None:
        signals = Signals(lamps=LAMPS["PLAN"], buzzer_hz=PITCH_HZ)
        subject.run(0.5, Command(), signals)
        subject.run((subject.lease_ms + 3 * TICK_MS) / 1000, None)
        subject.run(0.5, Command(), signals)
        assert subject.shown()[0] & LAMPS["PLAN"]

    def test_after_closing_nothing_of_the_host_is_shown(self, subject: Subject) -> None:
        subject.run(0.5, Command(), Signals(Alarm.HIGH, True, ALL_LAMPS, PITCH_HZ))
        subject.bridge.close()
        subject.alone(3 * TICK_MS)
        for _ in range(100):
            subject.alone(TICK_MS)
            assert subject.is_of_the_table(subject.shown())

    def test_a_hosts_silence_does_not_mute_what_the_table_says_by_itself(self, subject: Subject) -> None:
        subject.run(0.5, Command())
        seen = subject.watch(2.0, None)
        assert any(lamps & ALARM_LAMPS for lamps, _ in seen) == subject.guarded
        assert any(buzzer_hz for _, buzzer_hz in seen) == subject.guarded

    def test_a_host_that_claims_an_alarm_and_shows_none_hides_no_lamp_of_the_tables(self, subject: Subject) -> None:
        subject.run(0.5, Command())
        subject.run(2.0, None)  # long enough for a second judge to keep its alarm
        seen = subject.watch(4.0, Command(), Signals(Alarm.HIGH))
        assert any(lamps & ALARM_LAMPS for lamps, _ in seen) == subject.guarded
