"""The shipped profile of a table on pins, and the same table with two relays in place of the H-bridge."""

import tomllib
from importlib.resources import files
from typing import Any

from config.profile import Profile

DEAD_TIME_MS = 100
RELAY_CDEG_S = 50


def altered(cap_deg: float | None = None, **drive: Any) -> Profile:
    """Return the shipped profile with another cap, or other keys in its table of drive pins; None leaves one out."""
    data = tomllib.loads((files("config") / "profiles" / "pi-gpio.toml").read_text())
    pins = data["gpio"]["drive"] | drive
    data["gpio"]["drive"] = {key: value for key, value in pins.items() if value is not None}
    if cap_deg is not None:
        data["limits"]["cap_deg"] = cap_deg
    return Profile.model_validate(data)


def two_relays(dead_time_ms: int = DEAD_TIME_MS) -> Profile:
    """Return the same table with two relays, at the pins where PWM and direction were."""
    return altered(
        cap_deg=-30.0,  # from deeper a return at this speed takes longer than is allowed
        kind="two-relay",
        relay_down=12,
        relay_up=13,
        dead_time_ms=dead_time_ms,
        relay_deg_s=RELAY_CDEG_S / 100,
        pwm=None,
        direction=None,
        pwm_hz=None,
        start_percent=None,
    )
