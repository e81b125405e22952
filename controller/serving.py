"""The control process from its first tick to its last: ticks, signals, and plain lines about what happens."""

import select
from collections.abc import Callable
from typing import Final, Protocol

from controller.lines import Lines
from controller.messages import Event
from controller.runner import CTRL_Z, STAYS, Interrupts
from controller.service import Service
from safety.signals import Region

LOOK_TICKS: Final = 10
# A table that is gone for good is watched until the judge has latched the loss, so that the records tell it.
LOSS_MS: Final = 1_500
EXIT_SERVED: Final = 0
EXIT_NOT_LEVEL: Final = 7
HOME: Final = (Region.LEVEL, Region.ABOVE)
# Every press is in the records; on the screen they would hide what matters.
PARENT_GONE: Final = "the program that started this is gone"
UNTOLD: Final = ("input", "demand")


class Clients(Protocol):
    """The local socket; `controller.api.Server` is one."""

    def poll(self) -> None:
        """Serve whoever wants something, once a tick; never waits."""
        ...

    def close(self) -> None:
        """Let everybody go, and take the socket away."""
        ...


class Serving:
    """Runs a service until it may end.

    `lost` tells why nothing more can come of the table; `offer`, if any, is tried now and then until it returns true.
    `attached`: it ends, as after a signal, when stdin is closed, as whoever started it does by ending.
    """

    def __init__(
        self,
        service: Service,
        clients: Clients,
        lines: Lines,
        lost: Callable[[], str],
        simulated: bool,
        offer: Callable[[], bool] | None = None,
        attached: bool = False,
    ) -> None:
        """Begin; no tick has run yet."""
        self._service = service
        self._clients = clients
        self._lines = lines
        self._lost = lost
        self._simulated = simulated
        self._offer = offer
        self._lost_ms: int | None = None
        self._stdin = select.poll()
        if attached:
            self._stdin.register(0, select.POLLIN)

    def run(self) -> int:
        """Tick until the patient is at level and somebody asked for the end, or the table is gone; the exit code."""
        service = self._service
        # A program that is suspended controls no table: on a real one Ctrl-Z brings the sentence that it goes on.
        with Interrupts(stays=not self._simulated) as interrupts:
            while not service.may_leave:
                number = service.tick().number
                self._clients.poll()
                for name in interrupts.take():
                    self._asked(name)
                for event in service.happened:
                    self._tell(event)
                self._lines.pump()
                if number % LOOK_TICKS == 0:
                    if self._stdin.poll(0):
                        # Nothing is ever said there: it was closed.
                        self._stdin.unregister(0)
                        self._asked(PARENT_GONE)
                    if self._is_lost():
                        service.finish()
                        return self._left_behind()
            service.finish()
            self._clients.poll()
            self._lines.say(service.lateness.told)
        return EXIT_SERVED

    def _asked(self, name: str) -> None:
        """Somebody wants the program to end: the patient is brought back first, and whoever asks again is told why."""
        if name == CTRL_Z:
            self._lines.say(STAYS)
            return
        service = self._service
        service.leave(name)
        self._lines.say(service.state.stays or f"{name}: the patient is at level; the control process ends here.")

    def _is_lost(self) -> bool:
        """See whether the table is gone, or the offer that was asked for can be made."""
        if self._offer is not None and self._offer():
            self._offer = None
        snapshot = self._service.snapshot
        assert snapshot is not None
        if self._lost_ms is None:
            if why := self._lost():
                self._lost_ms = snapshot.t_ms
                self._lines.say(f"{why}; the control process ends, and a new one begins with a new table.")
            return False
        return snapshot.t_ms - self._lost_ms >= LOSS_MS

    def _left_behind(self) -> int:
        snapshot = self._service.snapshot
        home = snapshot is not None and snapshot.decision.region in HOME
        return EXIT_SERVED if home and self._service.state.leaving else EXIT_NOT_LEVEL

    def _tell(self, event: Event) -> None:
        if event.kind in UNTOLD:
            return
        code = f"{event.code}: " if event.code and event.kind in ("cause", "refused", "late", "records") else ""
        self._lines.say(f"{event.t_ms / 1000:10.2f} s  {event.kind:8}  {code}{event.text}")
