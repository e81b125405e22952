"""The page for whoever stands at the table names every step, every button and every state."""

from pathlib import Path

import pytest

from safety.signals import BUTTONS, Guide, State

PAGE = (Path(__file__).parents[2] / "docs" / "panel.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("guide", [guide for guide in Guide if guide])
def test_each_step_stands_in_the_page(guide: Guide) -> None:
    assert f"| `{guide.value}` | " in PAGE


@pytest.mark.parametrize("button", BUTTONS)
def test_each_button_has_a_row(button: str) -> None:
    row = next(line for line in PAGE.splitlines() if line.startswith(f"| {button}"))
    assert row.count("|") == 9


def test_each_state_has_a_column() -> None:
    head = next(line for line in PAGE.splitlines() if line.startswith("| button | `idle`"))
    assert all(f"`{state.value}`" in head for state in State)
