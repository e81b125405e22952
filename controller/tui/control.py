"""The way from a panel to the control process: found, lost, and found again by itself.

Only `controller.client` speaks with the socket; what the panel asks of it is told here, so that a test can stand in.
"""

import time
from collections.abc import Callable
from typing import Any, Final, Protocol

import msgspec

from config.errors import InversionTableError
from controller.messages import Answer, Event, Frame, News, Welcome
from safety.signals import Permit

EVERY_MS: Final = 50
AGAIN_S: Final = 0.5
# A frame is due every 50 ms; a control process that says nothing for so long is not one to rely on.
SILENT_S: Final = 1.0
AT_ONCE: Final = 100
KEPT_BY_CONTROL: Final = 1000


class Control(Protocol):
    """A connection to the control process, as `controller.client.Client` is one."""

    welcome: Welcome
    newest: Frame | None

    def watch(self, every_ms: int = ..., events: bool = ...) -> Answer:
        """Ask for frames and events."""
        ...

    def receive(self, patience_s: float = ...) -> list[Frame | News]:
        """Return what has come. Raises InversionTableError where the control process is gone."""
        ...

    def offer(self, plan: dict[str, Any], permit: Permit) -> Answer:
        """Put a plan with its permit before the panel."""
        ...

    def stop(self, because: str) -> Answer:
        """Stop the table."""
        ...

    def bring_back(self, because: str) -> Answer:
        """Bring the patient back to level."""
        ...

    def acknowledge(self) -> Answer:
        """Pause the alarm's sound."""
        ...

    def configuration(self) -> Answer:
        """Return profile, limits and plans."""
        ...

    def events(self, since: int = ..., most: int = ...) -> Answer:
        """Return events after one of a number."""
        ...

    def fileno(self) -> int:
        """Return the socket's number, to be waited on."""
        ...

    def close(self) -> None:
        """Let the control process go."""
        ...


class Link:
    """A connection that comes back by itself.

    Args:
        connect: makes one; raises InversionTableError while there is no control process.
        now: a monotonic clock in seconds.

    Attributes:
        control: the connection; None while there is none.
        welcome: of the last control process that was reached; None before the first.
        configuration: what it said of profile, limits and plans.
        why: the sentence that tells why there is no connection; empty while there is one.
    """

    def __init__(self, connect: Callable[[], Control], now: Callable[[], float] = time.monotonic) -> None:
        """Begin without a connection; the first `look` makes it."""
        self.control: Control | None = None
        self.welcome: Welcome | None = None
        self.configuration: dict[str, Any] = {}
        self.why = ""
        self._connect, self._now = connect, now
        self._again_s = now()
        self._heard_s = now()

    def look(self) -> list[Frame | News]:
        """Return what has come since the last look; a connection that was lost is looked for again."""
        if self.control is None and self._now() >= self._again_s:
            return self._reach()
        return self._take()

    @property
    def silent(self) -> bool:
        """Whether there is a connection on which nothing comes: a control process that hangs."""
        return self.control is not None and self._now() - self._heard_s >= SILENT_S

    def ask(self, what: Callable[[Control], Answer]) -> str:
        """Ask for something; return why it was not done, in a sentence, or nothing."""
        if self.control is None:
            return self.why
        try:
            answer = what(self.control)
        except InversionTableError as error:
            self._lost(error)
            return str(error)
        return "" if answer.ok else "; ".join(answer.why)

    def close(self) -> None:
        """Let the control process go."""
        if self.control is not None:
            self.control.close()
            self.control = None

    def _reach(self) -> list[Frame | News]:
        try:
            self.control = control = self._connect()
            self.welcome, self.why = control.welcome, ""
            self.configuration = control.configuration().value or {}
            past = self._past(control)
            control.watch(EVERY_MS)
        except InversionTableError as error:
            self._lost(error)
            return []
        self._heard_s = self._now()
        return [*past, *self._take()]

    @staticmethod
    def _past(control: Control) -> list[Frame | News]:
        """Return the events that the control process still knows."""
        past: list[Frame | News] = []
        since = 0
        while len(past) < KEPT_BY_CONTROL:
            events = msgspec.convert(control.events(since, AT_ONCE).value or [], list[Event])
            past += [News(event) for event in events]
            if len(events) < AT_ONCE:
                break
            since = events[-1].number
        return past

    def _take(self) -> list[Frame | News]:
        if self.control is None:
            return []
        try:
            came = self.control.receive(0.0)
        except InversionTableError as error:
            self._lost(error)
            return []
        # Events alone say nothing of where the table is.
        if any(isinstance(one, Frame) for one in came):
            self._heard_s = self._now()
        return came

    def _lost(self, error: InversionTableError) -> None:
        self.close()
        self.why = str(error)
        self._again_s = self._now() + AGAIN_S
