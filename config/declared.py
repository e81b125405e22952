"""What a supervisor declares of one person on one day: the answers to the screening list, in a file.

It is how a table without a console gets the permit to be armed; `inversion-table session --declared FILE` reads it.
"""

import datetime as dt
from typing import Annotated, Final, Literal

from config import limits
from config.quantities import Model, degrees, whole
from config.words import Title

FORMAT: Final = "inversion-table/declared@1"


class LastReached(Model):
    """What the person last reached safely: `angle_cdeg` is the deepest angle, `hold_s` the longest hold at it."""

    angle_cdeg: Annotated[int, degrees(limits.DEEPEST_CAP_CDEG, 0)]
    hold_s: Annotated[int, whole("s", 0, limits.LONGEST_HOLD_S)]


class Declared(Model):
    """What a supervisor declares of one person.

    `pseudonym` is what the person is called in records. `date` is the day of the answers, and they hold on that day
    only. `screening_version` is the version of the list that was answered; `answers` has `true` for each item of it
    that applies to the person, `false` for each that does not, and none may be left out. `inverted_today_s` is how long
    the person was held head-down today. `last` may be left out by those who were never tilted.
    """

    format: Literal["inversion-table/declared@1"]
    pseudonym: Title
    date: dt.date
    screening_version: Annotated[int, whole("", 1, 1_000_000)]
    inverted_today_s: Annotated[int, whole("s", 0, 86_400)] = 0
    answers: dict[str, bool]
    last: LastReached | None = None
