"""What a panel shows while nobody says how the table is: that, in large letters, and what to do."""

from typing import Final

from rich.text import Text

from controller.block_letters import block_letters, plain_letters
from controller.messages import Welcome
from controller.panel_words import ALARM_STYLES, labelled
from controller.pen import Pen
from controller.progress import degrees
from safety.signals import Alarm, Region, Snapshot

GONE: Final = "NO CONTROL"
SILENT: Final = "NO NEWS"
STARTING: Final = "STARTING"
HOME: Final = (Region.LEVEL, Region.ABOVE)
LOOK: Final = "Look at the table, and stay with the patient: this screen does not know where he is."
BY_GUARD: Final = (
    "Without its control process the table stops, sounds a tone after 3 s, and its guard brings the patient back to "
    "level (H17). Its own STOP and e-stop work."
)
BY_HAND: Final = "Without its control process the table brakes and stays where it is (H17)."
NEVER_SEEN: Final = "No control process has been reached from here yet."
STALE: Final = "What comes from the control process has stopped: it hangs, or this computer is overloaded."


def gone_rows(
    pen: Pen,
    welcome: Welcome | None,
    way_back: str,
    last: Snapshot | None,
    size: tuple[int, int],
    told: tuple[str, bool, str],
) -> list[Text]:
    """Return the rows.

    Args:
        pen: for this terminal.
        welcome: of the control process that was there; None if there never was one.
        way_back: how the patient is brought back by hand.
        last: what was known last.
        size: columns and lines.
        told: why there is no connection; whether there is one that says nothing; what is being started meanwhile.
    """
    columns, lines = size
    why, silent, starting = told
    if starting and welcome is None:
        rows = _large(pen, STARTING, "bold", columns)
        return [*rows, Text(), *labelled(pen, (" NOW ", "bold reverse"), starting, "bold", columns)][:lines]
    large = SILENT if silent else GONE
    rows = [*_large(pen, large, ALARM_STYLES[Alarm.HIGH], columns), Text()]
    now = LOOK if welcome is not None else NEVER_SEEN
    rows += labelled(pen, (" NOW ", ALARM_STYLES[Alarm.HIGH]), now, "bold", columns)
    if welcome is not None:
        rows += labelled(pen, (" table ", "dim"), BY_HAND if welcome.guard == "none" else BY_GUARD, "", columns)
        if way_back:
            stands = f"If it stands below level and does not move: {way_back}"
            rows += labelled(pen, (" back  ", "dim"), stands, "bold", columns)
    if last is not None:
        decision = last.decision
        home = ", at level" if decision.region in HOME else ""
        rows += [
            Text(),
            *labelled(
                pen,
                (" last  ", "dim"),
                f"{last.wish.state.replace('_', ' ')}, angle {degrees(decision.angle_cdeg)}{home}: that was so before, "
                "and is not known now.",
                "",
                columns,
            ),
        ]
    rows += [Text(), *labelled(pen, (" why   ", "dim"), STALE if silent else why, "", columns)]
    rows += labelled(pen, (" next  ", "dim"), starting or _next(welcome), "bold", columns)
    return rows[:lines]


def _next(welcome: Welcome | None) -> str:
    profile = f" --profile {welcome.profile}" if welcome is not None and welcome.profile != "wire" else ""
    return (
        f"Start the control process: inversion-table serve{profile}. This screen comes back by itself as soon as it "
        "answers."
    )


def _large(pen: Pen, words: str, style: str, columns: int) -> list[Text]:
    letters = plain_letters(words) if pen.ascii_only else block_letters(words)
    plain = words.lower() if len(letters[0]) + 2 > columns else ""
    return [pen.line((f" {row} ", style)) for row in ([plain] if plain else letters)] + [
        pen.line((words, f"{style} dim"))
    ]
