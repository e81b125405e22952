"""A real table that nobody proved arms nobody: told with every reason, before anybody is asked or a pin is touched."""

import datetime as dt
from pathlib import Path
from typing import Any

import pytest

from config.errors import RefusedError
from config.loading import load_plan, load_profile
from config.profile import Profile
from controller import gpio_table, proven, real_table
from firmware_bridge.serial_bridge import SerialBridge
from safety.signals import Issuer
from sim.gpio_pins import TableFactory
from sim.gpio_table import TableClock, build_gpio
from tests.config.writing import GONE, PINS, PROFILE, changed, save
from tests.controller.running import Command
from tests.controller.test_ways import declared

DAY = PINS["commissioning"]["date"]
WALL_S = int(dt.datetime.combine(DAY, dt.time(12)).timestamp())
SERIAL = changed(PROFILE, {"name": "ward", "table_id": "ward", "bridge": "serial"})
PROOF = {"date": DAY, "by": "A. Integrator", "table_id": "ward"}


def pins(change: dict[str, Any]) -> Profile:
    return Profile.model_validate(changed(PINS, change))


class NoFactory:
    """A factory that must not be asked for anything."""

    def __getattr__(self, name: str) -> object:
        raise AssertionError(f"a pin was touched ({name})")


def test_a_table_on_pins_as_shipped_refuses_at_once_and_says_what_to_do(command: Command, tmp_path: Path) -> None:
    ran = command(
        "session", "--table", "gpio", "--profile", "pi-gpio", "--plan", "short", "--state", f"{tmp_path}/state"
    )
    assert ran.code == 4
    assert "the table pi-gpio arms nobody: [commissioning] is missing" in ran.err
    assert "docs/gpio.md" in ran.err
    assert not (tmp_path / "state").exists()


def test_every_reason_is_told_and_no_pin_is_touched(tmp_path: Path) -> None:
    profile = pins({"commissioning.relay_drop_ms": 900, "drive.self_locking": False, "commissioning.table_id": "other"})
    with pytest.raises(RefusedError) as told:
        gpio_table.open_gpio(
            profile, load_plan("short"), None, tmp_path, clock=TableClock(), factory=NoFactory(), wall_s=WALL_S
        )
    for reason in ("drive.self_locking = false", 'table_id = "other"', "relay_drop_ms = 900"):
        assert reason in str(told.value)
    assert told.value.exit_code == 4


@pytest.mark.parametrize("days", [-1, 366])
def test_a_proof_of_another_time_is_refused(tmp_path: Path, days: int) -> None:
    with pytest.raises(RefusedError, match=r"commissioning\.date"):
        gpio_table.open_gpio(
            pins({}), load_plan("short"), None, tmp_path, factory=NoFactory(), wall_s=WALL_S + days * 86_400
        )


def test_pins_are_for_a_table_on_pins(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="is of a table that is reached by in-process"):
        gpio_table.open_gpio(load_profile("simulated"), load_plan("short"), None, tmp_path, factory=NoFactory())


def test_a_proven_and_declared_table_opens_with_every_output_off(tmp_path: Path) -> None:
    wall_s = int(dt.datetime.combine(dt.date.today(), dt.time(12)).timestamp())  # noqa: TID251 label: today's proof
    profile = pins({"commissioning.date": dt.date.fromtimestamp(wall_s)})
    beside = build_gpio(profile)
    beside.bridge.close()
    table = gpio_table.open_gpio(
        profile,
        load_plan("short"),
        declared(tmp_path),
        tmp_path,
        clock=beside.clock,
        factory=beside.factory,
        wall_s=wall_s,
    )
    assert (table.guard, table.real_time, table.truth) == ("none", True, None)
    assert table.permit is not None
    assert table.permit.issuer is Issuer.DECLARED
    assert table.host.config_ok
    assert table.host.clock_ok
    assert not table.host.started_table
    assert (beside.power.duty, beside.power.enabled, beside.power.brake_open) == (0.0, False, False)
    with pytest.raises(RefusedError, match="this computer's pins is in the hands of"):
        gpio_table.open_gpio(
            profile, load_plan("short"), declared(tmp_path), tmp_path, factory=NoFactory(), wall_s=wall_s
        )
    table.close()
    table.close()


def test_the_answers_may_be_given_at_the_panel(tmp_path: Path) -> None:
    beside = build_gpio(pins({}))
    beside.bridge.close()
    table = gpio_table.open_gpio(
        pins({}), load_plan("short"), "panel", tmp_path, clock=beside.clock, factory=beside.factory, wall_s=WALL_S
    )
    table.close()
    assert table.permit is None
    assert table.permit_for is None


def test_a_pin_that_somebody_else_has_is_told_and_the_lock_is_let_go(tmp_path: Path) -> None:
    from gpiozero import OutputDevice

    factory = TableFactory()
    other = OutputDevice("GPIO25", pin_factory=factory)
    for _ in range(2):
        with pytest.raises(OSError, match=r"a pin cannot be opened \(pin GPIO25 is already in use"):
            gpio_table.open_gpio(
                pins({}), load_plan("short"), "panel", tmp_path, clock=TableClock(), factory=factory, wall_s=WALL_S
            )
    other.close()
    factory.reset()


# At a serial port.


def test_a_serial_table_that_nobody_proved_is_refused_before_its_port_is_touched(
    command: Command, tmp_path: Path
) -> None:
    profile = save(tmp_path, SERIAL, "ward.toml")
    ran = command(
        *("session", "--plan", "short", "--profile", str(profile), "--table", f"serial:{tmp_path}/nowhere"),
        *("--declared", declared(tmp_path)),
    )
    assert ran.code == 4
    assert "the table ward arms nobody: [commissioning] is missing" in ran.err


class Line:
    """A table at the far end of a line, as far as opening it goes."""

    def __init__(self, firmware: str) -> None:
        self.firmware = firmware
        self.closed = False

    def close(self) -> None:
        self.closed = True


@pytest.mark.parametrize(("firmware", "refused"), [("1.0.3", True), (real_table.NO_MICROCONTROLLER, False)])
def test_the_proof_of_a_real_table_grows_old_and_that_of_a_simulated_one_does_not(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, firmware: str, refused: bool
) -> None:
    line = Line(firmware)
    monkeypatch.setattr(SerialBridge, "open", lambda *_: line)
    profile = Profile.model_validate(changed(SERIAL, {"commissioning": {**PROOF, "date": dt.date(2020, 1, 2)}}))

    def opened() -> None:
        real_table.open_serial("auto", profile, load_plan("short"), declared(tmp_path), tmp_path).close()

    if refused:
        with pytest.raises(RefusedError, match=r"commissioning\.date = 2020-01-02: .* days ago, and it holds for 365"):
            opened()
    else:
        opened()
    assert line.closed


def test_the_judge_is_told_of_a_table_that_nobody_proved() -> None:
    assert proven.reasons(pins({}), WALL_S, pins=True) == []
    assert proven.reasons(pins({"commissioning": GONE}), WALL_S, pins=True) != []
