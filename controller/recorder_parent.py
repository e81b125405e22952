"""The recorder's parent: starts one worker after another, and nothing else; `python -m controller.recorder_parent`.

So the control process never has to start a process while it works. It ends when its worker has done everything, which
is when the control process is gone. Signals that go to a whole terminal or service are not for it: it ends by itself.
It imports nothing of ours, because it stays for months.
"""

import os
import signal
import sys
import time
from typing import Final

IGNORED: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
FIRST_PAUSE_S: Final = 0.1
LONGEST_PAUSE_S: Final = 2.0
# A worker that lived for so long did not die of its start.
LIVED_S: Final = 30.0


def parent_command(line: int, generation: int, order: str) -> list[str]:
    """Return the command of the parent on the inherited socket `line`; its workers count on from `generation`."""
    return _command("controller.recorder_parent", line, generation, order)


def _command(module: str, line: int, generation: int, order: str) -> list[str]:
    # -P: the working directory may hold other people's modules of our names.
    return [sys.executable, "-P", "-m", module, str(line), str(generation), order]


def main(words: list[str]) -> int:
    """Start workers on the inherited socket until one has finished its work; return 0."""
    for number in IGNORED:
        signal.signal(number, signal.SIG_IGN)
    line, generation, order = int(words[0]), int(words[1]), words[2]
    pause_s = FIRST_PAUSE_S
    while True:
        generation += 1
        began_s = time.monotonic()
        command = _command("controller.recorder_worker", line, generation, order)
        worker = os.posix_spawn(sys.executable, command, os.environ)
        _, status = os.waitpid(worker, 0)
        if status == 0:
            return 0
        pause_s = FIRST_PAUSE_S if time.monotonic() - began_s > LIVED_S else min(2 * pause_s, LONGEST_PAUSE_S)
        time.sleep(pause_s)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
