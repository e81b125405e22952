"""The profile of one table: what it is, how far it may go, how it is reached and how a session on it runs."""

from collections.abc import Iterator
from typing import Literal, Self

from pydantic import Field, model_validator

from config import coherence
from config.commissioning import Commissioning
from config.device_limits import DeviceLimits
from config.gpio import Gpio
from config.limits import Limits
from config.plan import digest
from config.quantities import Contradiction, Model, refuse
from config.screening import Screening
from config.table import Battery, Brake, Drive, Geometry, Sensors, Switches
from config.words import Name, Sentence, Title

FORMAT = "inversion-table/profile@1"


class SessionRules(Model):
    """How a session on this table runs.

    With `held_tilt` a tilt runs only while TILT is held; without, one press starts it and presence keeps it. With
    `strap_wait` a strap that opens below −5° stops the table for at most 10 s before the slow return.
    `issuers` are those whose permits are accepted; `simulated` only where the program started the table itself.
    """

    held_tilt: bool = True
    strap_wait: bool = False
    issuers: tuple[Literal["clinic", "declared", "simulated"], ...] = Field(strict=False, min_length=1, max_length=3)


class Profile(Model):
    """One table, whole.

    `name` is what the profile is called by, `title` what people read. `table_id` names the table among others, `bridge`
    is the way to it: `in-process` is the simulated table in the program itself, `wire` the same in a process of its own
    behind a serial line, `serial` a table at a serial port, `gpio` one at the Pi's own pins. `port` names the serial
    port: `auto`, `usb:2341:0042`, a path or a URL; nothing else reads it.
    `manual_return_text` is told to the supervisor when no electric return is left. The tables `geometry`, `drive`,
    `brake`, `battery`, `sensors` and `switches` say what the table is, `limits` how far it may go, `session` how a
    session on it runs, `gpio` which pin does what where the bridge is `gpio`, and `commissioning` what was proven.
    """

    format: Literal["inversion-table/profile@1"]
    name: Name
    title: Title
    table_id: Name
    bridge: Literal["in-process", "wire", "serial", "gpio"]
    port: Title = "auto"
    manual_return_text: Sentence
    geometry: Geometry
    drive: Drive
    brake: Brake
    battery: Battery
    sensors: Sensors
    switches: Switches
    limits_table: DeviceLimits = Field(alias="limits", default=DeviceLimits())
    session: SessionRules
    gpio: Gpio | None = None
    commissioning: Commissioning | None = None

    @model_validator(mode="after")
    def _no_contradictions(self) -> Self:
        """Refuse values that are each allowed and together are not."""
        refuse(list(self._contradictions()))
        return self

    @property
    def hash(self) -> str:
        """Sixteen hexadecimal digits that change with any figure or word of the profile."""
        return digest(self)

    def limits(self) -> Limits:
        """Return the limits as the safety layer reads them, with the version of the shipped screening list."""
        # The list is read here and not above, because reading needs the models.
        from config.loading import load_screening

        screening: Screening = load_screening()
        table, drive = self.limits_table, self.drive
        # Relays know one speed, so no motion on such a table is faster, and none that ought to be is slower.
        relay_cdeg_s = None if self.gpio is None else self.gpio.drive.relay_cdeg_s
        fastest_cdeg_s = table.speed_cdeg_s if relay_cdeg_s is None else relay_cdeg_s
        return Limits(
            cap_cdeg=table.cap_cdeg,
            boarding_cdeg=self.geometry.boarding_cdeg,
            speed_cdeg_s=fastest_cdeg_s,
            degraded_cdeg_s=min(table.degraded_cdeg_s, fastest_cdeg_s),
            slow_cdeg_s=min(table.slow_cdeg_s, fastest_cdeg_s),
            above_cdeg_s=table.above_cdeg_s if relay_cdeg_s is None else relay_cdeg_s,
            first_degree_cdeg_s=table.first_degree_cdeg_s,
            set_limit_s=table.set_limit_s,
            hold_limit_s=table.hold_s,
            sets_limit=table.sets,
            hold_a_day_s=table.hold_a_day_s,
            rest_s=table.rest_s,
            lease_ms=table.lease_ms,
            backlash_cdeg=drive.backlash_cdeg,
            stall_ma=drive.stall_ma,
            idle_ma=drive.idle_ma,
            thermal_budget_ma2_s=drive.thermal_budget_a2_s * 1_000_000,
            thermal_leak_ma2=drive.continuous_ma**2,
            thermal_reserve_permille=drive.thermal_reserve_percent * 10,
            deceleration_cdeg_s2=table.deceleration_cdeg_s2,
            tone_ms=table.tone_ms,
            brake_ms=self.brake.set_ms,
            has_battery=self.battery.fitted,
            issuers=self.session.issuers,
            screening_version=screening.version,
            profile_hash=self.hash,
        )

    def _contradictions(self) -> Iterator[Contradiction]:
        """Yield values that are each allowed and together are not."""
        yield from coherence.angles(self.geometry, self.switches, self.limits_table)
        yield from coherence.speeds(self.drive, self.limits_table)
        yield from coherence.strength(self.drive, self.brake, self.battery)
        issuers = self.session.issuers
        if len(set(issuers)) != len(issuers):
            listed = ", ".join(issuers)
            yield Contradiction(("session.issuers",), listed, "each issuer once", "an issuer stands more than once")
        yield from self._pins()

    def _pins(self) -> Iterator[Contradiction]:
        """Yield what does not go with the Pi's own pins."""
        if (self.bridge == "gpio") != (self.gpio is not None):
            message = "is missing" if self.gpio is None else "belongs to a table on the Pi's own pins"
            bound = 'needed with bridge = "gpio", and only there'
            yield Contradiction(("gpio", "bridge"), "" if self.gpio is None else "a table", bound, message)
        if self.gpio is None:
            return
        yield from self.gpio.contradictions(self.limits_table, self.battery)
        if "simulated" in self.session.issuers:
            yield Contradiction(
                ("session.issuers", "bridge"),
                ", ".join(self.session.issuers),
                "clinic, declared: people lie on a table on the Pi's own pins",
                "simulated people vouch for nobody",
            )
