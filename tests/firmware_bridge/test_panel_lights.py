"""What the panel shows and sounds, in C: the host's signals, and over them the guard's own alarm and tone."""

import itertools
import random
import re
from pathlib import Path
from typing import Any

import pytest

from safety.signals import ALL_LAMPS, LAMP_ARMED, LAMP_CYAN, LAMP_RED, LAMP_TILT, LAMP_YELLOW, Alarm
from tests.firmware_bridge.building import FIRMWARE, library
from tests.firmware_bridge.table_side import SOURCES, Built

pytestmark = pytest.mark.needs("cc")

HEADER = (FIRMWARE / "panel_lights.h").read_text(encoding="utf-8")
MACROS = {name: int(value) for name, value in re.findall(r"^#define PANEL_(\w+) (\d+)u$", HEADER, re.MULTILINE)}
SILENT, RETURN, ALONE = range(3)
NONE, LOW, MEDIUM, HIGH = Alarm
ALARM_LAMPS = LAMP_RED | LAMP_YELLOW | LAMP_CYAN
GAP_MS = {MEDIUM: MACROS["MEDIUM_GAP_MS"], HIGH: MACROS["HIGH_GAP_MS"]}
PITCH = {MEDIUM: MACROS["MEDIUM_PITCH"], HIGH: MACROS["HIGH_PITCH"]}
# How long a live host that names an alarm may be silent where the guard asks for sound.
FOUND_OUT_MS = {alarm: gap_ms + MACROS["PATIENCE_MS"] for alarm, gap_ms in GAP_MS.items()}
MOTION, MOTION_GAP_MS = MACROS["MOTION_PITCH"], MACROS["MOTION_GAP_MS"]
STEPS = 150_000
MONTHS_MS = 200_000  # long enough for every 16-bit count to end


class Panel:
    """A panel whose guard and host say what they are told to say; the host lives unless told otherwise."""

    def __init__(self, built: Built) -> None:
        self.ffi, self.lib = built
        new = self.ffi.new
        self.lights, self.guard, self.out = new("panel_lights_t *"), new("guard_t *"), new("guard_out_t *")
        self.signals = new("panel_signals_t *")
        self.lib.panel_lights_init(self.lights)

    def guards(self, alarm: Alarm = NONE, tone: int = SILENT, causes: int = 0, pause_ms: int | None = None) -> None:
        self.out.alarm, self.out.tone, self.out.causes = alarm, tone, causes
        if pause_ms is not None:
            self.guard.sound_pause_ms = pause_ms

    def host(
        self, lamps: int = 0, buzzer: int = 0, alarm: Alarm = NONE, tone: bool = False, alive: bool = True
    ) -> None:
        self.guard.link.lapsed = not alive
        self.signals.lamps, self.signals.buzzer, self.signals.alarm, self.signals.tone = lamps, buzzer, alarm, tone

    def step(self, ms: int = 1) -> tuple[int, int]:
        self.lib.panel_lights_step(self.lights, self.guard, self.out, self.signals, ms)
        return int(self.lights.lamps), int(self.lights.buzzer)

    def run(self, duration_ms: int, step_ms: int = 1) -> list[tuple[int, int]]:
        return [self.step(step_ms) for _ in range(duration_ms // step_ms)]


@pytest.fixture
def panel(built: Built) -> Panel:
    return Panel(built)


def edges(states: list[bool]) -> list[int]:
    """When something that was off goes on."""
    return [at for at, on in enumerate(states) if on and not (at and states[at - 1])]


def pulses(sounds: list[int], step_ms: int = 1) -> list[tuple[int, int, int]]:
    """Begin, length and pitch of each sound."""
    found: list[tuple[int, int, int]] = []
    for at, pitch in enumerate(sounds):
        if pitch and found and found[-1][0] + found[-1][1] == at * step_ms and found[-1][2] == pitch:
            found[-1] = (found[-1][0], found[-1][1] + step_ms, pitch)
        elif pitch:
            found.append((at * step_ms, step_ms, pitch))
    return found


# What the guard shows and sounds alone.


@pytest.mark.parametrize(
    ("alarm", "lamp", "band_hz"), [(HIGH, LAMP_RED, (1.4, 2.8)), (MEDIUM, LAMP_YELLOW, (0.4, 0.8))]
)
def test_alone_the_guards_alarm_flashes_as_the_standard_asks(
    panel: Panel, alarm: Alarm, lamp: int, band_hz: tuple[float, float]
) -> None:
    panel.host(alive=False)
    panel.guards(alarm)
    seen = [lamps for lamps, _ in panel.run(20_000)]
    assert set(seen) == {0, lamp}
    on = edges([bool(lamps) for lamps in seen])
    assert on[0] == 0, "lit at once"
    for one, other in itertools.pairwise(on):
        assert band_hz[0] <= 1000 / (other - one) <= band_hz[1]
        assert 0.2 <= sum(map(bool, seen[one:other])) / (other - one) <= 0.6


def test_a_low_alarm_is_steady_cyan_and_silent(panel: Panel) -> None:
    panel.host(alive=False)
    panel.guards(LOW)
    assert set(panel.run(12_000)) == {(LAMP_CYAN, 0)}


def test_without_an_alarm_the_guard_shows_and_sounds_nothing(panel: Panel) -> None:
    for alive in (True, False):
        panel.host(alive=alive)
        assert set(panel.run(12_000)) == {(0, 0)}


def test_a_high_alarm_sounds_ten_pulses_spaced_as_the_standard_asks(panel: Panel) -> None:
    panel.host(alive=False)
    panel.guards(HIGH)
    found = pulses([buzzer for _, buzzer in panel.run(14_000)])
    assert len(found) == 20
    assert {pitch for *_, pitch in found} == {PITCH[HIGH]}
    begins = [begin for begin, *_ in found]
    assert begins[0] == 0, "at once"
    gaps = [other[0] - one[0] - one[1] for one, other in itertools.pairwise(found)]
    length_ms, x = found[0][1], gaps[0]
    assert {length for _, length, _ in found} == {length_ms}
    assert 75 <= length_ms <= 200
    assert 50 <= x <= 125
    within, between = gaps[:9], gaps[9]
    assert 350 <= within[4] <= 1300
    assert within == [x, x, 2 * x + length_ms, x, within[4], x, x, 2 * x + length_ms, x]
    assert 2500 <= between <= 15_000
    assert between == GAP_MS[HIGH]
    assert 150 <= 10 * PITCH[HIGH] <= 1000


def test_a_medium_alarm_sounds_three_pulses_spaced_as_the_standard_asks(panel: Panel) -> None:
    panel.host(alive=False)
    panel.guards(MEDIUM)
    found = pulses([buzzer for _, buzzer in panel.run(2 * MACROS["MEDIUM_MS"])])
    assert len(found) == 6
    assert {pitch for *_, pitch in found} == {PITCH[MEDIUM]}
    assert all(125 <= length <= 250 for _, length, _ in found)
    gaps = [other[0] - one[0] - one[1] for one, other in itertools.pairwise(found)]
    assert gaps[0] == gaps[1]
    assert 125 <= gaps[0] <= 250
    assert 2500 <= gaps[2] <= 30_000
    assert gaps[2] == GAP_MS[MEDIUM]
    assert 150 <= 10 * PITCH[MEDIUM] <= 1000


def test_alone_without_an_urgent_alarm_it_still_sounds_one(panel: Panel) -> None:
    panel.host(alive=False)
    for alarm in (NONE, LOW):
        panel.guards(alarm, ALONE)
        assert [pitch for *_, pitch in pulses([buzzer for _, buzzer in panel.run(1000)])] == 3 * [PITCH[MEDIUM]]
        panel.guards()
        panel.step()


def test_a_worse_alarm_begins_its_own_flash_and_burst_at_once(panel: Panel) -> None:
    panel.host(alive=False)
    panel.guards(MEDIUM)
    panel.run(1200)
    panel.guards(HIGH)
    assert panel.step() == (LAMP_RED, PITCH[HIGH])


def test_the_tone_sounds_before_and_during_a_return(panel: Panel) -> None:
    panel.host(alive=False)
    panel.guards(tone=RETURN)
    found = pulses([buzzer for _, buzzer in panel.run(10_000)])
    assert found[0][0] == 0, "at once"
    assert {pitch for *_, pitch in found} == {MOTION}
    assert {other[0] - one[0] - one[1] for one, other in itertools.pairwise(found)} == {MOTION_GAP_MS}
    panel.guards()
    assert panel.step() == (0, 0)


def test_between_bursts_a_return_is_heard(panel: Panel) -> None:
    panel.host(alive=False)
    panel.guards(MEDIUM, RETURN)
    heard = [buzzer for _, buzzer in panel.run(2 * MACROS["MEDIUM_MS"])]
    found = pulses(heard)
    assert [pitch for *_, pitch in found[:4]] == [*3 * [PITCH[MEDIUM]], MOTION]
    assert sum(pitch == PITCH[MEDIUM] for *_, pitch in found) == 6
    gaps = [other[0] - one[0] - one[1] for one, other in itertools.pairwise(found)]
    assert max(gaps) == MOTION_GAP_MS


@pytest.mark.parametrize("step_ms", [2, 7, 10, 100, 250])
def test_longer_steps_only_blur(built: Built, step_ms: int) -> None:
    fine, coarse = Panel(built), Panel(built)
    for one in (fine, coarse):
        one.host(alive=False)
        one.guards(HIGH)
    shown = coarse.run(7000, step_ms)
    compared = fine.run(len(shown) * step_ms)[::step_ms]
    assert shown == compared


# A host that lives.


def test_while_the_host_lives_its_lamps_and_buzzer_pass_as_they_are(panel: Panel) -> None:
    source = random.Random(1)
    for _ in range(1000):
        lamps, buzzer = source.randrange(ALL_LAMPS + 1), source.choice((0, source.randrange(15, 256)))
        panel.host(lamps, buzzer)
        assert panel.step() == (lamps, buzzer)


@pytest.mark.parametrize("alarm", list(Alarm))
def test_with_the_lease_all_of_the_host_goes_out_and_the_guards_own_stays(panel: Panel, alarm: Alarm) -> None:
    panel.host(ALL_LAMPS, 200, HIGH, True)
    panel.guards(alarm)
    assert panel.step() == (ALL_LAMPS, 200)
    panel.host(ALL_LAMPS, 200, HIGH, True, alive=False)
    seen = panel.run(30_000)
    own = {NONE: 0, LOW: LAMP_CYAN, MEDIUM: LAMP_YELLOW, HIGH: LAMP_RED}[alarm]
    assert {lamps for lamps, _ in seen} | {0} == {0, own}
    assert {buzzer for _, buzzer in seen} == {0, *([PITCH[alarm]] if alarm >= MEDIUM else [])}


@pytest.mark.parametrize("alarm", [LOW, MEDIUM, HIGH])
def test_a_host_that_shows_the_same_alarm_is_left_to_show_it(panel: Panel, alarm: Alarm) -> None:
    panel.guards(alarm)
    for at in range(20_000):
        on = at % 400 < 200
        colour = {LOW: LAMP_YELLOW, MEDIUM: LAMP_YELLOW, HIGH: LAMP_RED}[alarm]
        lamps, buzzer = LAMP_ARMED | (colour if on else 0), 90 if at % 4000 < 150 else 0
        panel.host(lamps, buzzer, alarm)
        assert panel.step() == (lamps, buzzer), at


def test_the_guards_worse_alarm_is_shown_beside_the_hosts_lamps(panel: Panel) -> None:
    panel.guards(HIGH)
    panel.host(LAMP_ARMED | LAMP_YELLOW | LAMP_RED, 0, MEDIUM)
    seen = {lamps for lamps, _ in panel.run(3000)}
    assert seen == {LAMP_ARMED | LAMP_YELLOW, LAMP_ARMED | LAMP_YELLOW | LAMP_RED}, "a steady red is none of high alarm"


def test_a_host_that_lives_has_a_moment_to_sound_first(panel: Panel) -> None:
    panel.run(1000)
    panel.guards(HIGH)
    assert not any(buzzer for _, buzzer in panel.run(MACROS["GRACE_MS"]))
    assert panel.step()[1] == PITCH[HIGH]


def test_while_the_guard_sounds_its_alarm_a_host_sounds_nothing_between(panel: Panel) -> None:
    panel.guards(HIGH)
    panel.host(buzzer=200, alarm=MEDIUM, tone=True)
    assert {buzzer for _, buzzer in panel.run(14_000)} == {0, PITCH[HIGH]}


@pytest.mark.parametrize("alarm", [LOW, MEDIUM, HIGH])
def test_a_host_that_only_says_that_it_shows_an_alarm_hides_no_lamp(panel: Panel, alarm: Alarm) -> None:
    panel.guards(alarm)
    panel.host(LAMP_TILT, 0, HIGH)
    own = {LOW: LAMP_CYAN, MEDIUM: LAMP_YELLOW, HIGH: LAMP_RED}[alarm]
    seen = [lamps & ALARM_LAMPS for lamps, _ in panel.run(20_000)]
    assert set(seen) <= {0, own}
    dark = max(map(len, "".join("x" if lamps else "." for lamps in seen).split("x")))
    assert dark <= MACROS["DARK_MS"] + MACROS["YELLOW_MS"] / 2


def test_a_host_that_stops_to_flash_is_found_out(panel: Panel) -> None:
    panel.guards(HIGH)
    panel.host(LAMP_RED, 0, HIGH)
    panel.run(5000)
    panel.host(LAMP_YELLOW, 0, HIGH)
    seen = panel.run(MACROS["DARK_MS"] + 1)
    assert [lamps for lamps, _ in seen[:-1]] == MACROS["DARK_MS"] * [LAMP_YELLOW]
    assert seen[-1][0] == LAMP_YELLOW | LAMP_RED


@pytest.mark.parametrize("alarm", [MEDIUM, HIGH])
def test_of_a_live_host_that_names_the_alarm_silence_is_believed_but_where_the_guard_asks_for_sound(
    panel: Panel, alarm: Alarm
) -> None:
    panel.guards(alarm)
    panel.host(LAMP_RED | LAMP_YELLOW, 0, alarm)
    assert not any(buzzer for _, buzzer in panel.run(40_000)), "its sound may have been paused"
    panel.guards(alarm, ALONE)
    assert panel.step()[1] == PITCH[alarm]


@pytest.mark.parametrize("alarm", [MEDIUM, HIGH])
def test_where_the_guard_asks_for_sound_a_hosts_silence_is_found_out(panel: Panel, alarm: Alarm) -> None:
    panel.guards(alarm, ALONE)
    panel.host(LAMP_RED | LAMP_YELLOW, 90, alarm)
    assert {buzzer for _, buzzer in panel.run(3000)} == {90}
    panel.host(LAMP_RED | LAMP_YELLOW, 0, alarm)
    assert not any(buzzer for _, buzzer in panel.run(FOUND_OUT_MS[alarm]))
    assert panel.step()[1] == PITCH[alarm]


def test_a_hosts_own_tone_is_not_doubled(panel: Panel) -> None:
    panel.guards(tone=RETURN)
    for at in range(10_000):
        panel.host(buzzer=70 if at % 900 < 300 else 0, tone=True)
        assert panel.step()[1] == panel.signals.buzzer, at


# The pause of sound.


def paused(panel: Panel, pause_ms: int) -> list[int]:
    """What is heard while the guard's own pause runs down."""
    heard = []
    for left_ms in range(pause_ms, 0, -1):
        panel.guard.sound_pause_ms = left_ms
        heard.append(panel.step()[1])
    panel.guard.sound_pause_ms = 0
    return heard


def test_a_pause_silences_the_alarm_and_neither_the_lamp_nor_the_tone_of_a_return(panel: Panel) -> None:
    panel.host(alive=False)
    panel.guards(MEDIUM, causes=1 << 17)
    panel.run(100)
    assert not any(paused(panel, 30_000))
    assert panel.step()[1] == PITCH[MEDIUM], "and then it sounds at once"
    panel.guards(MEDIUM, RETURN, causes=1 << 17)
    panel.guard.sound_pause_ms = 5000
    seen = panel.run(5000)
    assert {buzzer for _, buzzer in seen} == {0, MOTION}
    assert {lamps for lamps, _ in seen} == {0, LAMP_YELLOW}


def test_a_cause_that_was_not_there_ends_the_pause_and_a_new_pause_takes_it_in(panel: Panel) -> None:
    panel.host(alive=False)
    panel.guards(MEDIUM, causes=1 << 17)
    panel.run(100)
    assert not any(paused(panel, 1000))
    panel.guards(MEDIUM, causes=1 << 17, pause_ms=20_000)
    assert panel.step()[1] == 0
    panel.guards(MEDIUM, causes=1 << 17 | 1 << 36, pause_ms=19_000)
    assert panel.step()[1] == PITCH[MEDIUM]
    panel.guards(MEDIUM, causes=1 << 17 | 1 << 36, pause_ms=30_000)
    assert not any(buzzer for _, buzzer in panel.run(15_000))
    panel.guards(MEDIUM, causes=1 << 36, pause_ms=10_000)
    assert not any(buzzer for _, buzzer in panel.run(5_000)), "a cause that goes is no new one"


# Anything at all.


def wayward(manner: str, source: random.Random) -> dict[str, Any]:
    """What a host of some manner says now."""
    if manner == "dead":
        return {"alive": False}
    if manner == "stuck":
        return {"lamps": ALL_LAMPS, "alarm": HIGH}
    if manner == "wavering":
        return {"lamps": LAMP_ARMED, "alarm": source.choice((NONE, HIGH)), "alive": source.random() < 0.9}
    if manner == "sounding":
        return {"lamps": LAMP_RED, "alarm": HIGH, "buzzer": 90 * (source.random() < 0.01)}
    return {"lamps": source.randrange(ALL_LAMPS), "alarm": source.choice(list(Alarm)), "alive": source.random() < 0.5}


def silences(panel: Panel, source: random.Random, steps: int) -> tuple[int, int]:
    """Take random steps; return the longest silences, beyond what its pattern allows, of the guard's alarm and tone.

    A silence of its alarm counts from where the guard asks for sound, or its alarm is worse than what the host names.
    """
    worst = worst_tone = alarm_ms = tone_ms = 0
    wanted_before = NONE
    manner = "dead"
    for _ in range(steps):
        if source.random() < 0.0003:
            panel.guards(source.choice(list(Alarm)), source.randrange(3), source.getrandbits(37))
            panel.guard.sound_pause_ms = source.choice((0, 0, 0, 3000))
        if source.random() < 0.0003:
            manner = source.choice(("dead", "stuck", "wavering", "sounding", "any"))
        panel.host(**wayward(manner, source))
        ms = source.choice((1, 10, 10))
        panel.guard.sound_pause_ms = max(0, panel.guard.sound_pause_ms - ms)
        heard = panel.step(ms)[1] != 0
        alarm, tone = Alarm(panel.out.alarm), panel.out.tone
        named = NONE if panel.guard.link.lapsed else Alarm(panel.signals.alarm)
        sounds = max(alarm, MEDIUM) if tone == ALONE else alarm
        due = sounds >= MEDIUM and not panel.guard.sound_pause_ms and (tone == ALONE or sounds > named)
        # Where the host names the alarm now and then, the moments between count too.
        if heard or sounds != wanted_before or panel.guard.sound_pause_ms:
            alarm_ms = 0
        elif due or alarm_ms:
            alarm_ms += ms
        if due:
            worst = max(worst, alarm_ms - (GAP_MS if sounds > named else FOUND_OUT_MS)[sounds])
        wanted_before = sounds
        tone_ms = tone_ms + ms if tone == RETURN and not heard else 0
        worst_tone = max(worst_tone, tone_ms - MOTION_GAP_MS)
    return worst, worst_tone


def test_no_host_keeps_the_guard_silent_for_longer_than_its_own_patterns(panel: Panel) -> None:
    alarm_ms, tone_ms = silences(panel, random.Random(5), STEPS)
    assert alarm_ms <= 10, "but for a step"
    assert tone_ms <= 10


PLANTED = {
    "a silent host is believed for ever": ("alone && lights->unheard_ms > gap_ms", "false && gap_ms > 0u"),
    "a burst begins anew whenever the host says less": ("lights->burst == alarm)", "lights->burst == alarm && must)"),
    "a host's silence does not count": ("host_buzzer != 0u ? 0u : later(lights->unheard_ms, ms)", "0u"),
    "a return is heard only once": ("begins ? PANEL_MOTION_MS", "lights->quiet_ms == UINT16_MAX ? PANEL_MOTION_MS"),
}


@pytest.mark.parametrize("what", PLANTED)
def test_a_planted_defect_is_found_by_random_steps(what: str, tmp_path: Path) -> None:
    spoilt = library(tmp_path, SOURCES, FIRMWARE / "table_link.h", planted={"panel_lights.c": PLANTED[what]})
    assert max(silences(Panel(spoilt), random.Random(5), STEPS)) > 10


def test_after_very_long_times_the_counts_stand_still(panel: Panel) -> None:
    panel.host(LAMP_ARMED)
    panel.run(MONTHS_MS, 250)
    assert panel.step() == (LAMP_ARMED, 0)
    assert (panel.lights.dark_ms, panel.lights.unheard_ms, panel.lights.quiet_ms) == 3 * (0xFFFF,)
