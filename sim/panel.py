"""Panel, straps, emergency stop and hand crank of the simulated table, as hands work them."""

import random
from collections.abc import Callable

from config.errors import UnknownNameError, UsageError
from firmware_bridge.hands import Hands
from safety.signals import BUTTONS, Contacts
from sim.clock import VirtualClock
from sim.contacts import Contact, Pair
from sim.hooks import PanelHooks, SensorHooks
from sim.plant import Plant

PATIENT = "PATIENT"


def dark() -> tuple[int, int]:
    """Return what a panel shows and sounds that nobody works: nothing."""
    return 0, 0


class Panel(Hands):
    """Everything that a person in the room can touch.

    Args:
        clock: when an edge happens.
        plant: what the e-stop's chain and the crank act on.
        sensor_hooks: where contacts of straps and e-stop are forced.
        rng: how contacts bounce.

    Attributes:
        hooks: what can be made to go wrong with the buttons.
        buttons: bits of the panel buttons as they read now; `patient_open`: the patient's circuit reads open.
        strap_left, strap_right, estop_contacts: what the contact pairs read now.
        chain_open: either contact of the e-stop opens the wired chain.
        moving: some contact has not settled yet.
        injector: carries out `inject`; whoever knows the faults puts it here.
        lights: says which lamps are lit now and what the buzzer sounds; whoever works them puts it here.
    """

    def __init__(self, clock: VirtualClock, plant: Plant, sensor_hooks: SensorHooks, rng: random.Random) -> None:
        self._clock = clock
        self._plant = plant
        self._sensor_hooks = sensor_hooks
        self.hooks = PanelHooks()
        self._buttons = {name: Contact(rng, closed=False) for name in BUTTONS}
        # The patient's own: two normally closed contacts in series, so its circuit is closed until it is pressed.
        self._patient = Contact(rng, closed=True)
        self._straps = {"left": Pair(rng, closed=False), "right": Pair(rng, closed=False)}
        self._estop = Pair(rng, closed=True)
        self.moving = True
        self.buttons = 0
        self.patient_open = False
        self.strap_left = self.strap_right = Contacts.OPEN
        self.estop_contacts = Contacts.CLOSED
        self.chain_open = False
        self.injector: Callable[[str], None] | None = None
        self.lights: Callable[[], tuple[int, int]] = dark

    @property
    def lamps(self) -> int:
        """The lamps that a person in the room sees lit now, bits as in `safety.signals`."""
        return self.lights()[0]

    @property
    def buzzer_hz(self) -> int:
        """The pitch that a person in the room hears now, 0 where it is silent."""
        return self.lights()[1]

    def press(self, button: str) -> None:
        """Hold a button down until it is released; pressing a held button changes nothing.

        Raises:
            UnknownNameError: there is no such button.
        """
        self._move_button(button, held=True)

    def release(self, button: str) -> None:
        """Let go of a button.

        Raises:
            UnknownNameError: there is no such button.
        """
        self._move_button(button, held=False)

    def strap(self, side: str, closed: bool) -> None:
        """Close or open the strap of one side, `left` or `right`.

        Raises:
            UnknownNameError: there is no such side.
        """
        if side not in self._straps:
            raise UnknownNameError("strap", side, self._straps)
        if self.hooks.deserted:
            return
        self._straps[side].move(closed, self._clock.ms)
        self.moving = True

    def estop(self, pressed: bool) -> None:
        """Press or pull the emergency stop."""
        if self.hooks.deserted and not pressed:
            return
        self._estop.move(not pressed, self._clock.ms)
        self.moving = True
        # The chain is a wire: it does not wait for the next frame.
        self.chain_open = self._estop.open_now
        self._plant.wire(self.chain_open, self._plant.end_down, self._plant.end_up)

    def crank(self, turning: bool) -> None:
        """Work the manual return, or leave it."""
        self._plant.crank(turning and not self.hooks.deserted)

    def inject(self, fault: str) -> None:
        """Provoke a fault, written as on the command line, from now on.

        Raises:
            UsageError: this table was built without faults.
        """
        if self.injector is None:
            raise UsageError("this table was built without faults")
        self.injector(fault)

    def held(self) -> frozenset[str]:
        """Return the names of all buttons that hands hold now, whatever their contacts read."""
        names = {name for name, contact in self._buttons.items() if contact.final}
        return frozenset(names | ({PATIENT} if not self._patient.final else set()))

    def pair(self, name: str) -> Pair:
        """Return the two contacts of a switch: of the strap `left` or `right`, or of the `estop`."""
        return self._estop if name == "estop" else self._straps[name]

    def strapped(self, side: str) -> bool:
        """Return whether hands have closed the strap of a side."""
        return self._straps[side].first.final

    def settle(self) -> None:
        """Let every edge up to now happen; needed before a frame while `moving`, or when a hook was touched."""
        now_ms, hooks, forced = self._clock.ms, self.hooks, self._sensor_hooks
        hooks.touched = False
        left, right, estop = self._straps["left"], self._straps["right"], self._estop
        left.force(*forced.strap_left)
        right.force(*forced.strap_right)
        estop.force(*forced.estop)
        self.strap_left, self.strap_right = left.settle(now_ms), right.settle(now_ms)
        self.estop_contacts = estop.settle(now_ms)
        buttons = sum(BUTTONS[name] for name, contact in self._buttons.items() if contact.settle(now_ms))
        if hooks.deserted:
            buttons = 0
        self.buttons = (buttons & ~hooks.stuck_open) | hooks.stuck_held
        self.patient_open = not self._patient.settle(now_ms)
        if hooks.patient_circuit is not None:
            self.patient_open = hooks.patient_circuit == "open"
        self.chain_open = estop.open_now
        self.moving = (
            left.pending
            or right.pending
            or estop.pending
            or self._patient.pending
            or any(contact.pending for contact in self._buttons.values())
        )

    def _move_button(self, button: str, held: bool) -> None:
        if button == PATIENT:
            contact, closed = self._patient, not held
        elif button in self._buttons:
            contact, closed = self._buttons[button], held
        else:
            raise UnknownNameError("button", button, [*BUTTONS, PATIENT])
        if contact.final != closed:
            contact.move(closed, self._clock.ms)
            self.moving = True
