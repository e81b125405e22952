"""Both judges on the same table: the same readings, switches and wishes, and where their words part.

The table is arithmetic: it turns as the guard's set-point says, unless something is wrong with it. The host's judge
sees the guard's set-point, brake and power, as in telemetry, but not what the guard says; the guard gets the session's
wishes and never the host's demand. So each judges by itself, and what is compared is what each has found.
"""

import copy
import random
from collections.abc import Callable
from functools import cache
from typing import Any, Final, NamedTuple

import msgspec

from config.limits import Limits
from safety.judge import step
from safety.judged import INITIAL, Judged
from safety.signals import (
    ACK,
    CONFIRM,
    PLAN_DOWN,
    PLAN_UP,
    PRESENCE,
    RAISE,
    RETURN,
    STOP,
    TILT,
    Arm,
    Command,
    Contacts,
    Decision,
    Demand,
    Readings,
    Wish,
)
from sim.guard import NO_ANGLE, NO_CURRENT, Guard, config_fields, switches
from tests.firmware.bench import codes
from tests.safety.table import ARM, HOST, WHOLE

TICK_MS: Final = 10
LIMITS: Final = Limits(thermal_budget_ma2_s=600_000_000)
CONFIG: Final = config_fields(LIMITS, brake_on_motor_side=True)
SESSION: Final = msgspec.structs.replace(ARM, set_limit_s=40)
DEPTHS: Final = (-3000, -1000, -4440)
ABSENT: Final = WHOLE["guard"]
NOISE_CDEG: Final = 3
# Longer than debounce, slots and the ten milliseconds between two samples together.
LAG_MS: Final = 60
# A ramp from 2 degrees a second to rest, and torque first with the brake's opening.
MOVING_LAG_MS: Final = 2000
SLOWER_CDEG_S: Final = 12
RESTING: Final = 0
HELD_MS: Final = 2500
LONGEST_TICKS: Final = 1500
# What the guard ends so, the host can no longer judge; so for this long it is shown what it would have seen.
GOES_ON_MS: Final = 300
ENDED_BY: Final = sum(1 << number for number in range(10, 16))


class Stage(NamedTuple):
    """A moment from which episodes begin: the world, what either judge remembers."""

    fields: dict[str, Any]
    judged: Judged
    guard: Guard


class World:
    """One table under both judges, in ticks of 10 ms.

    Attributes:
        angle: where it is, centidegrees; `gain` and `slip` (centidegrees a second) say how it turns else.
        shift_*, word_*: what a sensor reads too much, or instead. The rest is named as in `Readings`.
        wish: what the session would like. judged, decision: the host's. guard, out: the guard's.
    """

    def __init__(self) -> None:
        """Begin at level, straps open, nothing proven."""
        self.angle = 0.0
        self.gain, self.slip = 1.0, 0.0
        self.shift_a = self.shift_b = 0
        self.word_a: int | None = None
        self.word_b: int | None = None
        self.level_switch: bool | None = None
        self.current_ma: int | None = None
        self.current_known = True
        self.buttons = 0
        self.left = self.right = Contacts.OPEN
        self.estop = Contacts.CLOSED
        self.patient_open = False
        self.end_down = self.end_up = False
        self.mains = self.battery = True
        self.drive_fault = False
        self.velocity = 0
        self.plan_return = False
        self.host_session = 0
        self.t_ms = 0
        self.presence_ms = 0
        self.arm: Arm | None = None
        self.goes_on_ms = 0
        self.went_on = 0
        self.judged = INITIAL
        self.decision = Decision(Command())
        self.guard = Guard(0, 0, 0, 0, self._switches())
        self.out = self.guard.out
        assert self.guard.restore(CONFIG)

    def fields(self) -> dict[str, Any]:
        """Everything but the judges."""
        return {name: value for name, value in vars(self).items() if name not in ("judged", "guard", "out")}

    def stage(self) -> Stage:
        """Keep this moment."""
        return Stage(self.fields(), self.judged, copy.deepcopy(self.guard))

    @classmethod
    def at(cls, stage: Stage) -> "World":
        """Go on from a moment that was kept."""
        world = cls.__new__(cls)
        vars(world).update(stage.fields)
        world.judged = stage.judged
        world.guard = copy.deepcopy(stage.guard)
        world.out = world.guard.out
        return world

    def _switches(self) -> int:
        below = self.angle < -50 if self.level_switch is None else self.level_switch
        return switches(
            self.left,
            self.right,
            self.estop,
            patient_open=self.patient_open,
            level_switch_below=below,
            end_down=self.end_down,
            end_up=self.end_up,
            mains=self.mains,
            battery=self.battery,
            drive_fault=self.drive_fault,
            supply_gone=not (self.mains or self.battery),
        )

    def _words(self, noise: Callable[[], int]) -> tuple[int | None, int | None]:
        here = round(self.angle)
        a = here + self.shift_a + noise() if self.word_a is None else self.word_a
        b = here + self.shift_b + noise() if self.word_b is None else self.word_b
        return (None if a == NO_ANGLE else a), (None if b == NO_ANGLE else b)

    def tick(self, noise: Callable[[], int]) -> None:
        """Let 10 ms pass: both see the same, each says its word."""
        guard, out = self.guard, self.out
        sequence = self.t_ms // TICK_MS
        self.presence_ms += TICK_MS
        buttons = self.buttons
        if self.presence_ms >= 10_000:
            buttons |= PRESENCE
            self.presence_ms = 0
        a, b = self._words(noise)
        current = self.current_ma
        if current is None:
            current = 3000 if out.drive_power and out.brake_released else 0
        word = self._switches()
        before = out.causes
        guard.sent(sequence & 0xFFFF)
        guard.tell(self.host_session, sequence & 0xFFFF, self.velocity, 0, 0, self.plan_return)
        guard.step(
            TICK_MS,
            NO_ANGLE if a is None else a,
            NO_ANGLE if b is None else b,
            current if self.current_known else NO_CURRENT,
            buttons,
            word,
        )
        self.host_session = out.session_id
        self.t_ms += TICK_MS
        applied, released, power = out.applied_cdeg_s, out.brake_released, out.drive_power
        if self.went_on and not before & ENDED_BY and out.causes & ENDED_BY:
            self.goes_on_ms = GOES_ON_MS
        if self.goes_on_ms:
            self.goes_on_ms -= TICK_MS
            applied, released, power = self.went_on, True, True
        else:
            self.went_on = applied
        readings = Readings(
            TICK_MS,
            sequence + 1,
            0,
            0,
            a,
            b,
            applied,
            self.left,
            self.right,
            self.estop,
            buttons,
            self.patient_open,
            bool(word & 0x80),
            self.end_down,
            self.end_up,
            self.mains,
            self.battery,
            current if self.current_known else None,
            self.drive_fault,
            not released,
            # The host does not hear of the guard's HOLD here, nor may it see the drive powered for it.
            power and (released or not (out.phase == RESTING and self.decision.demand < Demand.HOLD)),
            ABSENT,
            HOST,
        )
        self.judged, self.decision = step(
            self.judged, readings, Wish(self.velocity, self.plan_return, self.arm), LIMITS
        )
        self.arm = None
        turned = 0.0
        if self.goes_on_ms:
            turned = applied / 100
        elif applied and power and released:
            turned = sum(guard.applied[0:TICK_MS]) / 1000
        self.angle = min(max(self.angle + turned * self.gain + self.slip / 100, -7000.0), 9000.0)

    def run(self, ms: int, **changes: Any) -> None:
        """Change what is given, then let `ms` pass without noise."""
        for name, value in changes.items():
            assert name in vars(self), name
            setattr(self, name, value)
        for _ in range(ms // TICK_MS):
            self.tick(lambda: 0)

    def ask_to_arm(self) -> None:
        """Send ARM to both."""
        self.arm = SESSION
        self.guard.arm(
            session_id=SESSION.session_id,
            config_hash=int(CONFIG["hash"]),
            cap_cdeg=SESSION.cap_cdeg,
            set_limit_s=SESSION.set_limit_s,
            travel_limit_s=SESSION.travel_limit_ms // 1000,
            hold_today_s=SESSION.used_today_s + SESSION.hold_s * SESSION.sets,
            speed_cdeg_s=SESSION.speed_cdeg_s,
            sets=SESSION.sets,
            strap_wait=SESSION.strap_wait,
            held_tilt=SESSION.held_tilt,
        )


@cache
def stages() -> dict[str, Stage]:
    """The moments from which episodes begin, in every phase of a session and above level."""
    found: dict[str, Stage] = {}
    world = World()
    world.run(2000)
    found["idle"] = world.stage()
    above = World.at(found["idle"])
    above.run(12_000, buttons=RAISE, velocity=150)
    found["raising"] = above.stage()
    above.run(3000, buttons=0, velocity=0)
    found["above"] = above.stage()
    world.run(1100)
    world.run(5100, left=Contacts.CLOSED, right=Contacts.CLOSED)
    for _ in range(2):
        world.run(1500, buttons=CONFIRM)
        world.run(500, buttons=0)
    world.run(500, patient_open=True)
    world.run(500, patient_open=False)
    found["proven"] = world.stage()
    world.ask_to_arm()
    world.run(TICK_MS)
    world.run(6000)
    assert world.decision.armed is SESSION and world.out.session_id == SESSION.session_id
    found["armed"] = world.stage()
    for depth in DEPTHS:
        down = World.at(found["armed"])
        down.run(TICK_MS, buttons=TILT, velocity=-200)
        while down.angle > depth / 2:
            down.run(TICK_MS)
        found[f"tilting to {depth}"] = down.stage()
        while down.angle > depth + 10:
            down.run(TICK_MS, velocity=-200 if down.angle > depth + 300 else -40)
        down.run(4000, velocity=0, buttons=0)
        found[f"holding at {depth}"] = down.stage()
        down.run(5000, velocity=200, plan_return=True)
        found[f"returning from {depth}"] = down.stage()
    for name, stage in found.items():
        assert not stage.fields["decision"].causes, (name, stage.fields["decision"].causes)
        assert not stage.guard.out.causes, (name, codes(stage.guard.out.causes))
    return found


# What goes wrong ----------------------------------------------------------------------------------------------------

Change = Callable[[World, random.Random], None]


def near(rng: random.Random, *limits: int, width: int = 2) -> int:
    """A value at one of some limits, or a little beside it."""
    return rng.choice(limits) + rng.randint(-width, width)


def slipping(world: World, rng: random.Random) -> None:
    """The table turns by itself, near a speed that is a limit."""
    world.slip = rng.choice((-1, 1)) * near(rng, 0, 20, 50, 55, 70, 145, 190, 400, 600, 1500, width=4)


def driven_otherwise(world: World, rng: random.Random) -> None:
    """The drive turns faster or slower than told, the other way, or not at all."""
    world.gain = rng.choice((0.0, 0.2, 0.24, 0.25, 0.26, 0.5, 1.2, 1.3, 1.35, 2.0, -1.0, -0.3, 1.0))


def reading_wrongly(world: World, rng: random.Random) -> None:
    """A sensor, or both, read something else from one moment to the next."""
    by = rng.choice((-1, 1)) * near(rng, 0, 100, 150, 200, 400, width=12)
    which = rng.randrange(3)
    world.shift_a = by if which != 1 else world.shift_a
    world.shift_b = by if which != 0 else world.shift_b


def reading_a_limit(world: World, rng: random.Random) -> None:
    """Both sensors agree on an angle near a limit."""
    word = near(rng, -6200, -4700, -4600, -4500, -500, -100, 0, 100, 7700, 8500, width=6)
    world.word_a = world.word_b = word


def losing_a_sensor(world: World, rng: random.Random) -> None:
    """A sensor, or both, read nothing, or what no sensor reads."""
    word = rng.choice((NO_ANGLE, near(rng, -7200, 9200, width=2)))
    which = rng.randrange(3)
    world.word_a = word if which != 1 else world.word_a
    world.word_b = word if which != 0 else world.word_b


def freezing(world: World, rng: random.Random) -> None:
    """A sensor, or both, stay as they read now."""
    which = rng.randrange(3)
    world.word_a = round(world.angle) if which != 1 else world.word_a
    world.word_b = round(world.angle) if which != 0 else world.word_b


def reading_right(world: World, _rng: random.Random) -> None:
    """Sensors, drive and table are as they should be again."""
    world.word_a = world.word_b = None
    world.shift_a = world.shift_b = 0
    world.gain, world.slip = 1.0, 0.0


def drawing_current(world: World, rng: random.Random) -> None:
    """The motor's current is near a limit, or nobody knows it."""
    world.current_known = rng.random() < 0.9
    world.current_ma = rng.choice((None, near(rng, 150, 7200, 11_400, 12_000, width=30)))


def blocked(world: World, rng: random.Random) -> None:
    """Something stands in the way."""
    world.gain, world.current_ma = 0.0, near(rng, 7200, 11_400, 12_500, width=40)


def fastening(world: World, rng: random.Random) -> None:
    """A strap opens, half opens, or closes."""
    contacts = rng.choice((Contacts.OPEN, Contacts.DISCREPANT, Contacts.CLOSED))
    if rng.random() < 0.5:
        world.left = contacts
    else:
        world.right = contacts


def touching(world: World, rng: random.Random) -> None:
    """Somebody presses something, or lets everything go."""
    keys = (TILT, RAISE, RETURN, STOP, ACK, TILT | RAISE, PLAN_UP | PLAN_DOWN, RETURN | TILT, 0, 0)
    world.buttons = rng.choice(keys)


def pulling(world: World, rng: random.Random) -> None:
    """The e-stop, the patient's button, the supply, the drive's fault line, or an end switch changes."""
    what = rng.randrange(6)
    on = rng.random() < 0.6
    if what == 0:
        world.estop = rng.choice((Contacts.OPEN, Contacts.DISCREPANT)) if on else Contacts.CLOSED
    elif what == 1:
        world.patient_open = on
    elif what == 2:
        world.mains = not on
    elif what == 3:
        world.battery = not on
    elif what == 4:
        world.drive_fault = on
    else:
        world.level_switch = None if not on else rng.random() < 0.5


def wishing(world: World, rng: random.Random) -> None:
    """The session wishes for another velocity."""
    world.velocity = rng.choice((0, 0, -200, -100, -50, -15, 50, 150, 200, -201, 201))
    world.plan_return = world.velocity > 0 and rng.random() < 0.5


CHANGES: Final[tuple[Change, ...]] = (
    slipping,
    slipping,
    driven_otherwise,
    driven_otherwise,
    reading_wrongly,
    reading_a_limit,
    losing_a_sensor,
    freezing,
    reading_right,
    drawing_current,
    blocked,
    fastening,
    fastening,
    touching,
    touching,
    pulling,
    pulling,
    wishing,
    wishing,
)
WAITS_MS: Final = (0, 10, 100, 150, 200, 250, 300, 500, 520, 1000, 1500, 2000, 3000, 5000)


# Where their words part ---------------------------------------------------------------------------------------------


class Difference(NamedTuple):
    """What the stricter judge says and the other does not; `stricter` is "host" or "guard".

    `what` is the worst hazard that it has found alone, "the same" where both have found the same, "deeper" where it
    alone stops a motion downward, "faster" where it alone slows a return down.
    """

    what: str
    stricter: str


class Parting(NamedTuple):
    """Where both parted in an episode, and everything that helps to see why."""

    difference: Difference
    stage: str
    seed: int
    t_ms: int
    story: str


class Comparison:
    """How long one has allowed what the other forbids; what lasts longer than an allowed lag is a parting."""

    def __init__(self, lags_ms: dict[str, int]) -> None:
        """Take how long each hazard may be told by one alone, `LAG_MS` where it is not named."""
        self._lags_ms = lags_ms
        self._apart_ms = 0
        self._moving_ms: dict[Difference, int] = {}

    def look(self, world: World) -> Difference | None:
        """Compare both after a tick."""
        host, guard, applied = int(world.decision.demand), world.out.demand, world.out.applied_cdeg_s
        if host == guard:
            self._apart_ms = 0
            if not applied and not world.decision.command.velocity_cdeg_s:
                if self._moving_ms:
                    self._moving_ms = {}
                return None
            return self._moving(world)
        self._moving_ms = {}
        self._apart_ms += TICK_MS
        if self._apart_ms <= LAG_MS:
            return None
        found = self._why(world)
        return found if self._apart_ms > self._lags_ms.get(found.what, LAG_MS) else None

    @staticmethod
    def _why(world: World) -> Difference:
        """Name the worst hazard that the stricter one alone has found."""
        causes = world.decision.causes
        host, guard = {cause.code for cause in causes}, codes(world.out.causes)
        if int(world.decision.demand) > world.out.demand:
            alone = [cause for cause in causes if cause.code not in guard]
            # A frozen sensor (H10) is a lost one (H08) as well.
            alone.sort(key=lambda cause: (-cause.demand, cause.code == "H08", cause.code))
            return Difference(alone[0].code if alone else "the same", "host")
        # The guard does not say which cause demands what; in this order those that cut come first.
        worst = ("H09", "H20", "H11", "H13", "H12", "H10", "H15", "H21", "H19", "H08")
        new = sorted(guard - host, key=lambda code: (worst.index(code) if code in worst else 99, code))
        return Difference(new[0] if new else "the same", "guard")

    def _moving(self, world: World) -> Difference | None:
        """Compare what moves, while both demand the same."""
        applied, command = world.out.applied_cdeg_s, world.decision.command.velocity_cdeg_s
        low = world.angle < 100
        apart = {
            Difference("deeper", "host"): low and applied < 0 <= command,
            Difference("deeper", "guard"): low and command < 0 <= applied,
            Difference("faster", "host"): low and 0 < command < applied - SLOWER_CDEG_S,
        }
        self._moving_ms = {what: self._moving_ms.get(what, 0) + TICK_MS for what, parted in apart.items() if parted}
        return next((what for what, ms in self._moving_ms.items() if ms > MOVING_LAG_MS), None)


def told(world: World) -> str:
    """Both judges' words, for a person."""
    host = "+".join(f"{cause.code}:{cause.demand.name}" for cause in world.decision.causes)
    demand = Demand(world.out.demand).name
    return (
        f"at {world.angle:.0f} cdeg, applied {world.out.applied_cdeg_s}: host {world.decision.demand.name} ({host}),"
        f" guard {demand} ({'+'.join(sorted(codes(world.out.causes)))})"
    )


def episode(name: str, seed: int, most: int, lags_ms: dict[str, int]) -> tuple[int, Parting | None]:
    """Go through one episode of at most so many ticks; return how many there were, and where both parted."""
    rng = random.Random(seed)
    world = World.at(stages()[name])
    comparison = Comparison(lags_ms)
    noises = [rng.randint(-NOISE_CDEG, NOISE_CDEG) for _ in range(257)]
    place = 0

    def noise() -> int:
        nonlocal place
        place = (place + 1) % 257
        return noises[place]

    story: list[str] = []
    wait = held_ms = 0
    for tick in range(most):
        if wait <= 0:
            change = rng.choice(CHANGES)
            change(world, rng)
            story.append(f"{tick * TICK_MS}: {change.__name__}")
            wait = rng.choice(WAITS_MS) // TICK_MS + rng.randint(-1, 1)
        wait -= 1
        world.tick(noise)
        difference = comparison.look(world)
        if difference is not None:
            return tick + 1, Parting(difference, name, seed, tick * TICK_MS, "; ".join([*story[-6:], told(world)]))
        # Once both hold or cut there is little left to part over.
        held_ms = held_ms + TICK_MS if world.out.demand >= Demand.HOLD else 0
        if held_ms >= HELD_MS:
            return tick + 1, None
    return most, None


def compare(
    ticks: int, seed: int, lags_ms: dict[str, int], enough: Callable[[list[Parting]], bool] = lambda _: False
) -> tuple[int, list[Parting]]:
    """Go through episodes until there were so many ticks; return their number, and every parting.

    `enough` is asked after each parting whether there is any need to go on.
    """
    names = sorted(stages())
    rng = random.Random(seed)
    done, episodes = 0, 0
    partings: list[Parting] = []
    while done < ticks:
        most = min(LONGEST_TICKS, ticks - done)
        count, parting = episode(rng.choice(names), rng.getrandbits(32), most, lags_ms)
        done += count
        episodes += 1
        if parting is not None:
            partings.append(parting)
            if enough(partings):
                break
    return episodes, partings
