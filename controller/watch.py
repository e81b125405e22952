"""Watching a session, and on a simulated table working it, from where the command was given.

On a terminal that is large enough: the panel, and its keys. Anywhere else: a plain line a change, no keys, and nothing
that waits for one.
"""

import os
import sys
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import replace
from typing import TYPE_CHECKING

from config.errors import UsageError
from controller.keyboard import Keyboard, keyboard_of
from controller.keys import Keys
from controller.progress import REAL_TIME, STAMP_COLUMNS, Heading, PlainLines
from controller.recording import Recorder
from controller.runner import OpenedTable, Pace, run
from controller.session import Session
from controller.voice import Voice, draws_ascii_only, full_picture
from safety.signals import Snapshot, Wish

if TYPE_CHECKING:
    from controller.live import LiveView

NO_KEYS = "No key moves this table: it has buttons of its own. Ctrl-C brings the patient back first."
TAKEN_OVER = "The panel is yours: the simulated supervisor has let go of everything. From here on it is real time."
BY_HAND = (
    "--by-hand needs a terminal of at least 80x23 with a keyboard, not TERM=dumb and not CI: without --by-hand "
    "simulated people do the visit"
)


def watch(
    session: Session,
    table: OpenedTable,
    recorder: Recorder,
    pace: Pace,
    heading: Heading,
    *,
    in_place: bool,
    by_hand: bool = False,
    question: Callable[[Wish], str] = lambda _: "",
) -> str:
    """Run the session with the view that this terminal can show; return who ended it from outside.

    Args:
        session: as `controller.runner.run` takes it.
        table: as it does.
        recorder: as it does.
        pace: as it does.
        heading: of the picture.
        in_place: a picture may be drawn, where the terminal can show it.
        by_hand: nobody simulated works the panel, from the start.
        question: words for the question that the panel asks.

    Raises:
        UsageError: nobody could work it by hand here.
    """
    voice = Voice()
    people = voice.people
    picture = in_place and full_picture(people, os.environ)
    keyboard = keyboard_of(sys.stdin) if picture else None
    if by_hand:
        if keyboard is None:
            raise UsageError(BY_HAND)
        table.stand_aside()
    if people is None or not picture:
        voice.say(f"{heading.plan} on {heading.profile} ({heading.note}, {heading.pace})")
        lines = PlainLines(heading)

        def tell(snapshots: Sequence[Snapshot]) -> None:
            for line in lines.lines(snapshots):
                voice.say(line, STAMP_COLUMNS)

        return run(session, table, recorder, pace, tell, voice.say)

    from controller.live import LiveView

    alarms = session.loop.alarms
    view = LiveView(
        people,
        heading,
        question=question,
        paused_ms=lambda: alarms.pause_left_ms,
        ascii_only=draws_ascii_only(people, os.environ),
    )

    def show(snapshots: Sequence[Snapshot]) -> None:
        plan = session.plan
        if plan.name != view.heading.plan:
            view.heading = view.heading.of(plan)
        view.show(snapshots)

    with ExitStack() as stack:
        attend = None
        if keyboard is not None:
            attend = _attending(keyboard, view, session, table, pace, by_hand)
            stack.enter_context(keyboard)
        stack.enter_context(view)
        return run(session, table, recorder, pace, show, view.say, attend)


def _attending(
    keyboard: Keyboard, view: "LiveView", session: Session, table: OpenedTable, pace: Pace, by_hand: bool
) -> Callable[[Snapshot], None]:
    """Return what is done with the keyboard at each look; on a real table nothing but saying so."""
    from controller.panel_lamps import Worked

    hands = table.hands
    if hands is None:
        view.worked = Worked.ROOM
        said = False

        def refuse(_snapshot: Snapshot) -> None:
            nonlocal said
            if keyboard.read() and not said:
                said = True
                view.say(NO_KEYS)

        return refuse

    def take_over() -> None:
        table.stand_aside()
        # A finger has one speed only.
        session_ms = 0 if session.snapshot is None else session.snapshot.t_ms
        pace.to_real_time(session_ms)
        view.worked = Worked.KEYS
        view.heading = replace(view.heading, pace=REAL_TIME)
        view.say(TAKEN_OVER)

    def suspend() -> None:
        keys.let_go()
        view.pause()

    view.worked = Worked.KEYS if by_hand else Worked.PEOPLE_UNLESS_KEYS
    keys = Keys(keyboard, hands, take_over, in_charge=by_hand)
    keyboard.suspend = suspend
    session.loop.observers.append(keys.observe)
    return keys.look
