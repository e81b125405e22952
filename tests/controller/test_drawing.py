"""The drawing of a trace: what is on it, that it stays small, and that no two labels touch."""

import re
import xml.etree.ElementTree as ET

import pytest

from controller.drawing import MOST_POINTS, WIDTH, clock_text, label_of, svg_of, thin_out
from controller.recording import Recorder, Trip
from controller.sheet import width_of
from safety.signals import Alarm, Cause, Demand, State
from tests.controller.made_up import STRAP_OPEN, Story, calm_visit, strap_opens_visit

SVG = "{http://www.w3.org/2000/svg}"


def drawn(recorder: Recorder, title: str = "a visit") -> ET.Element:
    return ET.fromstring(svg_of(recorder.rows(), recorder.trips(), title, "some figures"))


def words_of(picture: ET.Element) -> list[str]:
    return [text.text or "" for text in picture.iter(f"{SVG}text")]


def placed_words(picture: ET.Element) -> list[tuple[float, float, float, float, str]]:
    """Left, bottom, right, top and words of every text."""
    placed = []
    for text in picture.iter(f"{SVG}text"):
        size = float(re.search(r"font-size: ([\d.]+)px", text.get("style", "")).group(1))  # type: ignore[union-attr]
        left, y = float(text.get("x", "0")), float(text.get("y", "0"))
        bold = "bold" in text.get("style", "")
        words = text.text or ""
        width = width_of(words, size, "Helvetica-Bold" if bold else "Helvetica")
        placed.append((left, y - 0.2 * size, left + width, y + 0.7 * size, words))
    return placed


def many_trips() -> Recorder:
    """Ten trips close together, at the very end of a session."""
    story = Story().until(20, State.TILTING, -20)
    causes: tuple[Cause, ...] = ()
    for number in range(10):
        causes = (*causes, Cause(f"H{number + 10}", Demand.STOP, Alarm.MEDIUM, number, 0, "contacts open"))
        story.until(20.1 + number / 10, State.STOPPED, causes=causes)
    return story.recorder


def test_the_drawing_says_what_it_is_in_its_title_and_to_a_screen_reader() -> None:
    picture = drawn(calm_visit(), "first-visit on simulated: completed")
    assert picture.findtext(f"{SVG}title") == "first-visit on simulated: completed"
    assert picture.get("role") == "img"
    assert {"first-visit on simulated: completed", "some figures"} <= set(words_of(picture))


def test_states_limits_and_legend_are_named() -> None:
    words = words_of(drawn(calm_visit()))
    for word in ("holding", "resting", "cap −20°", "level ±1°", "inverted −5°", "plan", "true angle", "sensor A"):
        assert word in words
    assert "alarm" in words
    assert "fault" not in words


def test_a_trip_is_marked_with_code_value_limit_and_demand() -> None:
    words = words_of(drawn(strap_opens_visit()))
    assert "H04: 2 contacts open (limit 1) → RETURN" in words
    assert {"HIGH", "strap-opens", "emergency return", "trip"} <= set(words)


def test_the_label_of_a_trip_has_degrees() -> None:
    cause = Cause("H01", Demand.RETURN, Alarm.MEDIUM, -2130, -2100, "cdeg")
    assert label_of(Trip(cause, True, "holding", 0)) == "H01: −21.3° (limit −21°) → RETURN"


def test_without_the_plants_truth_the_judged_angle_is_drawn() -> None:
    words = words_of(drawn(calm_visit(Story(truth_known=False))))
    assert "judged angle" in words
    assert "true angle" not in words


def crowded_states() -> Recorder:
    """Every state within a few seconds of a long session."""
    story = Story().until(100, State.IDLE, 0)
    for number, state in enumerate(State):
        story.until(101 + number, state)
    return story.until(200, State.RESTING).recorder


STORIES = {"calm": calm_visit, "from upright": lambda: calm_visit(Story(angle_cdeg=7500))}
STORIES |= {"strap": strap_opens_visit, "many trips": many_trips, "crowded": crowded_states}


@pytest.mark.parametrize("story", STORIES)
def test_no_two_words_touch_and_none_leaves_the_sheet(story: str) -> None:
    placed = placed_words(drawn(STORIES[story](), "a title that is so long that it " * 5))
    for index, (left, bottom, right, top, words) in enumerate(placed):
        assert left >= 0, words
        assert right <= WIDTH, words
        for other_left, other_bottom, other_right, other_top, other in placed[index + 1 :]:
            apart = right <= other_left or other_right <= left or top <= other_bottom or other_top <= bottom
            assert apart, f"{words!r} touches {other!r}"


def test_a_tick_of_trouble_stays_visible_and_the_drawing_small() -> None:
    story = Story()
    story.until(600, State.HOLDING, -20)
    story.until(600.05, State.HOLDING, sensor_a=lambda _: -5500)
    story.until(1200, State.HOLDING)
    text = svg_of(story.recorder.rows())
    picture = ET.fromstring(text)
    points = [len((line.get("points") or "").split(",")) for line in picture.iter(f"{SVG}polyline")]
    assert sum(points) <= MOST_POINTS + 200
    lowest = [min(y_of(line)) for line in picture.iter(f"{SVG}polyline")]
    assert min(lowest) < max(lowest) - 50
    assert len(text) < 120_000


def y_of(line: ET.Element) -> list[float]:
    return [float(pair.split()[1]) for pair in (line.get("points") or "").split(",")]


def test_thinning_keeps_ends_and_extremes() -> None:
    points = [(t, 0) for t in range(10_000)]
    points[4321] = (4321, 99)
    points[7777] = (7777, -99)
    thin = thin_out(points, 100)
    assert len(thin) <= 100
    assert {points[0], points[-1], points[4321], points[7777]} <= set(thin)
    assert thin == sorted(thin)


def test_thinning_leaves_few_points_alone() -> None:
    assert thin_out([(0, 1), (5, 2)], 2) == [(0, 1), (5, 2)]


def test_one_trace_gives_the_same_bytes_every_time() -> None:
    rows, trips = strap_opens_visit().rows(), strap_opens_visit().trips()
    assert svg_of(rows, trips, "t", "s") == svg_of(rows, trips, "t", "s")


def test_a_trace_without_a_row_is_refused() -> None:
    with pytest.raises(ValueError, match="without a single row"):
        svg_of([])


def test_one_tick_can_be_drawn() -> None:
    assert "idle" in words_of(drawn(Story().until(0.05, State.IDLE, 0).recorder))


def test_times_are_seconds_on_a_short_axis_and_minutes_on_a_long_one() -> None:
    assert clock_text(75, fine=True) == "75"
    assert clock_text(75, fine=False) == "1:15"


def test_a_cause_that_was_made_up_is_a_trip() -> None:
    assert [trip.cause for trip in strap_opens_visit().trips()] == [STRAP_OPEN]
