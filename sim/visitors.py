"""Simulated people as a process of their own, `python -m sim.visitors`: a supervisor and a patient, who do one visit.

They see what the control process tells its clients, and work the table's simulated switches, as people would whose
eyes and hands these are: whatever they hold lapses with them. They leave at once, letting go of everything, when they
are told to (SIGTERM, SIGINT), when whoever started them is gone (stdin is closed), and when the control process is.
"""

import argparse
import json
import select
import signal
import sys
from pathlib import Path
from types import FrameType
from typing import Final

from config.errors import InversionTableError
from controller.client import Client, ClientGoneError
from controller.messages import Frame, News
from firmware_bridge.hands import HandsClient
from safety.signals import Region, Snapshot
from sim.habits import Habits
from sim.people import People

# Eyes and hands are slower than a tick.
LOOK_MS: Final = 20
WAIT_S: Final = 0.04
NAME: Final = "simulated people"
COMPLETED: Final = 0
LEFT: Final = 6
NOT_LEVEL: Final = 7
HOME: Final = (Region.LEVEL, Region.ABOVE)


class Visitors:
    """Supervisor and patient, from their coming to their leaving.

    Args:
        client: a connection to the control process.
        hands: the table's simulated switches.
        habits: the supervisor's.

    Attributes:
        leaving: why they leave before the visit is over; empty while they stay.
    """

    def __init__(self, client: Client, hands: HandsClient, habits: Habits) -> None:
        self.leaving = ""
        self._client, self._hands = client, hands
        self._people = People(hands, habits)
        self._ended: int | None = None
        self._last: Snapshot | None = None

    def do_the_visit(self, parent: int) -> int:
        """Do it to its end, or leave; `parent` is a file that is closed when whoever started this is gone.

        Returns the visit's exit code, or that of having left.
        """
        while not self.leaving and not (self._people.done and self._ended is not None):
            for one in self._client.receive():
                self._take(one)
            self._hands.renew()
            if self._hands.trouble:
                self.leaving = self._hands.trouble
            elif self._people.supervisor.gave_up:
                self.leaving = "the simulated supervisor gave up"
            watched: list[Client | int] = [self._client, parent]
            if parent in select.select(watched, [], [], WAIT_S)[0]:
                self.leaving = "whoever started them is gone"
        if self._ended is not None:
            return self._ended
        return LEFT if self._last is None or self._last.decision.region in HOME else NOT_LEVEL

    def _take(self, one: Frame | News) -> None:
        if isinstance(one, Frame):
            self._last = one.snapshot
            self._people.observe(one.snapshot)
        elif one.event.kind == "visit" and one.event.values.get("step") == "ended":
            self._ended = int(one.event.values.get("exit", NOT_LEVEL) or COMPLETED)


def main(words: list[str] | None = None) -> int:
    """Run the program; one JSON object on stdout tells how it ended."""
    parser = argparse.ArgumentParser(prog="python -m sim.visitors", description=__doc__, allow_abbrev=False)
    parser.add_argument("--socket", type=Path, required=True, metavar="PATH", help="of the control process")
    parser.add_argument("--hands", required=True, metavar="PATH", help="of the table's simulated switches")
    args = parser.parse_args(words)
    client = hands = None
    code, why = LEFT, ""
    try:
        client = Client(args.socket, NAME)
        hands = HandsClient(args.hands)
        visitors = Visitors(client, hands, Habits(boards_at_deg=0.0))

        def leave(number: int, _: FrameType | None) -> None:
            visitors.leaving = f"{signal.Signals(number).name}"

        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, leave)
        client.watch(LOOK_MS)
        code = visitors.do_the_visit(sys.stdin.fileno())
        why = visitors.leaving
    except ClientGoneError as error:
        code, why = NOT_LEVEL, str(error)
    except InversionTableError as error:
        code, why = error.exit_code, str(error)
    finally:
        if hands is not None:
            hands.close()
        if client is not None:
            client.close()
    print(json.dumps({"schema": "inversion-table.visitors/1", "exit": code, "left": why}, ensure_ascii=False))
    return code


if __name__ == "__main__":
    sys.exit(main())
