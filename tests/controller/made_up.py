"""Made-up sessions out of the real structs, so that recording, drawing and result are tested without a table."""

from collections.abc import Callable
from dataclasses import dataclass, field

from controller.recording import Recorder
from safety.signals import (
    TILT,
    Alarm,
    Arm,
    Cause,
    Command,
    Contacts,
    Decision,
    Demand,
    Issuer,
    Permit,
    Readings,
    Snapshot,
    State,
    Wish,
)

PERMIT = Permit("plan", "P-0001", 1, 2_000_000_000, 0, -2000, 60, None, None, Issuer.SIMULATED)
ARM = Arm(1, "plan", -2000, 60, 100, 1, 120, 200, 60_000, 0, PERMIT)
STRAP_OPEN = Cause("H04", Demand.RETURN, Alarm.HIGH, 2, 1, "contacts open")
PATIENT_ASKS = Cause("H22", Demand.RETURN, Alarm.MEDIUM, 1, 0, "pressed")


@dataclass
class Story:
    """A session told tick by tick; each call of `until` adds ticks that lead to an angle at a time."""

    tick_ms: int = 50
    t_ms: int = 0
    angle_cdeg: float = 0.0
    injected: str = ""
    recorder: Recorder = field(init=False)
    truth_known: bool = True

    def __post_init__(self) -> None:
        """Begin with an empty recording."""
        self._truth: tuple[float | None, float | None, str] = (None, None, "")
        self.recorder = Recorder(lambda: self._truth)

    def until(
        self,
        seconds: float,
        state: State,
        angle_deg: float | None = None,
        causes: tuple[Cause, ...] = (),
        armed: bool = True,
        strap: Contacts = Contacts.CLOSED,
        sensor_a: Callable[[int], int | None] | None = None,
    ) -> "Story":
        """Add ticks up to `seconds`, in `state`, moving evenly to `angle_deg`."""
        end_ms = round(seconds * 1000)
        ticks = max(1, (end_ms - self.t_ms) // self.tick_ms)
        step = 0.0 if angle_deg is None else (angle_deg * 100 - self.angle_cdeg) / ticks
        velocity = step * 1000 / self.tick_ms
        demand = max((cause.demand for cause in causes), default=Demand.ALLOW)
        alarm = max((cause.alarm for cause in causes), default=Alarm.NONE)
        while self.t_ms < end_ms:
            self.angle_cdeg += step
            now = round(self.angle_cdeg)
            noise = (self.t_ms * 7919) % 11 - 5
            readings = Readings(
                elapsed_ms=self.tick_ms,
                sequence=self.t_ms // self.tick_ms,
                angle_a_cdeg=now + noise if sensor_a is None else sensor_a(now),
                angle_b_cdeg=now - noise,
                applied_cdeg_s=round(velocity),
                strap_left=strap,
                strap_right=strap,
                estop=Contacts.CLOSED,
                buttons=TILT if state is State.TILTING else 0,
                patient_button=False,
                level_switch=now < -50,
                end_down=False,
                end_up=False,
                mains=True,
                battery=True,
                current_ma=800,
                drive_fault=False,
                brake_set=velocity == 0,
                drive_power=velocity != 0,
            )
            wish = Wish(velocity_cdeg_s=round(velocity), state=state, set_number=1, planned_cdeg=now)
            decision = Decision(
                command=Command(velocity_cdeg_s=round(velocity)),
                demand=demand,
                causes=causes,
                alarm=alarm,
                angle_cdeg=now,
                armed=ARM if armed else None,
            )
            if self.truth_known:
                self._truth = (self.angle_cdeg, velocity, self.injected)
            self.recorder.observe(Snapshot(self.t_ms // self.tick_ms, self.t_ms, readings, wish, decision))
            self.t_ms += self.tick_ms
        return self


def calm_visit(story: Story | None = None) -> Recorder:
    """A visit without trouble: 45 s of boarding, −20° for a minute, back, rest."""
    story = story or Story()
    story.until(20, State.IDLE, 0, armed=False).until(45, State.IDLE, armed=False).until(52, State.STRAPPED)
    story.until(64, State.TILTING, -20).until(124, State.HOLDING).until(135, State.RETURNING, -0.5)
    return story.until(255, State.RESTING).until(262, State.IDLE, armed=False).recorder


def strap_opens_visit(story: Story | None = None) -> Recorder:
    """A visit in which both straps open in the hold, at 69 s: slow return, rest, reset."""
    story = story or Story()
    story.until(45, State.IDLE, 0, armed=False).until(52, State.STRAPPED).until(64, State.TILTING, -20)
    story.until(69, State.HOLDING)
    story.injected = "strap-opens"
    story.until(69.05, State.HOLDING, causes=(STRAP_OPEN,), strap=Contacts.OPEN)
    story.until(91, State.EMERGENCY_RETURN, -0.5, (STRAP_OPEN,), strap=Contacts.OPEN)
    story.injected = ""
    story.until(150, State.RESTING, causes=(STRAP_OPEN,), strap=Contacts.OPEN)
    return story.until(160, State.IDLE, armed=False).recorder
