"""What the tests of the judge share."""

import random
from collections.abc import Callable

import pytest


@pytest.fixture
def noise() -> Callable[[], int]:
    """Return the error of one reading of a sensor at the edge of what is allowed: 0.05° rms, in centidegrees."""
    chance = random.Random(7)
    return lambda: round(chance.gauss(0.0, 5.0))
