"""The microcontroller's pin map is one that the board can have; whatever it cannot have is refused by name."""

import re
from pathlib import Path

import msgspec
import pytest

from config.errors import ConfigurationError
from firmware_bridge.circuits import Circuits, circuits_of
from firmware_bridge.mega_pins import FUNCTIONS, PORTS, functions, printed
from firmware_bridge.pin_map import BOARD, MOVING, PinMap, load_pin_map
from safety.signals import BUTTONS, LAMPS, Command, Readings, Signals

FIRMWARE = Path(__file__).resolve().parents[2] / "firmware_bridge/firmware"
SHIPPED = (FIRMWARE / "pins.toml").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def pins() -> PinMap:
    return load_pin_map()


def entry(signal: str) -> str:
    """The lines of one wire in the shipped map."""
    found = re.search(rf'\[\[pin\]\]\nsignal = "{signal}"\n(.+\n)*', SHIPPED)
    assert found is not None
    return found[0]


def refusals(tmp_path: Path, wire: str, **changes: str) -> list[str]:
    """What is said of the shipped map with some lines of one wire written anew."""
    before = after = entry(wire)
    for key, value in changes.items():
        after, count = re.subn(rf"^{key} = .*$", f"{key} = {value}", after, flags=re.MULTILINE)
        if not count:
            after = after.rstrip("\n") + f"\n{key} = {value}\n"
    path = tmp_path / "pins.toml"
    path.write_text(SHIPPED.replace(before, after), encoding="utf-8")
    with pytest.raises(ConfigurationError) as refused:
        load_pin_map(path)
    return [str(problem).removeprefix(f"{path}: ") for problem in refused.value.problems]


# The board, as facts.


def test_every_pin_of_the_board_is_another_bit_of_the_chip() -> None:
    assert len(PORTS) == len(set(PORTS)) == 70
    # What the chip has and the board does not bring out.
    every = {f"P{port}{bit}" for port in "ABCDEFHJKL" for bit in range(8)} | {f"PG{bit}" for bit in range(6)}
    assert every - set(PORTS) == set("PD4 PD5 PD6 PE2 PE6 PE7 PG3 PG4 PH2 PH7 PJ2 PJ3 PJ4 PJ5 PJ6 PJ7".split())
    assert FUNCTIONS.keys() <= set(PORTS)


@pytest.mark.parametrize(
    ("pin", "port", "function"),
    [
        (0, "PE0", "RXD0"),
        (1, "PE1", "TXD0"),
        (2, "PE4", "INT4"),
        (3, "PE5", "INT5"),
        (6, "PH3", "OC4A"),
        (11, "PB5", "OC1A"),
        (12, "PB6", "OC1B"),
        (13, "PB7", "OC1C"),
        (18, "PD3", "INT3"),
        (21, "PD0", "INT0"),
        (46, "PL3", "OC5A"),
        (52, "PB1", "SCK"),
        (54, "PF0", "ADC0"),
        (69, "PK7", "ADC15"),
    ],
)
def test_the_numbering_is_arduinos(pin: int, port: str, function: str) -> None:
    assert PORTS[pin] == port
    assert function in functions(port)


def test_the_analogue_pins_are_printed_as_such() -> None:
    assert [printed(pin) for pin in (0, 53, 54, 69)] == ["0", "53", "A0", "A15"]


# The map.


def test_the_shipped_map_gives_each_wire_one_pin(pins: PinMap) -> None:
    assert sorted(pins.by_signal) == sorted(circuits_of(BOARD))
    assert len({pin.pin for pin in pins.pins}) == len(pins.pins)


def test_the_pins_that_the_firmware_relies_on(pins: PinMap) -> None:
    chosen = {signal: (pin.printed, pin.port, pin.function) for signal, pin in pins.by_signal.items()}
    assert chosen["estop_1"] == ("2", "PE4", "INT4")
    assert chosen["drive_pwm"] == ("11", "PB5", "OC1A")
    assert chosen["angle_a"] == ("A0", "PF0", "ADC0")
    assert chosen["angle_b"] == ("A1", "PF1", "ADC1")
    assert (chosen["host_rx"][0], chosen["host_tx"][0]) == ("0", "1")


def test_buttons_and_lamps_lie_on_their_ports_bit_for_bit(pins: PinMap) -> None:
    for name, bit in BUTTONS.items():
        expected = "PC7" if name == "PLAN_DOWN" else f"PA{bit.bit_length() - 1}"
        assert pins.of(f"button_{name.lower()}").port == expected
    for name, bit in LAMPS.items():
        place = bit.bit_length() - 1
        assert pins.of(f"lamp_{name.lower()}").port == (f"PK{place}" if place < 8 else f"PC{place - 8}")


def test_whatever_moves_the_table_is_held_low_through_a_reset(pins: PinMap) -> None:
    for signal in MOVING:
        assert pins.of(signal).kind == "output"
        assert pins.of(signal).pull_down_kohm == 10


# What a bridge needs is wired, once each.


def carried() -> dict[str, list[str]]:
    """The wires of the microcontroller by what they carry."""
    found: dict[str, list[str]] = {}
    for name, circuit in circuits_of(BOARD).items():
        found.setdefault(circuit.carries, []).append(name)
    return found


# What no wire brings: the bridge counts it, the board decides it, or it comes in the frames.
NOT_WIRED = "elapsed_ms sequence age_ms slow_age_ms applied_cdeg_s guard host".split()
PAIRS = ("strap_left", "strap_right", "estop")


@pytest.mark.parametrize("field", [field.name for field in msgspec.structs.fields(Readings)])
def test_every_reading_is_wired_once(field: str) -> None:
    wires = carried()
    if field == "buttons":
        assert [wires[f"buttons.{name}"] for name in BUTTONS] == [[f"button_{name.lower()}"] for name in BUTTONS]
    elif field in PAIRS:
        assert wires[field] == [f"{field}_1", f"{field}_2"]
    elif field in NOT_WIRED:
        assert field not in wires
    else:
        assert len(wires[field]) == 1


def test_every_signal_of_the_panel_is_wired_once() -> None:
    wires = carried()
    fields = {field.name for field in msgspec.structs.fields(Signals)}
    # What the alarm is and whether there is a tone is in lamps and buzzer already.
    assert fields == {"alarm", "tone", "lamps", "buzzer_hz"}
    assert [wires[f"lamps.{name}"] for name in LAMPS] == [[f"lamp_{name.lower()}"] for name in LAMPS]
    assert wires["buzzer_hz"] == ["buzzer"]


def test_a_command_reaches_drive_and_brake() -> None:
    wires = carried()
    assert "velocity_cdeg_s" in {field.name for field in msgspec.structs.fields(Command)}
    assert wires["velocity_cdeg_s"] == ["drive_pwm", "drive_down", "drive_up"]
    assert (wires["drive_power"], wires["brake_set"]) == (["drive_enable"], ["brake_release"])


def test_every_wire_carries_something_that_there_is() -> None:
    known = {field.name for struct in (Readings, Command, Signals) for field in msgspec.structs.fields(struct)}
    known |= {f"buttons.{name}" for name in BUTTONS} | {f"lamps.{name}" for name in LAMPS}
    assert set(carried()) - known == {"supply_gone", "link", "-"}


def test_the_guards_pins_are_all_wired() -> None:
    header = (FIRMWARE / "guard.h").read_text(encoding="utf-8")
    struct = header[: header.index("} guard_pins_t;")].rpartition("typedef struct {")[2]
    fields = re.findall(r"^\s+\w+ (\w+);", struct, flags=re.MULTILINE)
    assert len(fields) >= 15
    called = {"patient_open": "patient_button", "level_switch_below": "level_switch"}
    wires = carried()
    for field in fields:
        name = called.get(field, field)
        assert name in wires or f"{name}.TILT" in wires, field


# What a broken wire reads as.


def test_every_contact_is_open_for_the_safe_answer() -> None:
    said = {circuit.carries: circuit.open_is for circuit in circuits_of(BOARD).values() if circuit.kind == "contact"}
    never_moves = {"buttons.TILT", "buttons.RAISE", "buttons.PRESENCE", "buttons.ACK", "buttons.CONFIRM"}
    never_moves |= {"buttons.PLAN_UP", "buttons.PLAN_DOWN", "mains", "battery", "supply_gone"}
    assert {field for field, value in said.items() if value is False} == never_moves
    stops_or_returns = {"buttons.STOP", "buttons.RETURN", "patient_button", "estop", "strap_left", "strap_right"}
    stops_or_returns |= {"level_switch", "end_down", "end_up", "drive_fault"}
    assert {field for field, value in said.items() if value is True} == stops_or_returns


def test_a_contact_that_does_not_say_what_a_break_is_is_refused() -> None:
    one = circuits_of(BOARD)["estop_1"].model_dump(by_alias=True) | {"open_is": None}
    with pytest.raises(ValueError, match=r"estop_1\.open_is = missing: does not go with its kind"):
        Circuits.model_validate({"format": "inversion-table/circuits@1", "circuit": [one]})


def test_two_wires_of_one_name_are_refused() -> None:
    one = circuits_of(BOARD)["estop_1"].model_dump(by_alias=True)
    with pytest.raises(ValueError, match="stands more than once"):
        Circuits.model_validate({"format": "inversion-table/circuits@1", "circuit": [one, one]})


# Planted mistakes: each is refused, and the wire is named.


def test_a_pin_that_two_wires_have_is_refused_with_both_names(tmp_path: Path) -> None:
    assert refusals(tmp_path, "buzzer", pin="11", port='"PB5"', function='"OC1A"')[0] == (
        "buzzer.pin = 11: is drive_pwm's too (allowed: a pin that drive_pwm does not have)"
    )


def test_a_wire_with_two_pins_is_refused(tmp_path: Path) -> None:
    said = refusals(tmp_path, "lamp_red", signal='"lamp_cyan"')
    assert "lamp_cyan.signal = lamp_cyan: has a pin already (allowed: each wire once)" in said
    assert "lamp_red.pin = none: this wire has no pin (allowed: one pin)" in said


def test_a_wire_that_nobody_knows_is_refused(tmp_path: Path) -> None:
    assert "lamp_green.signal = lamp_green: is no wire (allowed: a name in circuits.toml)" in refusals(
        tmp_path, "lamp_red", signal='"lamp_green"'
    )


@pytest.mark.parametrize(
    ("signal", "changes", "said"),
    [
        ("mains", {"port": '"PD6"'}, "mains.port = PD6: is another pin of the chip (allowed: PD7, which is where"),
        ("mains", {"pin": "70"}, "pin.46.pin = 70: is above the highest allowed"),
        ("mains", {"port": '"PI1"'}, "pin.46.port = "),
        ("drive_pwm", {"function": '"OC3A"'}, "drive_pwm.function = OC3A: is no function of this pin (allowed: pin 11"),
        (
            "drive_pwm",
            {"pin": "9", "port": '"PH6"', "function": '"OC2B"'},
            "drive_pwm.function = OC2B: is not what this wire needs: timer 1 makes the PWM (allowed: OC1A, OC1B or",
        ),
        (
            "estop_1",
            {"pin": "21", "port": '"PD0"', "function": '"INT0"'},
            "estop_1.function = INT0: is not what this wire needs: an edge of the e-stop interrupts whatever runs",
        ),
        ("angle_b", {"pin": "57", "port": '"PF3"', "function": '"ADC3"'}, "angle_b.function = ADC3: is not what"),
        ("angle_b", {"pin": "49", "port": '"PL0"', "function": '"ADC1"'}, "angle_b.function = ADC1: is no function"),
        ("host_rx", {"pin": "19", "port": '"PD2"', "function": '"RXD1"'}, "host_rx.function = RXD1: is not what"),
        ("buzzer", {"pin": "7", "port": '"PH4"', "function": '""'}, "buzzer.function = none: is not what this wire"),
        ("drive_enable", {"pull_down_kohm": "0"}, "drive_enable.pull_down_kohm = 0: after a reset the pin floats"),
        ("brake_release", {"pull_down_kohm": "100"}, "brake_release.pull_down_kohm = 100: after a reset the pin"),
        ("angle_a", {"pull_down_kohm": "0"}, "angle_a.pull_down_kohm = 0: a loose sensor must read 0 V"),
        ("button_tilt", {"pull_down_kohm": "10"}, "button_tilt.pull_down_kohm = 10: a contact is pulled up"),
        ("drive_up", {"pin": "52", "port": '"PB1"'}, "drive_up.pin = 52: the boot loader or a programmer drives"),
        ("drive_up", {"pin": "8", "port": '"PH5"'}, "drive_up.port = PH5: an interrupt could come between"),
        ("estop_1", {"kind": '"output"'}, 'estop_1.kind = "output": is not what the wire is (allowed: "contact")'),
        ("estop_1", {"kind": '"contacts"'}, 'pin.0.kind = "contacts": is none of the known words'),
        ("estop_1", {"pul_down_kohm": "1"}, "pin.0.pul_down_kohm: is no known key; did you mean pull_down_kohm"),
    ],
)
def test_what_the_board_cannot_have_is_refused_by_name(
    tmp_path: Path, signal: str, changes: dict[str, str], said: str
) -> None:
    assert any(line.startswith(said) for line in refusals(tmp_path, signal, **changes))


def test_a_missing_file_is_told_in_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="there is no such file"):
        load_pin_map(tmp_path / "none.toml")
