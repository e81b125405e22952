"""The terminal panel's screen: keys and mouse in, the scene out, and nothing else; Textual is imported only here."""

import asyncio
import contextlib
import signal
import time
from collections.abc import Callable
from typing import ClassVar, Final

from rich.console import Group
from rich.text import Text
from textual import events
from textual.app import App, ComposeResult
from textual.binding import Binding, BindingType
from textual.widgets import Static

from controller.messages import Answer, Event
from controller.panel_lamps import Worked
from controller.panel_view import LINES
from controller.tui.control import Control, Link
from controller.tui.hands import Asking, HandsGoneError, SimulatedHands
from controller.tui.scene import LOWER, Scene
from controller.tui.spots import ON_ALL, Spot, key_at, spots_of

LOOK_S: Final = 0.05
# A press at a simulated table lapses after 200 ms.
RENEW_S: Final = 0.04
SIGNALS: Final = (signal.SIGTERM, signal.SIGHUP, signal.SIGINT)
CURVE_KEY: Final = "g"
OFFER_KEY: Final = "o"
HINT: Final = "g: curve "
HINT_BACK: Final = "g: lamps "
NAMES: Final = {"space": " ", "enter": "\r", "plus": "+", "minus": "-"}


class Panel(App[int]):
    """The terminal panel.

    Args:
        link: to the control process.
        started: the words of `Worked` while simulated people do the visit, and once keys have been pressed; the panel
            belongs to whoever started everything. None: it is a client like any other.
        take_over: called before the first key or click does anything.
        leave: asked when somebody wants to leave; true: the panel may end at once.
        busy: what is being started or ended, in a sentence; empty otherwise.
        over: the exit code with which everything has ended; None while it goes on.
        heard: takes the events that came.
        people: whether simulated people are still at the table.
        offer: puts a plan before a simulated table's panel, once nothing is offered; None: that is for others.
        now: a monotonic clock in seconds.
    """

    CSS = """
    Screen { background: ansi_default; layers: base; overflow: hidden; }
    Static { background: ansi_default; color: ansi_default; width: 100%; }
    #picture { height: auto; }
    #news { height: 1fr; }
    """
    ENABLE_COMMAND_PALETTE = False
    BINDINGS: ClassVar[list[BindingType]] = [
        # Before any key of the panel.
        Binding("ctrl+c", "leave", "leave", priority=True),
        Binding("ctrl+q", "leave", "leave", priority=True),
    ]

    def __init__(
        self,
        link: Link,
        *,
        started: bool = False,
        take_over: Callable[[], None] = lambda: None,
        leave: Callable[[], bool] = lambda: True,
        busy: Callable[[], str] = str,
        over: Callable[[], int | None] = lambda: None,
        heard: Callable[[list[Event]], None] = lambda events: None,
        people: Callable[[], bool] = lambda: False,
        offer: Callable[[Control], Answer] | None = None,
        now: Callable[[], float] = time.monotonic,
        ascii_only: bool = False,
    ) -> None:
        super().__init__(ansi_color=True)
        self.link = link
        self.scene = Scene(ascii_only)
        self.hands: SimulatedHands | None = None
        self.scene.worked = Worked.PEOPLE_UNLESS_KEYS if started else Worked.PANEL
        self._started, self._take_over_too = started, take_over
        self._leave, self._busy, self._over, self._now = leave, busy, over, now
        self._heard, self._people, self._offer = heard, people, offer
        self._asking = Asking(link, self.scene.say, now)
        self._spots: list[Spot] = []
        self._shown: list[Text] = []
        self._news: list[Text] = []
        self._hands_trouble = ""
        if offer is not None:
            self.scene.nothing = f"none is offered: press {OFFER_KEY} to offer one"

    def compose(self) -> ComposeResult:
        """Put the picture above what happened."""
        yield Static(id="picture", markup=False)
        yield Static(id="news", markup=False)

    def on_mount(self) -> None:
        """Begin to look; a signal is what Ctrl-C is."""
        loop = asyncio.get_running_loop()
        for number in SIGNALS:
            # Where there is no such thing, or not in this thread, the way out of the program does the same.
            with contextlib.suppress(RuntimeError, ValueError, NotImplementedError):
                loop.add_signal_handler(number, self._signalled)
        self.look()
        self.set_interval(LOOK_S, self.look)
        self.set_interval(RENEW_S, self._renew)

    # What comes from the table ----------------------------------------------------------------------------------

    def look(self) -> None:
        """Take what came, work what is held, and draw."""
        link, scene = self.link, self.scene
        met = link.control
        came = link.look()
        if link.control is not met:
            self._met()
        self._heard(scene.take(came))
        if scene.worked is Worked.PEOPLE_UNLESS_KEYS and not self._people():
            scene.worked = Worked.STARTED
        code = self._over()
        if code is not None:
            self._let_go_of_hands()
            self.exit(code)
            return
        self._work()
        self.draw()

    def draw(self) -> None:
        """Draw what is known now, if it is other than what stands there."""
        columns, lines = self.size
        if columns < 1 or lines < 1:
            return
        link, scene = self.link, self.scene
        if link.control is None or link.silent or scene.frame is None:
            rows = scene.gone(columns, max(1, lines - 1), link.why, link.silent, self._busy())
            self._spots = []
        else:
            rows = scene.rows(columns, lines)
            first, last = LOWER.start, LOWER.stop
            remote = ON_ALL if scene.worked is Worked.REMOTE else ""
            self._spots = spots_of(rows, first, last, remote) if len(rows) >= LINES else []
        left = lines - len(rows)
        news = scene.news(columns - len(HINT) - 1, left) if left > 0 else []
        if news and scene.needs_a_choice(columns, lines):
            last_row = news[-1]
            last_row.pad_right(columns - len(HINT) - len(last_row))
            last_row.append(HINT_BACK if scene.lower_curve else HINT, "dim")
        if rows != self._shown or news != self._news:
            self._shown, self._news = rows, news
            self.query_one("#picture", Static).update(Group(*rows))
            self.query_one("#news", Static).update(Group(*news))

    def _met(self) -> None:
        """Take up with a control process that was found, or lost."""
        link, scene = self.link, self.scene
        self._let_go_of_hands()
        if link.control is None or link.welcome is None:
            return
        scene.meet(link.welcome, link.configuration)
        if not link.welcome.hands:
            scene.worked = Worked.REMOTE
            return
        self._reach_hands()

    def _reach_hands(self) -> None:
        assert self.link.welcome is not None
        try:
            self.hands = SimulatedHands(self.link.welcome.hands, self._take_over, self._now)
        except HandsGoneError as error:
            self.scene.say(f"The table's switches cannot be reached: {error}")

    def _take_over(self) -> None:
        self._take_over_too()
        self.scene.worked = Worked.STARTED if self._started else Worked.PANEL

    def _work(self) -> None:
        hands, snapshot = self.hands, self.scene.snapshot
        if hands is None or snapshot is None:
            return
        if self.link.silent:
            # Whoever does not see the table holds none of its buttons.
            hands.let_go()
            return
        hands.look(snapshot)
        if hands.trouble and hands.trouble != self._hands_trouble:
            self.scene.say(hands.trouble)
        self._hands_trouble = hands.trouble

    def _renew(self) -> None:
        if self.hands is not None:
            self.hands.renew()

    def _let_go_of_hands(self) -> None:
        if self.hands is not None:
            self.hands.close()
            self.hands = None

    # What comes from people -------------------------------------------------------------------------------------

    def on_key(self, event: events.Key) -> None:
        """Take one key; nothing of Textual's own is done with it."""
        character = NAMES.get(event.key, event.character or "")
        event.prevent_default()
        if character == CURVE_KEY:
            self.scene.lower_curve = not self.scene.lower_curve
        elif character == OFFER_KEY and self._offer is not None:
            if why := self.link.ask(self._offer):
                self.scene.say(f"Not offered: {why}")
        elif character:
            self._pressed(character)

    def on_mouse_down(self, event: events.MouseDown) -> None:
        """Press what is under the mouse."""
        key = key_at(self._spots, event.screen_x, event.screen_y)
        if not key or event.button != 1:
            return
        snapshot = self.scene.snapshot
        if self.hands is not None and snapshot is not None:
            self.query_one("#picture", Static).capture_mouse()
            self.hands.mouse_down(key, snapshot)
        else:
            self._pressed(key)

    def on_mouse_up(self, _event: events.MouseUp) -> None:
        """Let go of what the mouse holds, wherever it is by now."""
        self._mouse_up()

    def on_app_blur(self) -> None:
        """Let go of what the mouse holds: another window has it now, and would hear that it is let go of."""
        self._mouse_up()

    def _signalled(self) -> None:
        self.call_later(self.action_leave)

    async def action_leave(self) -> None:
        """Leave, or ask for the end of everything that was started."""
        if self._leave():
            self._let_go_of_hands()
            self.exit(0)
        elif self.hands is not None:
            self.hands.let_go()

    def _pressed(self, character: str) -> None:
        if self.link.control is None or self.link.silent:
            return
        if self.hands is not None:
            self.hands.key(character)
        elif self.link.welcome is not None and not self.link.welcome.hands:
            self._asking.key(character)

    def _mouse_up(self) -> None:
        self.capture_mouse(None)
        if self.hands is not None:
            self.hands.mouse_up()
