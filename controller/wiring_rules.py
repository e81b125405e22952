"""What has to be in hardware whatever the program does, and what to measure before anybody lies on the table.

Figures come from the profile: whoever changes it gets another page.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from config.limits import LONGEST_RELAY_DROP_MS
from config.quantities import deg
from controller.wiring import Wiring

# What a contact between its resistor and ground may read, as parts of the supply: the chips take less than 0.3 of it
# for low and more than 0.6 (ATmega2560) or 0.8 (MCP23S17) for high.
PI_VOLTS, MEGA_VOLTS = 3.3, 5.0
LOW_PART, HIGH_PART = 0.1, 0.9
# Inverted, as the hazard page has it; a return ends at −0.5°, where no alarm may be left behind.
HUNG_ALARM_CDEG = -500


@dataclass(frozen=True, slots=True)
class Rule:
    """One thing that has to be so; `name` is for programs, `title` and `text` for people."""

    name: str
    title: str
    text: str


@dataclass(frozen=True, slots=True)
class Check:
    """One measurement: what to do, and what must be seen."""

    do: str
    see: str


def rules_of(wiring: Wiring) -> tuple[Rule, ...]:
    """Return what has to be in hardware."""
    return tuple(_rules(wiring))


def checks_of(wiring: Wiring) -> tuple[Check, ...]:
    """Return what to measure, in this order."""
    return tuple(_checks(wiring))


def moving(wiring: Wiring) -> tuple[str, ...]:
    """Return the wires that move the table or let it go, as far as this one has them."""
    names = "drive_enable drive_pwm drive_down drive_up drive_direction relay_down relay_up brake_release".split()
    return tuple(name for name in names if wiring.has(name))


def _rules(wiring: Wiring) -> Iterator[Rule]:
    profile = wiring.profile
    pulse = " behind the safety relay" if wiring.has("safety_relay") else ""
    yield Rule(
        "estop",
        "The e-stop cuts the drive's power by wire",
        "The e-stop has four normally closed, positively opening contacts. Two of them are the two channels of an "
        "e-stop relay (forcibly guided contacts, both channels watched), whose contacts stand in the supply of the "
        f"drive and of the brake's coil{pulse}, and of nothing else. The other two only tell the board. The relay "
        "closes by itself when the e-stop is released: nothing moves then, since the program waits for ACK.",
    )
    yield _end_switches(wiring)
    yield Rule(
        "brake",
        "The brake is applied by a spring and needs power to open",
        f"Without power it grips within {profile.brake.set_ms} ms and holds {profile.brake.hold_nm} Nm at the table, "
        f"on the {profile.brake.side}'s side of the gear. Its coil is fed from behind the e-stop's relay. Across "
        "the coil goes a varistor or a Zener diode; with a plain diode the current dies slowly and it grips late.",
    )
    yield Rule(
        "manual-return",
        "There is a way back to level that needs no power",
        f"It opens the brake and turns the table, by hand, by one person, from any angle. The alarm tells it as: "
        f"“{profile.manual_return_text}”",
    )
    pulls = ", ".join(f"{name} ({wiring.row(name).pin})" for name in moving(wiring))
    floats = "Each pin floats from reset until the program runs"
    floats += ", and the boot loader waits a second first" if wiring.board == "mega-2560" else ""
    yield Rule(
        "pull-downs",
        "Through a reset everything that moves is held low by resistors",
        f"{floats}. {pulls}: each has 10 kΩ to ground at the drive's or the brake driver's end, "
        "so that a cable that is pulled out does the same. Low means: no voltage on the motor, drive off, brake set.",
    )
    yield from _of_the_board(wiring)
    yield Rule(
        "supply",
        "The supply is one that people may lie on",
        "A low-voltage supply with reinforced insulation from the mains, protective earth on every metal part of the "
        f"frame, one fuse of {wiring.fuse_a:g} A in the drive's supply (its current limit is "
        f"{profile.drive.stall_ma / 1000:g} A), wires of {wiring.copper_mm2} mm² from there to the motor. "
        + (
            f"The battery ({profile.battery.capacity_mah / 1000:g} Ah) joins behind the mains supply through a diode "
            "or an ideal-diode switch, with a fuse of its own at its pole."
            if profile.battery.fitted
            else "There is no battery: when the mains go, the brake holds and the manual return is the way back."
        ),
    )
    yield Rule(
        "cables",
        "Signals keep away from the motor",
        "Motor and brake cables run apart from all others, the motor's are twisted and screened. All grounds of "
        "signals meet at one point, the board's. Each input has 1 kΩ in series and 10 nF to ground at the board, the "
        "e-stop's 1 nF. Plugs cannot be swapped: different sizes or coding pins.",
    )


def _end_switches(wiring: Wiring) -> Rule:
    switches = wiring.profile.switches
    down, up = shown(switches.end_down_cdeg), shown(switches.end_up_cdeg)
    stall_a = wiring.profile.drive.stall_ma / 1000
    if wiring.has("drive_down"):
        how = (
            "The first carries drive_down, of the lower, or drive_up, of the upper, on its way to the drive. Where it "
            "opens, the resistor at the drive pulls that leg low, and the other way stays free. The drive is two "
            "half-bridges with one enable, and each leg is on only while its direction AND the PWM are high (one "
            "74HC08 in front of it): with both directions low the motor is shorted."
        )
    elif wiring.drive == "two-relay":
        how = (
            "The first is in the coil circuit of relay_down, of the lower, or of relay_up, of the upper. Where it "
            "opens, that relay drops and the other way stays free. At rest both relays lay their motor lead to ground, "
            "so that the motor is shorted."
        )
    else:
        how = (
            f"The first is in a motor lead and bears {stall_a:g} A of direct current, with a diode across it that lets "
            "only the current of the way back through: of the lower, the current that turns the head up; of the upper, "
            "the one that turns it down. The H-bridge shorts the motor while PWM is low."
        )
    return Rule(
        "end-switches",
        "Both end switches block the outward way by wire",
        f"The lower one opens at {down}, the upper one at {up}, before the frame's hard stops. Each has two normally "
        f"closed, positively opening contacts. {how} The second contact tells the board.",
    )


def _of_the_board(wiring: Wiring) -> Iterator[Rule]:
    """Yield what only one board asks for."""
    if wiring.board == "mega-2560":
        yield Rule(
            "reset",
            "Opening the port does not reset the board",
            "A Mega resets whenever a program opens its port, in the middle of a session too. Cut the trace RESET-EN "
            "beside the USB plug, or put 10 µF between RESET and GND (take it out to load a program). A board that was "
            "reset is noticed and not armed (H30); below level it only holds (H19).",
        )
        yield Rule(
            "watchdog",
            "The board watches itself",
            "Nothing outside is needed when its program hangs: its watchdog resets it within 60 ms, and the resistors "
            "above do the rest. Feed it 7 … 12 V at its round plug, by a converter behind mains and battery, not by "
            "USB alone: it must go on when the computer is off. Its 5 V feed the sensors and the contacts' resistors.",
        )
        return
    drive = wiring.profile.drive
    relay = wiring.row("safety_relay")
    yield Rule(
        "safety-relay",
        "A safety relay drops drive and brake when the program hangs",
        f"A hung Pi keeps its last duty for ever. So a retriggerable safety relay (or a monostable that drives two "
        f"relays in series) is fed by the edges of {relay.port}, header pin {relay.pin}, through a capacitor, so that "
        f"a level alone, high or low, keeps nothing. At most {LONGEST_RELAY_DROP_MS} ms after the last edge its "
        "contacts open the supply of the drive and of the brake's coil, in series with the e-stop's. Measure it ten "
        "times; the worst is commissioning.relay_drop_ms.",
    )
    yield Rule(
        "hung-alarm",
        "The safety relay tells people that nobody controls the table",
        "When the program hangs, lamps and buzzer stay as they were, which may be dark and silent. So a rest contact "
        "of the safety relay, in series with a cam's contact that is closed deeper than about "
        f"{shown(HUNG_ALARM_CDEG)} (not the level switch's: at level it may say either), feeds a buzzer that beeps by "
        "itself and a red lamp, from the supply in front of the safety chain. They are on whenever the table is that "
        "deep and no program drives it, and off near level and above. The way back is then the manual one: the panel "
        "does nothing.",
    )
    held = "" if drive.self_locking else " This profile says drive.self_locking = false: nobody is armed on it."
    yield Rule(
        "self-locking",
        "The drive holds the load by itself",
        f"Unpowered and with its brake open it must stand still under {drive.rated_load_kg} kg, "
        f"{drive.rated_offset_mm} mm from the pivot: a worm or a spindle, not a chain. There is no second judge on a "
        f"Pi, and no return when it hangs: brake, tone, and the manual return.{held}",
    )
    yield Rule(
        "three-volts",
        "Nothing gives a pin more than 3.3 V",
        "Sensors, converter and expanders run on the header's 3.3 V (pins 1 and 17); its grounds are 6, 9, 14, 20, 25, "
        "30, 34 and 39. The converter has VDD (16) and VREF (15) at 3.3 V, AGND (14) and DGND (9) at ground; the "
        "expanders VDD (9) and RESET (18) at 3.3 V, VSS (10) at ground; 100 nF at each. A 5 V sensor needs a divider, "
        "and a supply or drive that reports at a higher voltage an optocoupler. The Pi itself is fed from behind mains "
        "and battery.",
    )


def shown(cdeg: int) -> str:
    """Return an angle as people read it: `−65°`, `+88°`."""
    sign = "−" if cdeg < 0 else "+"
    return f"{sign}{deg(abs(cdeg))}°"


def _checks(wiring: Wiring) -> Iterator[Check]:
    mega = wiring.board == "mega-2560"
    volts = MEGA_VOLTS if mega else PI_VOLTS
    low, high = f"{volts * LOW_PART:.1f} V", f"{volts * HIGH_PART:.1f} V"
    yield Check(
        "No power, nobody on the table. Turn it by the manual return through its whole way.",
        "It reaches both hard stops, no cable is pulled or pinched, and one person can do it.",
    )
    yield Check(
        f"Board unplugged, ohmmeter at the drive's end: {', '.join(moving(wiring))}, each to ground.",
        "9.5 … 10.5 kΩ, each.",
    )
    yield Check(
        "Ohmmeter on the e-stop's four contacts, one by one: released, pressed; then on the patient's button.",
        "Under 1 Ω released, open pressed: all four, and both of the patient's.",
    )
    yield Check(
        "Ohmmeter on both contacts of each end switch and of each buckle, by hand; on the level switch.",
        "End switches open when pressed, buckles close with the tongue in, the level switch opens below level.",
    )
    yield Check(
        "Motor unplugged, power on, board still unplugged.",
        "0 V on the motor's and on the brake's terminals; the brake holds.",
    )
    between = " with the safety relay bridged for this once," if wiring.has("safety_relay") else ""
    yield Check(
        f"Voltmeter behind the e-stop's relay,{between} press the e-stop; release it.",
        "The supply goes to 0 V at once and comes back; so does the one of the brake's coil.",
    )
    yield Check(
        "Power off. Plug in the board, feed it alone, voltmeter at each contact's pin: closed, open, plug out.",
        f"Under {low} closed, over {high} open, and the same over {high} with the plug out.",
    )
    yield _analogue(wiring, volts)
    yield Check(
        f"Hold the board in reset{'' if mega else ' or let the Pi boot'}: voltmeter at {', '.join(moving(wiring))}.",
        "Under 0.5 V, each, all the time.",
    )
    if mega:
        yield Check(
            "Open the port twice from the computer, with any terminal program, and watch the lamp on the board.",
            "It does not flash: the board was not reset.",
        )
    else:
        yield Check(
            "Start the program, put an oscilloscope on the safety relay's pulse and its output, kill the program.",
            f"Drive and brake lose their power within {LONGEST_RELAY_DROP_MS} ms of the last edge, ten times of ten.",
        )
        yield Check(
            "The same with the table turned by hand to −10°; then turn it back to level.",
            "Buzzer and red lamp of the safety relay go on when it drops, and off on the way back.",
        )
    yield Check(
        "A lamp for the drive's voltage in the motor's place, table by hand to +20°, power on: hold TILT and press the "
        "lower end switch by hand; hold RAISE and press the upper one. An alarm soon ends each, since nothing turns.",
        "The lamp goes out when the switch is pressed; the other way still lights it.",
    )
    yield Check(
        "Motor in place, nobody on the table, a hand on the e-stop, table at +20°: hold TILT, let go; RAISE, let go.",
        "TILT turns the head down, by 0.5°/s for the first degree, RAISE up; letting go stops it. If TILT turns it up, "
        "swap the motor's two wires, not the sensors'.",
    )


def _analogue(wiring: Wiring, volts: float) -> Check:
    one, other = wiring.row("angle_a").pin, wiring.row("angle_b").pin
    a, b = (one, other) if wiring.board == "mega-2560" else (f"converter {one}", f"converter {other}")
    return Check(
        f"Voltmeter at angle_a ({a}) and angle_b ({b}): turn the table by hand; then unplug one at a time.",
        f"{volts * 0.05:.2f} … {volts * 0.95:.2f} V; A rises and B falls as the head comes up; under 0.05 V unplugged.",
    )
