"""H35: who may ask for what over the control process's local socket; nothing that is asked for there is a motion.

A stop and a return are for everybody who got as far as asking. Whatever else changes anything is for the user of the
control process and for root, and is judged on the picture that was before their eyes: a request on an old one, or one
that was recorded and sent again, is refused.
"""

from typing import Final

from safety.arming import refusal
from safety.signals import Cause

READS: Final = 0
BRINGS_BACK: Final = 1
CHANGES: Final = 2
STALE_MS: Final = 500
"""What was seen longer ago is no picture of the table any more; DESIGN §9."""
NEVER_SENT_MS: Final = 1_000_000
"""The age of a picture that this run of the control process never sent, or long forgot."""


def someone_else(asks: int, trusted: bool, picture_ms: int) -> Cause | None:
    """Return why a request is refused, None where it is not.

    `asks` is READS, BRINGS_BACK or CHANGES; `trusted` tells that the peer's user is the control process's own, or
    root; `picture_ms` is the age of the newest snapshot that the peer had seen.
    """
    if asks != CHANGES:
        return None
    if not trusted:
        return refusal("H35", 0, 1, "user of the control process")
    if not 0 <= picture_ms <= STALE_MS:
        return refusal("H35", picture_ms, STALE_MS, "ms, age of the picture")
    return None


def is_stale(picture_ms: int) -> bool:
    """Whether whoever asks has seen an old picture: a return is then announced by a longer tone."""
    return not 0 <= picture_ms <= STALE_MS
