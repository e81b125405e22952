"""The way to real pins: gpiozero's own factory, on a library that answers as lgpio does, and what is in its way."""

import importlib.abc
import importlib.machinery
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from types import ModuleType

import pytest

from config.errors import DeviceMissingError, UsageError
from config.gpio import Gpio, counts_at
from config.loading import load_profile
from firmware_bridge import gpio_factory
from firmware_bridge.gpio_bridge import GpioBridge
from safety.signals import ALL_LAMPS, Command, Contacts, Host, Signals
from sim.gpio_chips import Expanders, Mcp3208
from sim.gpio_table import TableClock
from tests.gpio.fake_lgpio import FakeLgpio, pipe_folders

PROFILE = load_profile("pi-gpio")
PI_4, OLD_PI_5, NEW_PI_5 = "pinctrl-bcm2711", {0: "gpio-brcmstb", 4: "pinctrl-rp1"}, {0: "pinctrl-rp1", 10: "else"}
PI_4_REVISION = 0xC03111
HOST = Host()


def pins() -> Gpio:
    assert PROFILE.gpio is not None
    return PROFILE.gpio


def outputs() -> list[int]:
    drive = pins().drive
    named = (drive.brake, drive.enable, drive.pwm, drive.direction, drive.safety_relay, pins().buzzer)
    return [pin for pin in named if pin is not None]


class Pi:
    """A Raspberry Pi with a table's chips at its SPI, at level; every contact is as it is where all is well."""

    def __init__(self, lgpio: FakeLgpio) -> None:
        self.lgpio = lgpio
        self.clock = TableClock()
        gpio = pins()
        words = {gpio.converter.angle_a: counts_at(gpio.angle_a, 0), gpio.converter.angle_b: counts_at(gpio.angle_b, 0)}
        self.converter = Mcp3208({channel: lambda word=word: word for channel, word in words.items()})  # type: ignore[misc]
        self.converter.channels[gpio.converter.current] = lambda: 0
        self.expanders = Expanders(gpio.expanders)
        self.expanders.chips[0].closed = 0x0300
        lgpio.spi = {0: self.converter.transfer, 1: self.expanders.transfer}
        for lines in (chip.lines for chip in lgpio.chips.values()):
            for name, pin in gpio.pins():
                if name.startswith("gpio.inputs.") and pin < len(lines):
                    lines[pin].wired = 0
            lines[gpio.buttons.return_].wired = lines[gpio.buttons.stop].wired = 0

    def open(self, folder: Path) -> GpioBridge:
        return GpioBridge.open(PROFILE, self.clock, folder / "lgpio")

    def driven(self, chip: int = 0) -> dict[int, float]:
        """What each output pin drives."""
        return {pin: self.lgpio.chips[chip].lines[pin].driven for pin in outputs()}

    def nothing_is_left(self, chip: int = 0) -> None:
        assert set(self.driven(chip).values()) == {0.0}
        assert self.lgpio.handles == {}
        assert self.lgpio.buses == {}

    def run(self, bridge: GpioBridge, ticks: int, command: Command) -> None:
        for _ in range(ticks):
            bridge.write(command, Signals(lamps=ALL_LAMPS, buzzer_hz=1000))
            bridge.read(self.clock.now_ms() + 10, HOST)


MakesPi = Callable[..., Pi]


@pytest.fixture
def pi(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[MakesPi]:
    """Make this computer a Raspberry Pi; takes the chips' labels and those that are forbidden."""
    import gpiozero.pins.local

    def forget() -> None:
        # These are the class's, and so of every computer there ever was.
        gpiozero.pins.local.LocalPiFactory.pins.clear()
        gpiozero.pins.local.LocalPiFactory._reservations.clear()

    monkeypatch.delenv("GPIOZERO_PIN_FACTORY", raising=False)
    monkeypatch.setattr(gpiozero.pins.local, "get_pi_revision", lambda: PI_4_REVISION)
    devices = tmp_path / "dev"
    devices.mkdir()
    monkeypatch.setattr(gpio_factory, "DEVICES", devices)

    def make(labels: dict[int, str] | None = None, forbidden: Sequence[int] = ()) -> Pi:
        forget()
        library = FakeLgpio(devices, {0: PI_4} if labels is None else labels, forbidden)
        monkeypatch.setitem(sys.modules, "lgpio", library)
        monkeypatch.delitem(sys.modules, "gpiozero.pins.lgpio", raising=False)
        return Pi(library)

    yield make
    sys.modules.pop("gpiozero.pins.lgpio", None)
    forget()


def refused(pi: Pi, folder: Path) -> str:
    with pytest.raises(DeviceMissingError) as told:
        pi.open(folder)
    assert told.value.exit_code == 5
    return str(told.value)


# What it does there ---------------------------------------------------------------------------------------------------


def test_every_output_is_off_at_first_and_nothing_is_left_at_last(pi: MakesPi, tmp_path: Path) -> None:
    here = pi()
    bridge = here.open(tmp_path)
    assert set(here.driven().values()) == {0.0}
    here.run(bridge, 200, Command(velocity_cdeg_s=-200))
    driven, drive = here.driven(), pins().drive
    assert driven[drive.brake] == driven[drive.enable] == 1.0
    assert drive.pwm is not None and driven[drive.pwm] > 0.3
    assert driven[pins().buzzer] == 0.5
    bridge.close()
    here.nothing_is_left()
    assert here.expanders.chips[1].outputs == 0


def test_the_safety_relays_pin_changes_in_every_tick_and_with_nothing_else(pi: MakesPi, tmp_path: Path) -> None:
    here = pi()
    bridge = here.open(tmp_path)
    relay = pins().drive.safety_relay
    before = len(here.lgpio.calls)
    here.run(bridge, 20, Command())
    assert [call for call in here.lgpio.calls[before:] if call[1] == relay] == [("write", relay)] * 20
    levels = []
    for _ in range(4):
        here.run(bridge, 1, Command())
        levels.append(here.driven()[relay])
    assert levels in ([1.0, 0.0, 1.0, 0.0], [0.0, 1.0, 0.0, 1.0])
    before = len(here.lgpio.calls)
    for _ in range(20):
        bridge.read(here.clock.now_ms() + 10, HOST)
    assert [call for call in here.lgpio.calls[before:] if call[1] == relay] == []
    bridge.close()


def test_what_is_wired_is_read(pi: MakesPi, tmp_path: Path) -> None:
    here = pi()
    bridge = here.open(tmp_path)
    here.run(bridge, 3, Command())
    readings = bridge.read(here.clock.now_ms() + 10, HOST)
    assert readings.angle_a_cdeg == pytest.approx(0, abs=5)
    assert readings.angle_b_cdeg == pytest.approx(0, abs=5)
    assert (readings.strap_left, readings.estop, readings.buttons) == (Contacts.CLOSED, Contacts.CLOSED, 0)
    assert (readings.mains, readings.battery, readings.drive_fault) == (True, True, False)
    # Pulled up by the Pi itself, whatever else there is.
    inputs = [pin for name, pin in pins().pins() if name.startswith(("gpio.inputs.", "gpio.buttons.")) and pin < 28]
    assert {here.lgpio.chips[0].lines[pin].pull for pin in inputs} == {FakeLgpio.SET_PULL_UP}
    bridge.close()


def test_a_table_is_opened_and_let_go_and_opened_again_by_one_program(pi: MakesPi, tmp_path: Path) -> None:
    # As when the questions are asked at the terminal in between.
    here = pi()
    here.open(tmp_path).close()
    here.nothing_is_left()
    bridge = here.open(tmp_path)
    here.run(bridge, 100, Command(velocity_cdeg_s=-100))
    assert here.driven()[pins().drive.enable] == 1.0
    bridge.close()
    here.nothing_is_left()


@pytest.mark.parametrize(("labels", "chip"), [({0: PI_4, 1: "raspberrypi-exp-gpio"}, 0), (OLD_PI_5, 4), (NEW_PI_5, 0)])
def test_the_header_is_found_by_its_name_whatever_number_it_has(
    pi: MakesPi, tmp_path: Path, labels: dict[int, str], chip: int
) -> None:
    here = pi(labels)
    bridge = here.open(tmp_path)
    here.run(bridge, 100, Command(velocity_cdeg_s=-100))
    assert here.driven(chip)[pins().drive.enable] == 1.0
    bridge.close()
    here.nothing_is_left(chip)


def test_a_bus_that_fails_is_no_angle_and_no_key_and_no_crash(pi: MakesPi, tmp_path: Path) -> None:
    here = pi()
    bridge = here.open(tmp_path)
    here.run(bridge, 5, Command())
    here.converter.broken = here.expanders.broken = True
    here.run(bridge, 5, Command())
    readings = bridge.read(here.clock.now_ms() + 10, HOST)
    assert (readings.angle_a_cdeg, readings.angle_b_cdeg, readings.drive_fault) == (None, None, None)
    bridge.close()
    here.nothing_is_left()


def test_whatever_fails_while_it_is_opened_everything_is_off_and_let_go(pi: MakesPi, tmp_path: Path) -> None:
    here = pi()
    here.open(tmp_path).close()
    claims = next(number for number, call in enumerate(here.lgpio.calls) if call == ("input", pins().buttons.stop))
    assert claims > 20
    # Every third, so that each kind of device fails at each of its steps somewhere.
    for number in range(1, claims + 1, 3):
        here = pi()
        here.lgpio.fail_at = number
        assert "a pin cannot be opened" in refused(here, tmp_path)
        here.nothing_is_left()


# What is in the way ---------------------------------------------------------------------------------------------------


class _Absent(importlib.abc.MetaPathFinder):
    """Finds no lgpio, wherever it may be installed."""

    def find_spec(self, name: str, *_: object) -> importlib.machinery.ModuleSpec | None:
        if name == "lgpio":
            raise ModuleNotFoundError("No module named 'lgpio'", name=name)
        return None


def test_without_the_library_it_says_what_brings_it(
    pi: MakesPi, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    here = pi()
    monkeypatch.delitem(sys.modules, "lgpio")
    monkeypatch.setattr(sys, "meta_path", [_Absent(), *sys.meta_path])
    told = refused(here, tmp_path)
    assert "lgpio is not there" in told and "pip install -e '.[gpio]'" in told and "docs/gpio.md" in told


def test_an_empty_library_of_that_name_is_none(pi: MakesPi, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    here = pi()
    monkeypatch.setitem(sys.modules, "lgpio", ModuleType("lgpio"))
    assert "is empty" in refused(here, tmp_path)


@pytest.mark.parametrize("other", ["mock", "native", "pigpio", "rpigpio"])
def test_another_factory_is_refused_and_never_taken(
    pi: MakesPi, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, other: str
) -> None:
    here = pi()
    monkeypatch.setenv("GPIOZERO_PIN_FACTORY", other)
    with pytest.raises(UsageError, match=f"GPIOZERO_PIN_FACTORY is '{other}', and a table is driven by lgpio only"):
        here.open(tmp_path)
    assert here.lgpio.calls == []


def test_spi_that_is_switched_off_is_told_and_nothing_is_made_by_software(pi: MakesPi, tmp_path: Path) -> None:
    here = pi()
    here.lgpio.spi = {}
    told = refused(here, tmp_path)
    assert "SPI 0 with chip select 0 cannot be opened" in told and "raspi-config" in told
    here.nothing_is_left()
    assert not any(call == ("output", 11) for call in here.lgpio.calls)


def test_a_pin_that_another_program_has_is_told(pi: MakesPi, tmp_path: Path) -> None:
    here = pi()
    here.lgpio.chips[0].lines[pins().inputs.mains].busy = True
    assert "a pin cannot be opened (GPIO busy)" in refused(here, tmp_path)
    here.nothing_is_left()


@pytest.mark.parametrize("labels", [{}, {0: "gpio-mockup-A"}])
def test_a_computer_without_such_pins_is_told(pi: MakesPi, tmp_path: Path, labels: dict[int, str]) -> None:
    assert "--table gpio is for a Raspberry Pi" in refused(pi(labels), tmp_path)


def test_whoever_may_not_use_the_pins_is_told_which_group(pi: MakesPi, tmp_path: Path) -> None:
    assert "groups gpio and spi" in refused(pi({0: PI_4}, forbidden=[0]), tmp_path)


class _Loads(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Loads lgpio and notes where its pipe would be made, and looked for."""

    def __init__(self, library: FakeLgpio) -> None:
        self.library = library
        self.folders: tuple[str, str] | None = None

    def find_spec(self, name: str, *_: object) -> importlib.machinery.ModuleSpec | None:
        return importlib.machinery.ModuleSpec(name, self) if name == "lgpio" else None

    def create_module(self, spec: importlib.machinery.ModuleSpec) -> ModuleType:
        self.folders = pipe_folders()
        return self.library

    def exec_module(self, module: ModuleType) -> None:
        """Nothing: it is made already."""


@pytest.mark.parametrize("named", [None, "/tmp"])
def test_its_pipe_is_left_in_the_folder_of_the_state_and_nowhere_else(
    pi: MakesPi, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, named: str | None
) -> None:
    here = pi()
    loads = _Loads(here.lgpio)
    monkeypatch.delitem(sys.modules, "lgpio")
    monkeypatch.setattr(sys, "meta_path", [loads, *sys.meta_path])
    if named is None:
        monkeypatch.delenv("LG_WD", raising=False)
    else:
        monkeypatch.setenv("LG_WD", named)
    before = pipe_folders()
    here.open(tmp_path).close()
    assert loads.folders == (str(tmp_path / "lgpio"), str(tmp_path / "lgpio"))
    assert pipe_folders() == before


def test_a_folder_that_takes_no_pipe_is_told(pi: MakesPi, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(UsageError, match=r"nothing can be written to .*file/lgpio"):
        pi().open(tmp_path / "file")
