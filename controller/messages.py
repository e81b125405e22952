"""What passes over the control process's local socket: one JSON object a packet, each way.

A client says `Hello` first, and is answered by `Welcome`. Each of its requests carries a number of its own, and is
answered by one `Answer` of that number. Snapshots come only to who asked for them, as `Frame`, and events as `News`.
docs/api.md tells it for clients in other languages. Angles are centidegrees, times milliseconds.
"""

from typing import Any, Final

import msgspec

from safety.signals import Permit, Snapshot

VERSION: Final = 1
"""The version of these messages; a client of another one is told so and let go."""

LONGEST_REQUEST: Final = 16_384
"""A longer packet is no request; bytes."""

LONGEST_REPLY: Final = 131_072
"""No packet to a client is longer; bytes."""

MOST_EVENTS: Final = 100
"""Events in one answer; whoever wants more asks again, from the last one's number on."""

STALE_MS: Final = 500
"""Who asks to arm on an older picture than this is refused; a return asked for on one sounds a longer tone first."""

SLOWEST_MS: Final = 10_000
QUICKEST_MS: Final = 10

EVENT_KINDS: Final = (
    "boot",  # the control process began; `values` has versions and hashes
    "visit",  # a plan was offered, withdrawn, or its visit ended
    "state",  # the session's state changed
    "armed",  # ARM was accepted, or DISARM
    "refused",  # ARM, DISARM, the start of a set, or a request was not accepted
    "demand",  # the judge's demand changed
    "cause",  # a cause came; `code`, and value, limit and unit in `values`
    "cleared",  # a cause went
    "alarm",  # the alarm that is shown, its acknowledgement, or its pause changed
    "input",  # a button, a strap, the e-stop, the patient's button, mains
    "request",  # somebody asked for something over the socket; `by` says who
    "late",  # ticks that were late (H27)
    "line",  # the line to the table failed or came back
    "records",  # the recorder failed or came back (H33)
    "end",  # the control process leaves
)


class Event(msgspec.Struct, frozen=True, gc=False):
    """Something that happened, as people and records read it.

    `number` counts from 1 in each run of the control process, `t_ms` is on the snapshots' clock, `wall_ms` a label
    (milliseconds since 1970). `kind` is one of `EVENT_KINDS`, `text` a sentence; `code` a hazard's, where there is one;
    `by` whoever did it: `guard`, `host`, `panel`, or a client's name and user.
    """

    number: int
    t_ms: int
    wall_ms: int
    kind: str
    text: str
    code: str = ""
    by: str = ""
    values: dict[str, int | str | None] = {}


class Service(msgspec.Struct, frozen=True, gc=False):
    """How the control process itself is; it changes seldom.

    `visit` numbers the visits since its start, 0 before the first; `offered` says that a plan with a permit waits at
    the panel. `overruns` counts ticks that came more than 50 ms after the one before (H27), `late_ms` is the worst gap
    of the last minute. `records`, `line` and `real_time` are sentences, empty where all is well. `leaving` says
    that the process ends as soon as the patient is at level, `stays` why it does not yet. `clients` are connected.
    """

    visit: int = 0
    offered: bool = False
    overruns: int = 0
    late_ms: int = 0
    records: str = ""
    line: str = ""
    real_time: str = ""
    leaving: bool = False
    stays: str = ""
    clients: int = 0


# From a client
class Hello(msgspec.Struct, tag_field="do", tag="hello", forbid_unknown_fields=True):
    """The first word of a client: the version that it speaks and what it is called in records."""

    version: int
    name: str


class Watch(msgspec.Struct, tag_field="do", tag="watch", forbid_unknown_fields=True):
    """Ask for snapshots from now on, one in `every_ms` at the most, and for events; 0: no more of either."""

    id: int
    every_ms: int = 100
    events: bool = True


class Offer(msgspec.Struct, tag_field="do", tag="offer", forbid_unknown_fields=True):
    """Put a plan with its permit before the panel, where it is read back and confirmed; only that arms the table.

    `plan` is a plan as a plan file holds it, by the file's keys. `seen` is the newest snapshot's number.
    """

    id: int
    seen: int
    plan: dict[str, Any]
    permit: Permit


class Disarm(msgspec.Struct, tag_field="do", tag="disarm", forbid_unknown_fields=True):
    """Take the offer back, or disarm the table: at level or above, still and rested."""

    id: int
    seen: int
    because: str


class Stop(msgspec.Struct, tag_field="do", tag="stop", forbid_unknown_fields=True):
    """Stop the table, as the panel's STOP does."""

    id: int
    seen: int
    because: str


class Return(msgspec.Struct, tag_field="do", tag="return", forbid_unknown_fields=True):
    """Bring the patient back to level, as the panel's RETURN does; the session is over."""

    id: int
    seen: int
    because: str


class Acknowledge(msgspec.Struct, tag_field="do", tag="acknowledge", forbid_unknown_fields=True):
    """Pause the alarm's sound; the alarm, its lamp and its cause stay."""

    id: int
    seen: int


class Configuration(msgspec.Struct, tag_field="do", tag="configuration", forbid_unknown_fields=True):
    """Ask for the profile, the limits, the screening list's version and the plans that are known here."""

    id: int


class Events(msgspec.Struct, tag_field="do", tag="events", forbid_unknown_fields=True):
    """Ask for the events after number `since`, as far as they are still in memory, at most `most` (and 100) of them."""

    id: int
    since: int = 0
    most: int = 100


Request = Hello | Watch | Offer | Disarm | Stop | Return | Acknowledge | Configuration | Events


# To a client
class Welcome(msgspec.Struct, tag_field="it", tag="welcome"):
    """The answer to `Hello`.

    `boot` is new in each run of the control process. `hands` is the path of the socket on which a simulated table's
    switches are worked, empty on a real one.
    """

    version: int
    program: str
    table_id: str
    title: str
    profile: str
    guard: str
    boot: str
    pid: int
    simulated: bool
    hands: str


class Answer(msgspec.Struct, tag_field="it", tag="answer"):
    """The answer to one request: whether it was accepted, why not, and what was asked for.

    `why` has a sentence for each reason, and what to do next; `codes` their hazards' codes, where there are any.
    """

    id: int
    ok: bool
    why: tuple[str, ...] = ()
    codes: tuple[str, ...] = ()
    value: Any = None


class Frame(msgspec.Struct, tag_field="it", tag="frame"):
    """The newest snapshot; numbers that are missing between two of them were left out."""

    snapshot: Snapshot
    service: Service


class News(msgspec.Struct, tag_field="it", tag="news"):
    """Something that happened just now."""

    event: Event


Reply = Welcome | Answer | Frame | News
