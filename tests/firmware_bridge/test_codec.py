"""The host's codec: what is whole, valid and new is read, in any split of the stream; the rest is counted by reason."""

import subprocess
import sys
from typing import Any

import msgspec
import pytest

from firmware_bridge import protocol
from firmware_bridge.codec import Answer, HelloReply, HostCodec
from firmware_bridge.frames import HostFrames
from firmware_bridge.protocol import TableConstants, hazard_code, hazard_codes, hazard_number
from safety.signals import (
    Alarm,
    Arm,
    Command,
    Contacts,
    Demand,
    Guard,
    GuardState,
    Host,
    Issuer,
    Permit,
    Readings,
    Signals,
)
from tests.firmware_bridge.wire import (
    DOCUMENT,
    FRAMES,
    REFUSED,
    opened,
)
from tests.test_architecture import ROOT

PERMIT = Permit("0" * 16, "p", 1, 0, 0, -2000, 120, None, None, Issuer.SIMULATED)


def of_type(kind: str) -> list[dict[str, Any]]:
    return [frame for frame in FRAMES if frame["type"] == kind]


def named(frame: dict[str, Any]) -> str:
    return str(frame["name"])


def arm_of(fields: dict[str, int]) -> Arm:
    return Arm(
        session_id=fields["session_id"],
        plan_hash="0" * 16,
        cap_cdeg=fields["cap_cdeg"],
        hold_s=fields["hold_today_s"] - 20,
        set_limit_s=fields["set_limit_s"],
        sets=fields["sets"],
        rest_s=120,
        speed_cdeg_s=fields["speed_cdeg_s"],
        travel_limit_ms=fields["travel_limit_s"] * 1000 - 999,
        used_today_s=20,
        permit=PERMIT,
        strap_wait=bool(fields["flags"] & protocol.STRAP_WAIT),
        held_tilt=bool(fields["flags"] & protocol.HELD_TILT),
    )


def rejected(codec: HostCodec) -> dict[str, int]:
    return {reason: count for reason, count in codec.rejected.items() if count}


# The page's examples.


def test_the_examples_are_those_of_the_layouts() -> None:
    command = [sys.executable, "scripts/protocol_vectors.py", "--check"]
    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr


def test_there_is_an_example_of_every_type() -> None:
    assert {getattr(protocol, frame["type"]) for frame in FRAMES} == set(protocol.LAYOUTS)


@pytest.mark.parametrize("example", of_type("COMMAND"), ids=named)
def test_a_command_is_sent_as_the_page_says(example: dict[str, Any]) -> None:
    fields = example["fields"]
    command = Command(
        velocity_cdeg_s=fields["velocity_cdeg_s"],
        demand=Demand(fields["demand"]),
        stop_cause=hazard_code(fields["stop_cause"]) if fields["stop_cause"] else "",
        # The loop counts on where the wire's sixteen bits go round.
        echo=fields["echo"] + 3 * protocol.SEQUENCES,
        session_id=fields["session_id"],
        plan_return=bool(fields["flags"] & protocol.PLAN_RETURN),
        presence_fresh=bool(fields["flags"] & protocol.PRESENCE_FRESH),
    )
    signals = Signals(
        Alarm(fields["flags"] >> protocol.ALARM_SHIFT),
        bool(fields["flags"] & protocol.TONE),
        fields["lamps"],
        10 * fields["buzzer"],
    )
    assert HostFrames(example["sequence"]).command(command, signals).hex() == example["wire"]


@pytest.mark.parametrize(
    ("signals", "why"),
    [
        (Signals(lamps=0x8000), "lamps are 0x8000, and 0x7fff are all"),
        (Signals(lamps=-1), "lamps are -0x1"),
        (Signals(buzzer_hz=140), "buzzer_hz is 140: 0, or 150 to 2550"),
        (Signals(buzzer_hz=2560), "buzzer_hz is 2560"),
        (Signals(buzzer_hz=155), "in steps of 10"),
        (Signals(buzzer_hz=-150), "buzzer_hz is -150"),
    ],
    ids=repr,
)
def test_a_lamp_or_a_pitch_that_no_panel_has_is_refused_by_name(signals: Signals, why: str) -> None:
    frames = HostFrames(7)
    with pytest.raises(ValueError, match=why):
        frames.command(Command(), signals)
    assert frames.sequence == 6, "and no number is lost for it"


@pytest.mark.parametrize("kind", ["HELLO", "ARM", "DISARM", "CONFIGURE"])
def test_a_request_is_sent_as_the_page_says(kind: str) -> None:
    (example,) = of_type(kind)
    fields, frames = example["fields"], HostFrames(example["sequence"])
    made = {
        "HELLO": lambda: frames.hello(fields["nonce"]),
        "ARM": lambda: frames.arm(arm_of(fields), fields["config_hash"], fields["echo"]),
        "DISARM": lambda: frames.disarm(fields["session_id"], fields["echo"]),
        "CONFIGURE": lambda: frames.configure(constants_of(fields), fields["echo"]),
    }[kind]()
    assert made.hex() == example["wire"]
    assert frames.sequence == example["sequence"]


def constants_of(fields: dict[str, int]) -> TableConstants:
    known = {name: fields[name] for name in TableConstants.__struct_fields__ if name in fields}
    flags = {"has_battery": bool(fields["flags"] & 1), "brake_on_motor_side": bool(fields["flags"] & 2)}
    return msgspec.convert({**known, **flags}, TableConstants)


def test_the_constants_have_the_hash_of_the_page() -> None:
    (example,) = of_type("CONFIGURE")
    constants = constants_of(example["fields"])
    assert constants.packed().hex() == DOCUMENT["constants"]["packed"]
    assert constants.hash == DOCUMENT["constants"]["hash"] == example["fields"]["config_hash"]


def test_a_constant_that_does_not_fit_is_refused_in_words() -> None:
    (example,) = of_type("CONFIGURE")
    constants = constants_of({**example["fields"], "stall_ma": 65_536})
    with pytest.raises(ValueError, match="cannot hold a constant"):
        HostFrames().configure(constants, 0)


def test_an_arm_that_does_not_fit_is_refused_in_words() -> None:
    (example,) = of_type("ARM")
    with pytest.raises(ValueError, match="does not fit"):
        HostFrames().arm(arm_of({**example["fields"], "set_limit_s": 70_000}), 1, 0)


@pytest.mark.parametrize("example", of_type("TELEMETRY"), ids=named)
def test_telemetry_is_read_as_the_page_says(example: dict[str, Any]) -> None:
    fields, host = example["fields"], Host(config_ok=True)
    codec = opened(example["sequence"] - 1 & 0xFFFF, fields["clock_ms"])
    (readings,) = codec.feed(bytes.fromhex(example["wire"]), 50_007, 10, host)
    assert isinstance(readings, Readings)
    switches, contacts, outputs = fields["switches"], fields["contacts"], fields["outputs"]
    assert readings == Readings(
        elapsed_ms=10,
        sequence=readings.sequence,
        age_ms=7,
        slow_age_ms=7,
        angle_a_cdeg=fields["angle_a_cdeg"],
        angle_b_cdeg=None if fields["angle_b_cdeg"] == -0x8000 else fields["angle_b_cdeg"],
        applied_cdeg_s=fields["applied_cdeg_s"],
        strap_left=Contacts(contacts & 3),
        strap_right=Contacts(contacts >> 2 & 3),
        estop=Contacts(contacts >> 4 & 3),
        buttons=fields["buttons"],
        patient_button=bool(switches & 1),
        level_switch=bool(switches & 2),
        end_down=bool(switches & 4),
        end_up=bool(switches & 8),
        mains=bool(switches & 16),
        battery=bool(switches & 32),
        current_ma=None if fields["current_ma"] == 0xFFFF else fields["current_ma"],
        drive_fault=bool(switches & 64),
        brake_set=not outputs & 1,
        drive_power=bool(outputs & 2),
        guard=Guard(
            list(GuardState)[1 + (fields["state_demand"] & 15)],
            Demand(fields["state_demand"] >> 4),
            hazard_codes(fields["causes"], fields["first_cause"]),
            fields["session_id"],
            (),
            fields["first_value"],
            fields["inverted_s"],
        ),
        host=host,
    )
    assert readings.sequence & 0xFFFF == example["sequence"]
    assert (codec.echo, codec.refused_by_table) == (fields["echo"], fields["rejected"])
    assert rejected(codec) == {}


def test_the_first_cause_comes_first() -> None:
    assert hazard_codes(1 << 4 | 1 << 6 | 1 << 36, 6) == ("H06", "H04", "H36")
    assert hazard_codes(1 | 1 << 7, 99) == ("STOP", "H07")
    assert hazard_codes(0) == ()
    assert [hazard_number(code) for code in ("", "H04", "H36", "STOP")] == [0, 4, 36, 99]


def test_the_answer_to_a_handshake_is_read_as_the_page_says() -> None:
    (example,) = of_type("HELLO_REPLY")
    fields, codec = example["fields"], HostCodec()
    codec.expect(fields["nonce"])
    (event,) = codec.feed(bytes.fromhex(example["wire"]), 0)
    assert event == HelloReply(
        protocol.VERSION,
        (1, 2, 3),
        fields["reset_cause"],
        fields["boot_count"],
        fields["clock_ms"],
        fields["config_hash"],
        tuple(fields["hard_limits"]),
    )
    assert codec.open


@pytest.mark.parametrize("example", of_type("ANSWER"), ids=named)
def test_an_answer_is_read_as_the_page_says(example: dict[str, Any]) -> None:
    fields = example["fields"]
    (event,) = opened(example["sequence"] - 1).feed(bytes.fromhex(example["wire"]), 50_000)
    assert event == Answer(
        fields["request"],
        fields["request_sequence"],
        bool(fields["accepted"]),
        hazard_codes(fields["refusals"]),
        fields["config_hash"],
        fields["session_id"],
    )


@pytest.mark.parametrize(
    "example", [bad for bad in REFUSED if bad["refused_by"] in ("host", "both")], ids=lambda bad: str(bad["name"])
)
def test_a_bad_frame_is_counted_by_its_reason(example: dict[str, Any]) -> None:
    codec = opened(sequence=10, clock_ms=0)
    assert codec.feed(bytes.fromhex(example["wire"]), 50_000) == []
    assert rejected(codec) == {example["reason"]: 1}
