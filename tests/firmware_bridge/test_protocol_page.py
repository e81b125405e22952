"""The protocol's page says what the code does: its tables are held against layouts, limits, reasons and the guard."""

import re
from collections.abc import Iterator

import pytest

from config import limits
from config.limits import BOUNDS
from firmware_bridge import protocol
from safety.signals import ALL_LAMPS, BUTTONS, LAMPS
from tests.firmware_bridge.building import FIRMWARE
from tests.firmware_bridge.wire import FRAMES, NAMES
from tests.test_architecture import ROOT

PAGE = (ROOT / "docs/protocol.md").read_text(encoding="utf-8")
LETTERS = {"u8": "B", "u16": "H", "u32": "I", "i16": "h", "5 bytes": "5s"}
ARM_RANGES = {
    "cap_cdeg": (limits.DEEPEST_CAP_CDEG, limits.INVERTED_CDEG),
    "set_limit_s": (1, limits.LONGEST_SET_S),
    "travel_limit_s": (1, 3600),
    "hold_today_s": (1, limits.MOST_HOLD_A_DAY_S),
    "speed_cdeg_s": (BOUNDS["first_degree_cdeg_s"][0], limits.FASTEST_CDEG_S),
    "sets": (1, limits.MOST_SETS),
}


def section(heading: str) -> str:
    """What stands under a heading, up to the next one."""
    found = re.search(rf"^#+ {re.escape(heading)}$(.*?)(?=^#|\Z)", PAGE, re.MULTILINE | re.DOTALL)
    assert found, heading
    return found[1]


def rows(text: str, first: str) -> list[list[str]]:
    """The rows of the table whose first heading is this one, without its head."""
    lines = text.splitlines()
    start = next(at for at, line in enumerate(lines) if line.startswith(f"| {first} |"))
    found = []
    for line in lines[start + 2 :]:
        if not line.startswith("|"):
            break
        found.append([cell.strip() for cell in line.strip("|").split("|")])
    assert found
    return found


def fields(message: str) -> Iterator[tuple[str, str, int, str]]:
    """Name, type, how many of it, and range of each field that the page names."""
    for name, kind, values, _ in rows(section(message), "field"):
        base, _, times = kind.partition(" × ")
        names = re.findall(r"`(\w+)`", name)
        together = len(names) > 1
        assert not together or len(names) == int(times)
        for one in names:
            yield one, base, 1 if together or not times else int(times), values


def numbers(text: str) -> list[int]:
    return [int(number) for number in re.findall(r"-?\d+", text.replace("−", "-"))]


@pytest.mark.parametrize("message", list(NAMES))
def test_the_fields_of_a_message_are_those_of_its_layout(message: str) -> None:
    told = list(fields(message))
    assert [name for name, *_ in told] == NAMES[message]
    layout = protocol.LAYOUTS[getattr(protocol, message)].format.replace("3s", "BBB")
    # Type and sequence number, then the body, with what is repeated written out.
    written_out = re.sub(r"(\d+)([a-rt-zA-Z])", lambda found: int(found[1]) * found[2], layout)
    assert "<BH" + "".join(LETTERS[kind] * times for _, kind, times, _ in told) == written_out


def test_the_types_have_the_lengths_of_their_layouts() -> None:
    told = {name: (int(number, 16), int(body), int(wire)) for number, name, _, body, wire, _ in rows(PAGE, "type")}
    assert told == {
        name: (getattr(protocol, name), length - protocol.OVERHEAD, length + 2)
        for name in NAMES
        for length in [protocol.LENGTHS[getattr(protocol, name)]]
    }


def test_the_reasons_stand_in_their_order() -> None:
    assert [row[0].strip("`") for row in rows(PAGE, "reason")] == list(protocol.REASONS)


def test_the_example_is_that_of_the_vectors() -> None:
    frame, wire = re.findall(r"^((?:[0-9a-f]{2,} )+[0-9a-f]{2,})$", section("A frame"), re.MULTILINE)
    assert frame.replace(" ", "") == FRAMES[0]["frame"]
    assert wire.replace(" ", "") == FRAMES[0]["wire"]


def test_the_ceilings_are_those_of_both_sides() -> None:
    (told,) = re.findall(r"^`hard_limits`, in this order:(.*?)\n\n", PAGE, re.MULTILINE | re.DOTALL)
    told = re.sub(r"\(.*?\)", "", told)
    assert numbers(told) == [value for _, value in protocol.HARD_LIMITS]


def test_the_ranges_of_the_constants_are_the_compiled_ones() -> None:
    told = {name: tuple(numbers(values)) for name, _, _, values in fields("CONFIGURE") if name in BOUNDS}
    assert told == {name: BOUNDS[name] for name in told}
    assert len(told) == 14


def test_the_ranges_of_arm_are_the_guards() -> None:
    told = {name: tuple(numbers(values)) for name, _, _, values in fields("ARM") if name in ARM_RANGES}
    assert told == ARM_RANGES


def test_the_buttons_have_their_bits() -> None:
    (meaning,) = [row[3] for row in rows(section("TELEMETRY"), "field") if row[0] == "`buttons`"]
    assert {name: int(bit) for bit, name in re.findall(r"(\d+) ([A-Z_]+)", meaning)} == BUTTONS
    assert sum(BUTTONS.values()) == protocol.ALL_BUTTONS


def test_the_lamps_have_their_bits_and_the_buzzer_its_range() -> None:
    told = {row[0].strip("`"): row for row in rows(section("COMMAND"), "field")}
    assert {name: int(bit) for bit, name in re.findall(r"(\d+) ([A-Z_]+)", told["lamps"][3])} == LAMPS
    assert numbers(told["lamps"][2]) == [0, ALL_LAMPS]
    steps = protocol.LOWEST_BUZZER_HZ // protocol.BUZZER_STEP_HZ, protocol.HIGHEST_BUZZER_HZ // protocol.BUZZER_STEP_HZ
    assert numbers(told["buzzer"][2]) == [0, *steps]


def test_what_the_panel_does_by_itself_is_what_the_code_does() -> None:
    header = (FIRMWARE / "panel_lights.h").read_text(encoding="utf-8")
    macros = {name: int(value) for name, value in re.findall(r"^#define PANEL_(\w+) (\d+)u$", header, re.MULTILINE)}
    bursts = {
        name: int(value, 16) for name, value in re.findall(r"#define PANEL_(\w+)_BURST UINT32_C\((\w+)\)", header)
    }
    told = " ".join(section("What the panel shows and sounds").split())
    pulses = {
        name: [100 * at for at in range(32) if bits >> at & 1 and not (at and bits >> (at - 1) & 1)]
        for name, bits in bursts.items()
    }

    def found_out(name: str) -> float:
        return (macros[f"{name}_GAP_MS"] + macros["PATIENCE_MS"]) / 1000

    first = pulses["HIGH"][:5]
    assert pulses["HIGH"] == first + [at + 1600 for at in first], "the same again, 1.6 s later"
    for sentence in (
        f"red at {1000 / macros['RED_MS']:g} Hz, yellow at {1000 / macros['YELLOW_MS']:.1f} Hz",
        f"for {macros['DARK_MS'] // 1000} s (red for high",
        f"100 ms at {10 * macros['HIGH_PITCH']} Hz every {macros['HIGH_MS'] // 1000} s",
        f"at {', '.join(map(str, first))} ms",
        f"three of 200 ms at {10 * macros['MEDIUM_PITCH']} Hz every {macros['MEDIUM_MS'] // 1000} s",
        f"at {', '.join(map(str, pulses['MEDIUM']))} ms",
        f"waits {macros['GRACE_MS']} ms",
        f"after {found_out('HIGH'):g} s (high) or {found_out('MEDIUM'):g} s (medium)",
        f"{macros['MOTION_MS']} ms of {10 * macros['MOTION_PITCH']} Hz whenever the buzzer was silent for 1 s",
    ):
        assert sentence in told, sentence
    assert macros["MOTION_GAP_MS"] == 1000


def test_the_budget_of_the_line_is_what_its_frames_take() -> None:
    def percent(message: str, every_ms: int) -> float:
        bytes_on_wire = protocol.LENGTHS[getattr(protocol, message)] + 2
        return 100 * bytes_on_wire * 10 / protocol.BAUD / (every_ms / 1000)

    told = " ".join(PAGE[PAGE.index("**The line's budget**") : PAGE.index("## Which frames are taken")].split())
    for message, every_ms, share in (
        ("TELEMETRY", 10, "telemetry frames a second are {:.0f} %"),
        ("ANSWER", 50, "an ANSWER every 50 ms {:.0f} % more"),
        ("COMMAND", 10, "100 COMMANDs a second are {:.0f} %"),
        ("CONFIGURE", 50, "CONFIGURE every 50 ms adds {:.0f} %"),
        ("ARM", 50, "or ARM {:.0f} %"),
        ("HELLO", 100, "a HELLO every 100 ms {:.0f} %"),
    ):
        assert share.format(percent(message, every_ms)) in told, message


def test_what_refuses_a_request_is_what_the_guard_says() -> None:
    guard = (FIRMWARE / "guard.c").read_text(encoding="utf-8")
    functions = {
        "ARM": ("refuse_by_table", "refuse_by_plan"),
        "DISARM": ("answer_disarm",),
        "CONFIGURE": ("answer_configure",),
    }
    table = rows(section("ANSWER"), "refused for")
    for column, (request, names) in enumerate(functions.items(), start=1):
        found: set[int] = set()
        for name in names:
            (body,) = re.findall(rf"^static void {name}\(.*?^}}", guard, re.MULTILINE | re.DOTALL)
            found |= {int(number) for number in re.findall(r"BIT_OF\((\d+)\)", body)}
            found |= {32 + int(bit).bit_length() - 1 for bit in re.findall(r"refusals_high \|= (\d+)u", body)}
        told = {int(row[0][1:]) for row in table if row[column]}
        assert told == found, request


def test_times_and_sums_are_those_of_the_code() -> None:
    header = (FIRMWARE / "table_link.h").read_text(encoding="utf-8")
    assert f"every {protocol.TELEMETRY_MS} ms, and at once (3 ms after the last" in PAGE
    assert "#define TABLE_LINK_EDGE_MS 3u" in header
    assert "less than 50 ms after the last it is refused" in PAGE
    assert "#define TABLE_LINK_HELLO_MS 50u" in header
    assert f"sent in the last {protocol.FRESH_MS} ms" in PAGE
    assert f"always 0x{protocol.CRC_RESIDUE:08X}" in PAGE
    assert f"version {protocol.VERSION}\n" in PAGE
    assert f"{protocol.BAUD:,} baud" in PAGE
