"""The screening list: what must be asked before a person is tilted, with classes and a version.

Answers keep the version of the list they answered, and a permit names it; so the version rises with every change.
Classes: `absolute` (never), `override` (a clinician decides, with a written reason), `today` (asked at each visit).
Each question is put so that "yes" is the answer that stands against tilting.
"""

from collections import Counter
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from config.quantities import Contradiction, Model, refuse, whole
from config.words import Name, Sentence, Title

FORMAT = "inversion-table/screening@1"


class ScreeningItem(Model):
    """One question.

    `id` is what answers are kept by, `class` one of `absolute`, `override` and `today`, `question` what is asked, and
    `note` where the item comes from.
    """

    id: Name
    kind: Literal["absolute", "override", "today"] = Field(alias="class")
    question: Sentence
    note: Sentence


class Screening(Model):
    """A whole list: its `version`, its `title` and its `items`."""

    format: Literal["inversion-table/screening@1"]
    version: Annotated[int, whole("", 1, 1_000_000)]
    title: Title
    items: tuple[ScreeningItem, ...] = Field(strict=False, min_length=1, max_length=200)

    @model_validator(mode="after")
    def _each_id_once(self) -> Self:
        """Refuse two items of one id, because answers are kept by id."""
        counts = Counter(item.id for item in self.items)
        refuse(
            [
                Contradiction((f"items.{place}.id",), f'"{item.id}"', "each id once", "this id stands more than once")
                for place, item in enumerate(self.items)
                if counts[item.id] > 1
            ]
        )
        return self
