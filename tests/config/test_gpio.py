"""A table on the Pi's own pins: every pin once, none that is not there, and nothing that would be on after a reset."""

from typing import Any

import pytest

from config.errors import ConfigurationError
from config.loading import load_profile
from config.pins import HEADER, IDENTITY, PULLED_UP_AT_RESET, SPI, name_of
from config.profile import Profile
from tests.config.writing import GONE, PINS, PROFILE, changed, save


def refusal(change: dict[str, Any]) -> str:
    with pytest.raises(ValueError) as caught:
        Profile.model_validate(changed(PINS, change))
    return str(caught.value)


def allowed(change: dict[str, Any]) -> Profile:
    return Profile.model_validate(changed(PINS, change))


RELAYS: dict[str, Any] = {
    "gpio.drive": {
        "kind": "two-relay",
        "relay_down": 12,
        "relay_up": 13,
        "dead_time_ms": 100,
        "relay_deg_s": 0.5,
        "brake": 16,
        "enable": 19,
        "safety_relay": 20,
    },
    "limits.cap_deg": -32.0,
}


def test_the_shipped_profile_uses_each_free_pin_once() -> None:
    gpio = load_profile("pi-gpio").gpio
    assert gpio is not None
    own = sorted(pin for _, pin in gpio.pins() if pin <= 27)
    assert own == sorted(set(HEADER.values()) - set(SPI) - IDENTITY)


@pytest.mark.parametrize("way", [17, "GPIO17", "gpio17", "BCM17", "BOARD11", "J8:11"])
def test_a_pin_is_one_pin_whatever_it_is_called(way: object) -> None:
    told = refusal({"gpio.buttons.tilt": way})
    assert (
        "gpio.buttons.tilt = GPIO17: is used twice (allowed: a pin of its own: gpio.inputs.estop_1 has this one)"
    ) in told


def test_a_line_of_an_expander_is_used_once_too() -> None:
    assert "gpio.lamps.cyan = X1.A0: is used twice (allowed: a pin of its own: gpio.lamps.red" in refusal(
        {"gpio.lamps.cyan": "x1.a0"}
    )


@pytest.mark.parametrize(
    ("pin", "told"),
    [
        (28, "there is no such pin"),
        (-1, "there is no such pin"),
        ("GPIO99", "there is no such pin"),
        (0, "is kept for add-on boards"),
        ("BOARD28", "is kept for add-on boards"),
        (7, "belongs to SPI"),
        (8, "belongs to SPI"),
        ("GPIO9", "belongs to SPI"),
        ("J8:19", "belongs to SPI"),
        (11, "belongs to SPI"),
        ("BOARD6", "is no signal on the header"),
        ("BOARD41", "is no signal on the header"),
        ("GPOI17", '"GPOI17" is no pin; did you mean GPIO17?'),
        ("X0.A8", '"X0.A8" is no pin'),
        ("X2.A0", '"X2.A0" is no pin'),
        ("", "is no pin"),
        (True, "is a yes or no, a pin is wanted"),
        (17.0, "is no pin; write 17"),
        ([17], "is no pin; write 17"),
        ("X0.A7", "is a line of an expander, and this needs a pin of the Pi itself"),
    ],
)
def test_what_is_no_pin_or_none_for_us_is_refused(pin: object, told: str) -> None:
    assert told in refusal({"gpio.inputs.mains": pin})


@pytest.mark.parametrize("key", ["pwm", "direction", "brake", "enable", "safety_relay"])
def test_an_output_that_a_reset_would_switch_on_is_refused(key: str) -> None:
    for pin in sorted(PULLED_UP_AT_RESET - IDENTITY - set(SPI)):
        told = refusal({f"gpio.drive.{key}": pin, "gpio.inputs": GONE})
        assert "is pulled up by a reset" in told
    for pin in (14, 15):
        told = refusal({f"gpio.drive.{key}": pin, "gpio.buttons": GONE})
        assert "is the serial console's, which may hold it high before we run" in told


def test_a_refused_pin_is_told_with_file_key_value_and_the_other_key(tmp_path: Any) -> None:
    path = save(tmp_path, changed(PINS, {"gpio.inputs.mains": "J8:32", "gpio.inputs.end_up": 42}))
    with pytest.raises(ConfigurationError) as caught:
        load_profile(path)
    told = {problem.key: str(problem) for problem in caught.value.problems}
    assert told["gpio.inputs.mains"] == (
        f"{path}: gpio.inputs.mains = GPIO12: is used twice (allowed: a pin of its own: gpio.drive.pwm has this one)"
    )
    assert told["gpio.inputs.end_up"].startswith(f"{path}: gpio.inputs.end_up = 42: there is no such pin")
    assert len(told) == 2


@pytest.mark.parametrize("button", ["tilt", "raise", "return", "stop"])
def test_the_buttons_that_move_and_stop_are_on_the_pi_itself(button: str) -> None:
    assert "needs a pin of the Pi itself" in refusal({f"gpio.buttons.{button}": "X0.A7"})


def test_an_expander_that_is_not_there_has_no_lines() -> None:
    assert "gpio.lamps.red = X1.A0: there is no such expander (allowed: gpio.expanders = 2)" in refusal(
        {"gpio.expanders": 1}
    )


def test_keys_are_on_the_expander_whose_loss_is_a_fault() -> None:
    told = refusal({"gpio.buttons.ack": "X1.B7"})
    assert "gpio.buttons.ack = X1.B7: nobody would notice when this expander fails" in told


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"gpio": GONE}, "gpio = : is missing"),
        ({"gpio.drive.pwm": GONE}, "gpio.drive.pwm = : is missing (allowed: needed with h-bridge)"),
        ({"gpio.drive.dead_time_ms": 100}, "gpio.drive.dead_time_ms = 100: belongs to two-relay"),
        ({"gpio.converter.angle_b": 0}, "gpio.converter.angle_b = 0: is used twice"),
        ({"gpio.converter.current": 1}, "gpio.converter.current = 1: is used twice"),
        ({"gpio.inputs.battery_ok": GONE}, "gpio.inputs.battery_ok = : is missing (allowed: needed where"),
        ({"session.issuers": ["simulated"]}, "session.issuers = simulated: simulated people vouch for nobody"),
        ({"gpio.angle_b": PINS["gpio"]["angle_a"]}, "B is wired with the opposite slope"),
        ({"gpio.angle_a.high_deg": -20.0}, "gpio.angle_a.high_deg = -20: lies too near"),
        ({"gpio.angle_a.high_counts": 2700}, "gpio.angle_a.high_counts = 2700: is too coarse"),
        ({"gpio.angle_a.low_counts": 0, "gpio.angle_a.high_counts": 2500}, "which may also be a broken wire"),
    ],
)
def test_what_cannot_be_built_is_refused(change: dict[str, Any], told: str) -> None:
    assert told in refusal(change)


def test_both_sensors_may_be_the_other_way_round() -> None:
    gpio = PINS["gpio"]
    allowed({"gpio.angle_a": gpio["angle_b"], "gpio.angle_b": gpio["angle_a"]})


def test_pins_belong_to_a_table_on_pins() -> None:
    with pytest.raises(ValueError, match="gpio = a table: belongs to a table on the Pi's own pins"):
        Profile.model_validate(changed(PROFILE, {"gpio": PINS["gpio"]}))


def test_relays_know_one_speed_and_everything_is_judged_by_it() -> None:
    limits = allowed(RELAYS).limits()
    assert {limits.speed_cdeg_s, limits.degraded_cdeg_s, limits.slow_cdeg_s, limits.above_cdeg_s} == {50}


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (
            {"limits.cap_deg": -32.09},
            "limits.cap_deg = -32.09: a return from there on one sensor takes longer than 80 s",
        ),
        ({"limits.first_degree_deg_s": 0.49}, "gpio.drive.relay_deg_s = 0.5: relays know one speed"),
        ({"gpio.drive.relay_deg_s": GONE}, "gpio.drive.relay_deg_s = : is missing (allowed: needed with two-relay)"),
        ({"gpio.drive.pwm": 26}, "gpio.drive.pwm = 26: belongs to h-bridge"),
    ],
)
def test_relays_are_refused_what_they_cannot_do(change: dict[str, Any], told: str) -> None:
    assert told in refusal({**RELAYS, **change})


def test_a_pin_is_named_as_it_is_written() -> None:
    gpio = allowed({"gpio.lamps.breathe": "x1.b7"}).gpio
    assert gpio is not None
    assert name_of(gpio.lamps.breathe or 0) == "X1.B7"
    assert name_of(gpio.drive.pwm or 0) == "GPIO12"
