"""What the terminal panel shows, put together from what the control process sends; no screen is needed to look at it.

The picture is that of `controller.panel_view`. Here are the visit's own time, its curve beside the plan's, the plan
itself, what happened lately, and what stands there while nobody knows anything.
"""

import datetime as dt
from collections import deque
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import replace
from typing import Any, Final

import msgspec
from rich.text import Text

from config.errors import ConfigurationError
from config.loading import load_screening, plan_of
from config.plan import Plan
from config.screening import Screening
from controller.lamp_watch import LampWatch
from controller.messages import Event, Frame, News, Service, Welcome
from controller.panel_lamps import Worked
from controller.panel_pictures import TABLE_LINES
from controller.panel_small import small_panel
from controller.panel_view import CHART_COLUMNS, CHART_LINES, COLUMNS, LINES, Visit, chart_of, panel
from controller.panel_words import labelled
from controller.pen import Pen
from controller.progress import Heading, clock, degrees
from controller.tui.gone import gone_rows
from safety.signals import Arm, Snapshot, State

CURVE_EVERY_MS: Final = 200
# An hour of visit at that rate.
MOST_POINTS: Final = 18_000
KEPT_EVENTS: Final = 200
WIDEST: Final = 160
# Every press is in the journal; here they would hide what matters.
NO_FIGURES: Final = str.maketrans("", "", "−0123456789.")
UNTOLD: Final = ("input", "demand")
# The rows of the panel in which table and lamps stand.
LOWER: Final = slice(LINES - 2 - TABLE_LINES, LINES - 2)
NOTHING: Final = Heading(
    "no plan", "?", "", 0, 0, 1, "", about="none is offered, and nobody can be armed; the table stands by"
)


class Scene:
    """Everything that is shown; `take` what came, then `rows`.

    Attributes:
        worked: who works the table.
        frame: the newest; None before the first.
        happened: the events and sentences that are shown, the newest last.
        lower_curve: on a screen without room for the curve it stands where table and lamps are.
        ended: the result of the last visit that ended, empty before.
        nothing: the plan's line while none is offered.
    """

    def __init__(self, ascii_only: bool = False) -> None:
        """Begin with nothing known."""
        self.worked = Worked.PANEL
        self.frame: Frame | None = None
        self.happened: deque[tuple[str, str]] = deque(maxlen=KEPT_EVENTS)
        self.lower_curve = False
        self.ended = ""
        self.nothing = NOTHING.about
        self._stays = ""
        self.ascii_only = ascii_only
        self._pen = Pen(ascii_only)
        self._welcome: Welcome | None = None
        self._heading = NOTHING
        self._of: tuple[str, Arm | None] | None = None
        self._plans: dict[str, Plan] = {}
        self._lamps = LampWatch()
        self._visit = -1
        self._began_ms = self._ends_ms = 0
        self._curve: list[tuple[int, int]] = []
        self._planned: list[tuple[int, int]] = []
        self._paused_until_ms = 0
        self._screening: Screening | None = None
        self._number = 0

    def meet(self, welcome: Welcome, configuration: dict[str, Any]) -> None:
        """Begin anew with a control process, and what it says of itself."""
        if self._welcome is not None and welcome.boot == self._welcome.boot:
            return
        self._welcome = welcome
        self._lamps = LampWatch()
        self._visit, self._number, self._of = -1, 0, None
        self._paused_until_ms = 0
        profile = configuration.get("profile", {})
        self._plans = {}
        for told in configuration.get("plans", ()):
            with suppress(ConfigurationError):
                self._plans[told["name"]] = plan_of(told["plan"], told["name"])
        self._heading = replace(
            NOTHING,
            about=self.nothing,
            profile=welcome.profile,
            note=f"{welcome.table_id}, guard: {welcome.guard}",
            manual_return_text=profile.get("manual_return_text", ""),
        )

    @property
    def service(self) -> Service:
        """How the control process said that it is."""
        return Service() if self.frame is None else self.frame.service

    @property
    def snapshot(self) -> Snapshot | None:
        """The newest tick."""
        return None if self.frame is None else self.frame.snapshot

    def say(self, words: str, style: str = "bold") -> None:
        """Put a sentence of the panel's own among what happened."""
        self.happened.append((words, style))

    def take(self, came: Iterable[Frame | News]) -> list[Event]:
        """Take what came; return the events."""
        events = []
        for one in came:
            if isinstance(one, News):
                if one.event.number > self._number:
                    self._number = one.event.number
                    self._happened(one.event)
                    events.append(one.event)
            else:
                self._seen(one)
        return events

    # What stands on the screen ----------------------------------------------------------------------------------

    def rows(self, columns: int, lines: int) -> list[Text]:
        """Return the picture, a `Text` a line; needs a frame."""
        assert self.frame is not None
        snapshot = self.frame.snapshot
        now_ms = (snapshot.t_ms if self._in_visit else self._ends_ms) - self._began_ms
        # The control process runs for months; a visit's own time is what people want to know.
        shown = msgspec.structs.replace(snapshot, t_ms=max(0, now_ms))
        question = self._question(snapshot)
        if columns < COLUMNS or lines < LINES:
            return small_panel(shown, self._heading, self._lamps, question, (columns, lines), self.ascii_only)
        visit = Visit(
            heading=self._heading,
            lamps=self._lamps,
            curve=self._curve,
            worked=self.worked,
            paused_ms=max(0, self._paused_until_ms - snapshot.t_ms),
            question=question,
            planned=self._planned,
        )
        width = min(columns, WIDEST)
        rows = panel(shown, visit, width, lines - 1, self.ascii_only)
        if self.lower_curve and self.needs_a_choice(columns, lines):
            rows[LOWER] = chart_of(self._pen, shown, visit, width, TABLE_LINES)
        return rows

    @staticmethod
    def needs_a_choice(columns: int, lines: int) -> bool:
        """Whether a screen has no room for the curve beside the rest."""
        return columns < COLUMNS + CHART_COLUMNS and lines - 1 < LINES + CHART_LINES

    def gone(self, columns: int, lines: int, why: str, silent: bool, starting: str) -> list[Text]:
        """Return what stands there while there is no control process, or it says nothing."""
        return gone_rows(
            self._pen,
            self._welcome,
            self._heading.manual_return_text,
            None if self.frame is None else self.frame.snapshot,
            (columns, lines),
            (why, silent, starting),
        )

    def news(self, columns: int, lines: int) -> list[Text]:
        """Return what happened last, the newest at the bottom, in so many lines."""
        rows: list[Text] = []
        for words, style in list(self.happened)[-lines:]:
            stamp, _, told = words.partition("\t")
            rows += (
                labelled(self._pen, (stamp, "dim"), told, style, columns)
                if told
                else [self._pen.line((line, style)) for line in self._pen.wrapped(words, columns)]
            )
        if lines == 1 and rows:
            # The beginning of a sentence says more than its end.
            first = rows[-1]
            for row in rows:
                if row.plain.strip():
                    first = row
                    break
            return [first]
        return rows[-lines:]

    # What came --------------------------------------------------------------------------------------------------

    @property
    def _in_visit(self) -> bool:
        frame = self.frame
        if frame is None:
            return False
        snapshot = frame.snapshot
        return frame.service.offered or snapshot.decision.armed is not None or snapshot.wish.state is not State.IDLE

    def _seen(self, frame: Frame) -> None:
        snapshot = frame.snapshot
        before, self.frame = self.frame, frame
        self._lamps.see([snapshot])
        # Why it stays is told once, not with each new angle.
        stays = frame.service.stays.translate(NO_FIGURES)
        if stays != self._stays:
            self._stays = stays
            if stays:
                self.say(frame.service.stays)
        if before is None or frame.service.visit != self._visit:
            self._visit = frame.service.visit
            self._began_ms = self._ends_ms = snapshot.t_ms
            self._curve.clear()
            self._planned.clear()
        if self._in_visit:
            self._ends_ms = snapshot.t_ms
            self._follow(snapshot)
        self._learn(snapshot)

    def _follow(self, snapshot: Snapshot) -> None:
        angle, now_ms = snapshot.decision.angle_cdeg, snapshot.t_ms - self._began_ms
        if angle is None or len(self._curve) >= MOST_POINTS:
            return
        if not self._curve or now_ms - self._curve[-1][0] >= CURVE_EVERY_MS:
            self._curve.append((now_ms, angle))
            self._planned.append((now_ms, snapshot.wish.planned_cdeg))

    def _learn(self, snapshot: Snapshot) -> None:
        """Find out which plan this is about."""
        name, arm = snapshot.wish.plan, snapshot.decision.armed
        if (name, arm) == self._of:
            return
        self._of = name, arm
        plan = self._plans.get(name)
        if plan is not None:
            self._heading = self._heading.of(plan)
        elif arm is not None:
            # A plan that was brought: what was armed is what is known of it.
            self._heading = replace(
                self._heading,
                plan=name,
                cap_cdeg=arm.cap_cdeg,
                sets=arm.sets,
                planned_s=arm.sets * (arm.hold_s + arm.rest_s),
                about=f"{name}, {arm.sets} × {degrees(arm.cap_cdeg)} for {clock(arm.hold_s * 1000)}",
            )
        elif not name:
            self._heading = replace(
                self._heading, plan=NOTHING.plan, cap_cdeg=0, sets=0, planned_s=0, about=self.nothing
            )
        self._heading = replace(self._heading, person="" if arm is None else arm.permit.pseudonym)

    def _happened(self, event: Event) -> None:
        if event.kind == "alarm" and "paused_s" in event.values:
            self._paused_until_ms = event.t_ms + int(event.values["paused_s"] or 0) * 1000
        if event.kind == "visit" and event.values.get("step") == "ended":
            self.ended = str(event.values.get("result", ""))
        if event.kind in UNTOLD:
            return
        code = f"{event.code}: " if event.code and event.code not in event.text else ""
        at = dt.datetime.fromtimestamp(event.wall_ms / 1000)
        style = {"cause": "bold", "end": "bold red", "late": "yellow", "line": "yellow", "records": "yellow"}
        self.happened.append((f"{at:%H:%M:%S}\t{code}{event.text}", style.get(event.kind, "")))

    def _question(self, snapshot: Snapshot) -> str:
        wish = snapshot.wish
        if not wish.question:
            return ""
        from controller.panel_screening import what_is_asked

        if self._screening is None:
            self._screening = load_screening()
        return what_is_asked(self._screening, wish)
