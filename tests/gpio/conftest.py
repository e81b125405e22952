"""Tables behind pins, closed again after each test; gpiozero's own factory is left as it was."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from gpiozero import Device

from tests.gpio.rig import GpioRig

RigFactory = Callable[..., GpioRig]


@pytest.fixture(autouse=True)
def _nobody_touches_the_default_factory() -> Iterator[None]:
    assert Device.pin_factory is None
    yield
    assert Device.pin_factory is None


@pytest.fixture
def on_pins() -> Iterator[RigFactory]:
    """Make sessions on pins; takes what `GpioRig` takes."""
    made: list[GpioRig] = []

    def make(*args: Any, **kwargs: Any) -> GpioRig:
        made.append(GpioRig(*args, **kwargs))
        return made[-1]

    yield make
    for rig in made:
        rig.table.bridge.close()
        rig.table.factory.reset()
