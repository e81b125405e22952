"""A control process that tests may kill: `python -m tests.journal.host STATE`; it records until it is ended.

It says on stdout which processes record for it, then up to which tick everything was committed, then for each line on
stdin, which says how many more ticks are to be handed over, how many there were.
"""

import sys
from pathlib import Path

from safety.judged import INITIAL
from tests.journal.recording import Recorded, tick

TICKS = 3057


def main() -> None:
    """Record three seconds and a half of ticks, say so, and wait to be killed."""
    with Recorded(Path(sys.argv[1])) as recorded:
        recorded.feed(1)
        recorded.until(lambda: recorded.link.ok)
        print(recorded.link.pid, recorded.link.worker_pid, flush=True)
        recorded.feed(1999)
        recorded.until(lambda: recorded.link.committed >= 1900)
        for number in range(2001, TICKS + 1):
            recorded.link.observe(tick(number), (), INITIAL)
        print(recorded.link.committed, flush=True)
        number = TICKS
        for line in sys.stdin:
            for _ in range(int(line)):
                number += 1
                recorded.link.observe(tick(number), (), INITIAL)
            print(number, flush=True)


if __name__ == "__main__":
    main()
