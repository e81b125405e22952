"""A host as a process that tests may kill: a whole session over real pyserial, its people by the hands socket.

`python -m tests.wire.host_process DESCRIPTOR PATH HANDS`; time is turned by the other end of DESCRIPTOR, a socket.
"""

import socket
import sys

from controller import permits
from controller.session import Session
from firmware_bridge.hands import HandsClient
from safety.signals import Host
from sim.people import People
from sim.pytest_plugin import WALL_S
from tests.sessions.runs import BRIEF
from tests.wire.lockstep import FarStepper, Lockstep
from tests.wire.rig import AT_LEVEL, LIMITS, open_bridge


def main() -> None:
    """Run a session to its end, and print what it came to."""
    connection = socket.socket(fileno=int(sys.argv[1]))
    host = Lockstep(FarStepper(connection), sys.argv[2])
    hands = HandsClient(sys.argv[3], now=lambda: host.ms / 1000)
    bridge = open_bridge(host)
    permit = permits.simulated(BRIEF, LIMITS.screening_version, WALL_S)
    knows = Host(clock_ok=True, config_ok=True, started_table=True, wall_s=WALL_S, records_ok=True)
    session = Session(bridge, host, BRIEF, LIMITS, permit, knows)
    people = People(hands, AT_LEVEL)
    session.loop.observers += [people.observe, lambda _: hands.renew()]
    while not session.finished:
        session.tick()
    outcome = session.outcome()
    print(outcome.result, outcome.at_level, "+".join(cause.code for cause in outcome.causes), hands.trouble, flush=True)


if __name__ == "__main__":
    main()
