"""A terminal panel on a service in this very process, in virtual time; its hands are a real socket's.

Textual's pilot drives it. Time passes only by `pass_s`, in which the table ticks and
the panel looks as often as it would.
"""

from pathlib import Path
from typing import Any

import msgspec
from rich.console import Console
from rich.text import Text

from config.errors import InversionTableError
from controller import messages as say
from controller.messages import Answer, Frame, News, Welcome
from controller.tui.app import Panel
from controller.tui.control import Link
from safety.signals import Permit, Snapshot
from sim.wire_hands import HandsServer
from tests.service.rig import PROFILE, Rig

TICK_MS = 10
LOOK_TICKS = 5


class GoneError(InversionTableError):
    """The control process is gone."""


class Direct:
    """What `controller.client.Client` is, without a socket between; every value goes through JSON as it would there."""

    def __init__(self, bench: "Bench") -> None:
        if not bench.alive:
            raise GoneError("no control process is there: start one with inversion-table serve")
        self.welcome = bench.welcome
        self.newest: Frame | None = None
        self._bench = bench
        self._came: list[Frame | News] = []
        self._events = 0
        bench.clients.append(self)

    def tick(self, snapshot: Snapshot) -> None:
        """Hear of a tick."""
        service = self._bench.rig.service
        self._came += [News(through_json(event, say.Event)) for event in service.happened if self._events]
        if snapshot.number % LOOK_TICKS == 0 and not self._bench.hung:
            self.newest = through_json(Frame(snapshot, service.state), Frame)
            self._came.append(self.newest)

    def watch(self, every_ms: int = 100, events: bool = True) -> Answer:
        self._events = 1 if events and every_ms else 0
        return Answer(1, True)

    def receive(self, patience_s: float = 0.0) -> list[Frame | News]:
        assert patience_s == 0, "a screen never waits"
        if not self._bench.alive:
            raise GoneError("the control process is gone")
        came, self._came = self._came, []
        return came

    def stop(self, because: str) -> Answer:
        return self._ask(say.Stop(1, self._seen, because))

    def bring_back(self, because: str) -> Answer:
        return self._ask(say.Return(1, self._seen, because))

    def acknowledge(self) -> Answer:
        return self._ask(say.Acknowledge(1, self._seen))

    def configuration(self) -> Answer:
        value = {"profile": PROFILE.model_dump(mode="json"), "plans": self._bench.plans}
        return Answer(1, True, value=value)

    def events(self, since: int = 0, most: int = 100) -> Answer:
        answer = self._ask(say.Events(1, since, most))
        return msgspec.structs.replace(answer, value=msgspec.to_builtins(answer.value))

    def fileno(self) -> int:
        return -1

    def offer(self, plan: dict[str, Any], permit: Permit) -> Answer:
        return self._bench.rig.ask(say.Offer(1, self._bench.rig.seen, plan, permit))

    def close(self) -> None:
        if self in self._bench.clients:
            self._bench.clients.remove(self)

    @property
    def _seen(self) -> int:
        return 0 if self.newest is None else self.newest.snapshot.number

    def _ask(self, request: say.Request) -> Answer:
        self._bench.asked.append(type(request).__name__)
        return self._bench.rig.ask(request)


def through_json(value: Any, kind: type[Any]) -> Any:
    return msgspec.json.decode(msgspec.json.encode(value), type=kind)


class Bench:
    """Table, service and panel; `real` tables have no hands."""

    def __init__(self, folder: Path, *, real: bool = False, panel: dict[str, Any] | None = None, **rig: Any) -> None:
        from tests.service.rig import SHORT, as_in_a_file

        self.rig = Rig(**rig)
        self.alive, self.hung = True, False
        self.clients: list[Direct] = []
        self.asked: list[str] = []
        self.plans = [{"name": SHORT.name, "title": SHORT.title, "hash": SHORT.hash, "plan": as_in_a_file(SHORT)}]
        self.folder = folder
        self.server = None if real else HandsServer(folder / "h.sock", self.rig.table, lambda: self.ms)
        self.welcome = Welcome(
            1, "inversion-table", "sim", "A table", "simulated", "host build", "b0", 1, not real,
            "" if real else str(folder / "h.sock"),
        )  # fmt: skip
        self.app = Panel(Link(lambda: Direct(self), self.now), now=self.now, **(panel or {}))
        self.rig.tick()

    @property
    def ms(self) -> int:
        return self.rig.table.clock.ms

    def now(self) -> float:
        return self.rig.table.clock.ms / 1000

    def pass_s(self, seconds: float) -> Snapshot:
        """Let time pass at the table and at the panel."""
        for _ in range(round(seconds * 1000) // TICK_MS):
            self.tick()
        return self.rig.snapshot

    def tick(self) -> Snapshot:
        snapshot = self.rig.tick()
        for client in list(self.clients):
            client.tick(snapshot)
        self.serve()
        if snapshot.number % LOOK_TICKS == 0:
            self.app.look()
            self.serve()
        elif self.app.hands is not None:
            self.app.hands.renew()
        return snapshot

    def serve(self) -> None:
        server = self.server
        if server is not None:
            import select

            while ready := select.select(server.descriptors, [], [], 0)[0]:
                for descriptor in ready:
                    server.serve(descriptor)
            server.end_leases()

    def held(self) -> list[str]:
        return sorted(self.rig.table.hands.held())

    def close(self) -> None:
        self.app.link.close()
        if self.app.hands is not None:
            self.app.hands.close()
        if self.server is not None:
            self.server.close()

    @property
    def text(self) -> str:
        """What stands on the screen."""
        size = self.app.size
        rows = [[" "] * size.width for _ in range(size.height)]
        for y, strip in enumerate(self.app.screen._compositor.render_strips()):
            rows[y] = list(strip.text)
        return "\n".join("".join(row) for row in rows)


__all__ = ["Bench", "Console", "Text"]
