"""`inversion-table wiring`: every wire once, what must be in hardware, a drawing that can be read, clear refusals."""

import dataclasses
import itertools
import json
import re
import subprocess
import sys
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import pytest
from reportlab.pdfbase.pdfmetrics import stringWidth

from config.loading import load_profile
from config.pins import name_of
from config.profile import Profile
from controller.wiring import COPPER, FUSES_A, Wiring, wiring_of
from controller.wiring_drawing import OPENS, svg_of
from controller.wiring_rules import checks_of, rules_of
from controller.wiring_text import lines_of, markdown_of, object_of
from firmware_bridge.pin_map import load_pin_map
from safety.signals import BUTTONS, LAMPS, Readings
from tests.config.writing import PINS, changed, save
from tests.controller.running import Command

ROOT = Path(__file__).resolve().parents[2]
MEGA, PI = "mega-serial", "pi-gpio"

# Another table on the Pi's own pins: two relays, no battery, no expanders, no lamps but those for alarms.
BARE: dict[str, Any] = {
    "name": "bare",
    "title": "Two relays and nothing to spare",
    "battery.fitted": False,
    "battery.capacity_mah": 0,
    "limits.cap_deg": -30.0,
    "gpio.drive": {
        "kind": "two-relay",
        "relay_down": 12,
        "relay_up": 13,
        "dead_time_ms": 200,
        "relay_deg_s": 0.5,
        "brake": 16,
        "enable": 19,
        "safety_relay": 20,
    },
}


def bare(tmp_path: Path) -> Profile:
    """Two relays, no battery, and only the lamps that are needed."""
    data = changed(PINS, BARE)
    data["gpio"] = dict(data["gpio"])
    data["gpio"]["inputs"] = {key: pin for key, pin in data["gpio"]["inputs"].items() if key != "battery_ok"}
    data["gpio"]["lamps"] = {key: data["gpio"]["lamps"][key] for key in ("red", "yellow", "cyan")}
    return load_profile(save(tmp_path, data, "bare.toml"))


@pytest.fixture(params=[MEGA, PI, "bare"])
def wiring(request: pytest.FixtureRequest, tmp_path: Path) -> Wiring:
    return wiring_of(bare(tmp_path) if request.param == "bare" else load_profile(request.param))


# Every wire, once.


def test_every_wire_has_one_row_and_every_pin_one_wire(wiring: Wiring) -> None:
    signals = [row.signal for row in wiring.rows]
    places = [(row.pin, row.port) for row in wiring.rows]
    assert len(signals) == len(set(signals))
    assert len(places) == len(set(places))


def test_every_reading_that_a_bridge_needs_is_wired(wiring: Wiring) -> None:
    signals = {row.signal for row in wiring.rows}
    pairs = {f"{name}_{contact}" for name in ("strap_left", "strap_right", "estop") for contact in (1, 2)}
    others = {"angle_a", "angle_b", "current", "patient_button", "level_switch", "end_down", "end_up"}
    others |= {"mains", "drive_fault", "brake_release", "drive_enable", "buzzer"}
    others |= {"battery"} if wiring.profile.battery.fitted else set()
    assert pairs | others | {f"button_{name.lower()}" for name in BUTTONS} <= signals
    assert ("battery" in signals) == wiring.profile.battery.fitted
    fields = {field.name for field in msgspec.structs.fields(Readings)}
    assert {"strap_left", "strap_right", "estop", "buttons"} <= fields


@pytest.mark.parametrize("profile", [MEGA, PI])
def test_every_lamp_is_wired(profile: str) -> None:
    signals = [row.signal for row in wiring_of(load_profile(profile)).rows if row.group == "lamps"]
    assert signals == [*(f"lamp_{name.lower()}" for name in LAMPS), "buzzer"]


def test_the_microcontrollers_rows_are_its_pin_map() -> None:
    rows = {row.signal: (row.pin, row.port, row.function) for row in wiring_of(load_profile(MEGA)).rows}
    assert rows == {pin.signal: (pin.printed, pin.port, pin.function) for pin in load_pin_map().pins}


def test_the_pis_rows_are_the_profiles_pins() -> None:
    profile = load_profile(PI)
    assert profile.gpio is not None
    wiring = wiring_of(profile)
    ours = {row.port for row in wiring.rows if row.port.startswith("GPIO") and row.group != "bus"}
    assert ours == {name_of(pin) for _, pin in profile.gpio.pins() if pin < 100}
    lines = {f"{row.pin[:2]}.{row.port[2:]}" for row in wiring.rows if row.pin.startswith("X")}
    assert lines == {name_of(pin) for _, pin in profile.gpio.pins() if pin >= 100}


@pytest.mark.parametrize(
    ("signal", "place"),
    [
        ("strap_left_1", ("3", "GPIO2")),
        ("drive_pwm", ("32", "GPIO12")),
        ("safety_relay", ("38", "GPIO20")),
        ("button_presence", ("X0: 21", "GPA0")),
        ("battery", ("X0: 1", "GPB0")),
        ("lamp_stop", ("X1: 28", "GPA7")),
        ("angle_b", ("ADC: 2", "CH1")),
        ("spi_converter", ("24", "GPIO8")),
        ("spi_expanders", ("26", "GPIO7")),
    ],
)
def test_a_pins_place_is_told_beside_its_number(signal: str, place: tuple[str, str]) -> None:
    row = wiring_of(load_profile(PI)).row(signal)
    assert (row.pin, row.port) == place


def test_only_what_the_profile_has_is_listed(tmp_path: Path) -> None:
    wiring = wiring_of(bare(tmp_path))
    signals = {row.signal for row in wiring.rows}
    assert {"relay_down", "relay_up"} <= signals
    assert not {"drive_pwm", "drive_direction", "drive_down", "battery", "lamp_armed", "host_rx"} & signals
    assert wiring.drive == "two-relay"


def test_every_row_says_what_a_break_reads_as_and_why_that_is_safe(wiring: Wiring) -> None:
    for row in wiring.rows:
        assert row.to.endswith("."), row
        assert row.why.endswith("."), row
        assert row.open_reads, row
        assert row.electrical.startswith(("in", "out", "UART")), row


def test_a_current_sensor_that_reads_nothing_at_zero_is_told_as_such(tmp_path: Path) -> None:
    assert wiring_of(load_profile(PI)).row("current").open_reads == "0 V: no current"
    data = changed(PINS, {"gpio.current.zero_counts": 2048})
    other = wiring_of(load_profile(save(tmp_path, data, f"{PI}.toml")))
    assert other.row("current").open_reads == "0 V: not measured"


# What must be in hardware.


def test_the_wired_chain_is_asked_for_on_every_table(wiring: Wiring) -> None:
    names = [rule.name for rule in rules_of(wiring)]
    assert names[:5] == ["estop", "end-switches", "brake", "manual-return", "pull-downs"]
    assert ("safety-relay" in names) == ("self-locking" in names) == (wiring.board == "raspberry-pi")
    assert ("reset" in names) == (wiring.board == "mega-2560")
    estop = next(rule.text for rule in rules_of(wiring) if rule.name == "estop")
    assert ("behind the safety relay" in estop) == (wiring.board == "raspberry-pi")


def test_the_rules_tell_the_profiles_own_figures(tmp_path: Path) -> None:
    data = changed(
        PINS,
        {
            "brake.set_ms": 55,
            "switches.end_down_deg": -64.0,
            "limits.cap_deg": -55.0,
            "drive.stall_ma": 5500,
            "battery.capacity_mah": 9000,
            "manual_return_text": "Turn the wheel under the bench until the bubble stands in the middle.",
        },
    )
    wiring = wiring_of(load_profile(save(tmp_path, data, f"{PI}.toml")))
    told = " ".join(rule.text for rule in rules_of(wiring))
    for words in ("within 55 ms", "opens at −64°", "5.5 A", "9 Ah", "fuse of 7.5 A", "Turn the wheel under the bench"):
        assert words in told


def test_whatever_moves_is_named_with_its_resistor(wiring: Wiring) -> None:
    (rule,) = [rule for rule in rules_of(wiring) if rule.name == "pull-downs"]
    moves = [row for row in wiring.rows if row.group in ("drive", "brake") and row.kind == "output"]
    assert len(moves) >= 4
    for row in moves:
        assert f"{row.signal} ({row.pin})" in rule.text
        assert row.electrical == "out, 10 kΩ to ground"


def test_the_relay_that_a_hung_program_needs_is_told_with_its_pin_and_time() -> None:
    (rule,) = [rule for rule in rules_of(wiring_of(load_profile(PI))) if rule.name == "safety-relay"]
    assert "GPIO20, header pin 38" in rule.text
    assert "250 ms" in rule.text


def test_a_drive_that_does_not_hold_by_itself_is_told_on_a_pi(tmp_path: Path) -> None:
    profile = load_profile(save(tmp_path, changed(PINS, {"drive.self_locking": False}), f"{PI}.toml"))
    (rule,) = [rule for rule in rules_of(wiring_of(profile)) if rule.name == "self-locking"]
    assert "nobody is armed on it" in rule.text


def test_the_fuse_bears_the_drives_limit_and_the_wires_bear_the_fuse(tmp_path: Path) -> None:
    area = {text: carries for carries, text in COPPER}
    for stall_ma in (4000, 5000, 5001, 12_000, 26_000, 49_999):
        data = changed(PINS, {"drive.stall_ma": stall_ma, "drive.continuous_ma": 2500, "battery.capacity_mah": 20_000})
        wiring = wiring_of(load_profile(save(tmp_path, data, f"{PI}.toml")))
        assert stall_ma / 1000 <= wiring.fuse_a <= area[wiring.copper_mm2]
        assert wiring.fuse_a in FUSES_A


def test_what_is_measured_begins_without_power_and_ends_with_the_motor(wiring: Wiring) -> None:
    checks = checks_of(wiring)
    assert checks[0].do.startswith("No power, nobody on the table.")
    assert checks[-1].do.startswith("Motor in place, nobody on the table")
    told = " ".join(check.do + check.see for check in checks)
    for words in ("e-stop's four contacts", "end switch", "9.5 … 10.5 kΩ", "reset"):
        assert words in told
    assert ("Open the port twice" in told) == (wiring.board == "mega-2560")
    assert ("kill the program" in told) == (wiring.board == "raspberry-pi")
    assert ("Buzzer and red lamp of the safety relay go on" in told) == (wiring.board == "raspberry-pi")


# The page.


@pytest.mark.parametrize("width", [72, 80, 100])
def test_the_page_fits_a_terminal_and_names_every_pin(wiring: Wiring, width: int) -> None:
    lines = list(lines_of(wiring, width))
    assert max(map(len, lines)) <= width
    for row in wiring.rows:
        assert any(line.split()[: len(row.pin.split())] == row.pin.split() and row.signal in line for line in lines)


def test_the_markdown_has_every_row_and_no_name_that_turns_into_emphasis(wiring: Wiring) -> None:
    page = markdown_of(wiring, "wiring.svg")
    assert "![block diagram](wiring.svg)" in page
    for row in wiring.rows:
        assert f"| `{row.signal}` |" in page
    bare_text = re.sub(r"`[^`]*`", "", page)
    assert re.findall(r"\b[a-z]+_[a-z_]+\b", bare_text) == []


def test_the_object_has_every_row(wiring: Wiring) -> None:
    found = json.loads(json.dumps(object_of(wiring)))
    assert found["schema"] == "inversion-table.wiring/1"
    wires = [wire for connector in found["connectors"] for wire in connector["wires"]]
    rows = [dataclasses.asdict(row) for row in wiring.rows]
    assert wires == [{key: value for key, value in row.items() if key != "group"} for row in rows]
    assert [rule["name"] for rule in found["hardware"]] == [rule.name for rule in rules_of(wiring)]
    assert [check["see"] for check in found["checks"]] == [check.see for check in checks_of(wiring)]


def test_the_documents_page_is_up_to_date() -> None:
    command = [sys.executable, "scripts/wiring_page.py", "--check"]
    ran = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stdout


# The drawing.

NAMESPACE = "{http://www.w3.org/2000/svg}"


class Text(NamedTuple):
    words: str
    left: float
    bottom: float
    right: float
    top: float


def texts_of(svg: str) -> list[Text]:
    """Every text of a drawing with the box that it takes, upwards positive."""
    found = []
    for node in ET.fromstring(svg).iter(f"{NAMESPACE}text"):
        style = dict(part.split(": ", 1) for part in re.split(r";\s*", node.attrib["style"]) if ": " in part)
        size = float(style["font-size"].removesuffix("px"))
        font = "Helvetica-Bold" if style.get("font-weight") == "bold" else "Helvetica"
        words = node.text or ""
        width = stringWidth(words, font, size)
        x, y = float(node.attrib["x"]), float(node.attrib["y"])
        left = x - width * {"start": 0.0, "middle": 0.5, "end": 1.0}[style.get("text-anchor", "start")]
        found.append(Text(words, left, y - 0.2 * size, left + width, y + 0.72 * size))
    return found


def segments_of(svg: str) -> list[tuple[float, float, float, float]]:
    """Every stretch of every wire and edge, as left, bottom, right, top; slanting ones are left out."""
    found = []
    for node in ET.fromstring(svg).iter(f"{NAMESPACE}polyline"):
        if "stroke: rgb(100%,100%,100%)" in node.attrib["style"]:
            continue
        numbers = [float(number) for number in re.findall(r"-?[\d.]+", node.attrib["points"])]
        points = list(zip(numbers[::2], numbers[1::2], strict=True))
        for (x, y), (to_x, to_y) in itertools.pairwise(points):
            if x == to_x or y == to_y:
                found.append((min(x, to_x), min(y, to_y), max(x, to_x), max(y, to_y)))
    return found


def overlaps(texts: list[Text]) -> list[tuple[str, str]]:
    return [
        (one.words, other.words)
        for one, other in itertools.combinations(texts, 2)
        if one.left < other.right and other.left < one.right and one.bottom < other.top and other.bottom < one.top
    ]


def struck(texts: list[Text], segments: list[tuple[float, float, float, float]]) -> list[str]:
    """The texts that a wire or an edge runs through."""
    return [
        text.words
        for text in texts
        for left, bottom, right, top in segments
        if left < text.right - 0.5 and right > text.left + 0.5 and bottom < text.top - 0.5 and top > text.bottom + 0.5
    ]


def test_no_text_of_the_drawing_lies_over_another_or_under_a_wire(wiring: Wiring) -> None:
    svg = svg_of(wiring)
    texts = texts_of(svg)
    assert len(texts) > len(wiring.rows)
    assert overlaps(texts) == []
    assert struck(texts, segments_of(svg)) == []


def test_two_texts_in_one_place_would_be_found(wiring: Wiring) -> None:
    svg = svg_of(wiring)
    (one, *_) = [text for text in texts_of(svg) if text.words == "estop_1"]
    assert overlaps([*texts_of(svg), one._replace(words="over it", left=one.right - 3)])
    assert struck([one], [(0.0, one.bottom + 3, 2000.0, one.bottom + 3)])


def test_everything_lies_on_a_sheet_of_a4(wiring: Wiring) -> None:
    svg = svg_of(wiring)
    root = ET.fromstring(svg)
    assert (root.attrib["width"], root.attrib["height"]) == ("297mm", "210mm")
    width, height = (float(number) for number in root.attrib["viewBox"].split()[2:])
    assert width / height == pytest.approx(297 / 210, rel=1e-3)
    for text in texts_of(svg):
        assert 10 <= text.left, text
        assert text.right <= width - 10, text
        assert 10 <= text.bottom, text
        assert text.top <= height - 10, text
    for left, bottom, right, top in segments_of(svg):
        assert min(left, bottom) >= 0
        assert (right <= width, top <= height) == (True, True)


def test_every_wire_is_in_the_drawing_with_its_name_and_pin(wiring: Wiring) -> None:
    words = [text.words for text in texts_of(svg_of(wiring))]
    joined = " | ".join(words)
    for row in wiring.rows:
        pin = row.pin.rpartition(" ")[2]
        if row.group == "buttons":
            called = row.title.split(" / ")[0]
            assert f"{called} | {row.pin} {row.port}" in joined
        elif row.group == "lamps":
            called = row.signal.removeprefix("lamp_").replace("_", " ")
            assert f"{called} | {row.pin} {row.port}" in joined
        elif row.group == "bus":
            assert f"{pin} {row.function.removeprefix('SPI0 ')}" in joined
        elif row.signal == "alive":
            assert "13 PB7: alive" in words
        else:
            assert words.count(row.signal) == 1
            assert f"{pin} | {row.port}" in joined


def test_the_buttons_that_open_when_pressed_are_marked_and_no_other(wiring: Wiring) -> None:
    opening = [row for row in wiring.rows if row.group == "buttons" and row.open_reads == "pressed"]
    assert sorted(row.signal for row in opening) == ["button_return", "button_stop"]
    marked = [text.words for text in texts_of(svg_of(wiring)) if text.words.endswith(f", {OPENS}")]
    assert sorted(marked) == sorted(f"{row.pin} {row.port}, {OPENS}" for row in opening)


def test_no_two_wires_share_a_stretch(wiring: Wiring) -> None:
    """Level with one another and overlapping they would be taken for one."""
    wires = [
        segment
        for segment in segments_of(svg_of(wiring))
        if segment[1] == segment[3] and segment[2] - segment[0] > 20 and segment[0] >= 566 and segment[1] > 150
    ]
    shared = [
        (one, other)
        for one, other in itertools.combinations(wires, 2)
        if abs(one[1] - other[1]) < 2 and one[0] < other[2] - 1 and other[0] < one[2] - 1
    ]
    assert shared == []


# The command.


@pytest.mark.parametrize("profile", [MEGA, PI])
def test_the_command_tells_the_wiring_on_stdout(command: Command, profile: str) -> None:
    ran = command("wiring", "--profile", profile)
    assert (ran.code, ran.err) == (0, "")
    assert f"Wiring of {profile}" in ran.out
    assert "WHAT HAS TO BE IN HARDWARE" in ran.out
    assert "WHAT TO MEASURE FIRST" in ran.out


def test_the_command_writes_page_and_drawing(command: Command, tmp_path: Path) -> None:
    folder = tmp_path / "new" / "wiring"
    ran = command("wiring", "--profile", MEGA, "--out", str(folder))
    assert (ran.code, ran.out) == (0, "")
    assert str(folder / "wiring.svg") in ran.err
    assert sorted(path.name for path in folder.iterdir()) == ["wiring.md", "wiring.svg"]
    wiring = wiring_of(load_profile(MEGA))
    assert (folder / "wiring.md").read_text(encoding="utf-8") == markdown_of(wiring, "wiring.svg")
    assert (folder / "wiring.svg").read_text(encoding="utf-8") == svg_of(wiring)


def test_the_command_gives_one_object(command: Command, tmp_path: Path) -> None:
    ran = command("wiring", "--profile", PI, "--json", "--out", str(tmp_path))
    assert ran.code == 0
    found = json.loads(ran.out)
    assert (found["profile"], found["board"], found["drive"]) == (PI, "raspberry-pi", "h-bridge")
    assert found["files"] == {"page": "wiring.md", "picture": "wiring.svg"}


@pytest.mark.parametrize("profile", ["simulated", "wire"])
def test_a_simulated_table_has_nothing_to_wire(command: Command, profile: str) -> None:
    ran = command("wiring", "--profile", profile, "--json")
    assert ran.code == 2
    assert f"the table of {profile} is simulated, so nothing is to be wired" in ran.err
    assert "--profile mega-serial" in ran.err
    assert json.loads(ran.out)["exit"] == 2


def test_a_profile_that_nobody_knows_is_told_with_the_nearest(command: Command) -> None:
    ran = command("wiring", "--profile", "mega-seral")
    assert ran.code == 2
    assert "Did you mean mega-serial?" in ran.err


def test_a_profile_must_be_named(command: Command) -> None:
    ran = command("wiring")
    assert ran.code == 2
    assert "--profile" in ran.err


def test_a_profile_with_a_pin_used_twice_is_refused_by_name(command: Command, tmp_path: Path) -> None:
    wrong = save(tmp_path, changed(PINS, {"gpio.buzzer": 12}), "wrong.toml")
    ran = command("wiring", "--profile", str(wrong))
    assert ran.code == 2
    assert "is used twice" in ran.err
    assert "gpio.drive.pwm" in ran.err


def test_a_folder_that_takes_nothing_is_told(command: Command, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder", encoding="utf-8")
    ran = command("wiring", "--profile", MEGA, "--out", str(tmp_path / "file"))
    assert ran.code == 2
    assert ran.err.rstrip().endswith("choose another place with --out")


def test_the_help_has_an_example_that_works(command: Command) -> None:
    told = command("wiring", "--help")
    assert told.code == 0
    (example,) = re.findall(r"inversion-table (wiring --profile mega-serial)$", told.out, flags=re.MULTILINE)
    assert command(*example.split()).code == 0
