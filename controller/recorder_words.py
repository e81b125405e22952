"""What passes between the control process and its recorder over one inherited socketpair: MessagePack, one a packet.

Ticks have the numbers of their snapshots, events their own; both count from 1 in each run, and 0 is none.
"""

from typing import Final

import msgspec

from controller.messages import Event
from safety.signals import Snapshot

LONGEST_PACKET: Final = 200_000
"""No message is longer; bytes. Ten ticks take 13 kB, with every cause that there is about 40 kB."""


class Batch(msgspec.Struct, tag="batch", array_like=True, gc=False):
    """Some ticks in order, what happened meanwhile, and now and then what the judge remembers.

    `wall_ms` labels the last tick (milliseconds since 1970), `lost` counts the ticks of this run that never got here.
    `judged` is the judge's state just after tick `judged_after`, as JSON, or nothing.
    """

    snapshots: tuple[Snapshot, ...]
    wall_ms: int
    lost: int = 0
    events: tuple[Event, ...] = ()
    judged_after: int = 0
    judged: bytes = b""


class Resume(msgspec.Struct, tag="resume", array_like=True, gc=False):
    """What follows is for the worker of this generation; what came before was for its forerunner, and comes again."""

    generation: int


class Leaving(msgspec.Struct, tag="leaving", array_like=True, gc=False):
    """The control process leaves as it should."""

    because: str


ToRecorder = Batch | Resume | Leaving


class Word(msgspec.Struct, array_like=True, gc=False):
    """The recorder's word on itself.

    `generation` counts its workers, the first word of each has `begins`. Everything up to `tick` and `event` is on the
    disk, as far as it is to be kept at all. `trouble` is a sentence while nothing can be written, `said` are sentences
    that are told once. With `ends` the run is over, and all of it is written.
    """

    generation: int
    pid: int
    tick: int
    event: int
    begins: bool = False
    trouble: str = ""
    said: tuple[str, ...] = ()
    ends: bool = False
