"""What a table says of itself in the handshake, judged: does it fit this host, and was it reset meanwhile?"""

from typing import Final

from config.limits import LEVEL_BAND_CDEG
from firmware_bridge import protocol
from firmware_bridge.codec import HelloReply
from firmware_bridge.errors import BoardResetError, MismatchError, ResetByOpeningError

POWER_ON: Final = 1
# Between the system's opening of a port and our look at the clock.
SLACK_MS: Final = 50


def misfit(reply: HelloReply) -> MismatchError | None:
    """Return what of protocol and ceilings does not fit, every difference told, or None."""
    if reply.version != protocol.VERSION:
        return MismatchError(
            f"the table speaks version {reply.version} of the protocol, this program version {protocol.VERSION}: "
            "put firmware and program of one release together"
        )
    if len(reply.hard_limits) == len(protocol.HARD_LIMITS):
        differences = [
            f"{name} is {theirs} in the firmware and {ours} here"
            for (name, ours), theirs in zip(protocol.HARD_LIMITS, reply.hard_limits, strict=True)
            if theirs != ours
        ]
        if not differences:
            return None
    else:
        differences = [f"{len(reply.hard_limits)} ceilings in the firmware and {len(protocol.HARD_LIMITS)} here"]
    return MismatchError(
        f"the hard limits of firmware {firmware(reply)} are not this program's (H30): {'; '.join(differences)}: "
        "put firmware and program of one release together"
    )


def reset_by_opening(reply: HelloReply, open_ms: int, name: str) -> ResetByOpeningError | None:
    """Return the refusal of a table that booted after its port was opened, `open_ms` ago, or None.

    A table whose power came on meanwhile was not reset by the opening.
    """
    if reply.reset_cause == POWER_ON or reply.clock_ms > open_ms + SLACK_MS:
        return None
    return ResetByOpeningError(
        f"opening {name} reset the table's controller (H30: it booted {reply.clock_ms} ms ago, after "
        f"{cause(reply)}): cut its reset line from DTR, see docs/protocol.md, then start again; where it was "
        "switched on just now, wait 5 s and start again"
    )


def board_reset(reply: HelloReply, angle_cdeg: int | None) -> BoardResetError:
    """Return what a controller's reset in the middle of things means; `angle_cdeg` is the last known angle."""
    below = angle_cdeg is None or angle_cdeg < -LEVEL_BAND_CDEG
    code, then = (
        ("H19", "it holds the table: hold RETURN to bring the patient to level, then RESET")
        if below
        else ("H30", "nothing is armed any more: end the session and begin anew")
    )
    return BoardResetError(
        f"the table's controller was reset by {cause(reply)} ({code}, boot {reply.boot_count}): {then}"
    )


def other_constants(reply_hash: int, ours: int) -> MismatchError:
    """Return what it means that a table came back with other constants than this table's."""
    held = f"{reply_hash:08x}" if reply_hash else "none"
    return MismatchError(
        f"the controller holds other constants than this table's (H30: {held}, not {ours:08x}): end the session "
        "with the table at level, then start again, so that they are written anew"
    )


def firmware(reply: HelloReply) -> str:
    """Return the firmware's version as people write it."""
    return ".".join(map(str, reply.firmware))


def cause(reply: HelloReply) -> str:
    """Return what reset the board, in words."""
    known = reply.reset_cause < len(protocol.RESET_CAUSES)
    return protocol.RESET_CAUSES[reply.reset_cause if known else 0]
