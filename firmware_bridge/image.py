"""The microcontroller's image as it is shipped: Intel's HEX format, checked record by record."""

from pathlib import Path
from typing import Final

from config.errors import DeviceMissingError

IMAGE: Final = Path(__file__).resolve().parent / "firmware" / "guard-mega.hex"
# Flash of an ATmega2560 without the 8 kB of the boot loader.
MOST_BYTES: Final = 262_144 - 8_192
_DATA, _END, _SEGMENT, _LINEAR = 0, 1, 2, 4


def read_image(path: Path = IMAGE) -> bytes:
    """Return what a file in Intel's HEX format puts into the flash, from address 0 on.

    Raises:
        DeviceMissingError: there is no such file, it is damaged, or it does not fit.
    """
    image = bytearray()
    base, ended = 0, False
    try:
        lines = path.read_text(encoding="ascii").split()
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or "it is not text"
        raise DeviceMissingError(f"{path} cannot be read ({why}): install the package anew") from error
    for number, line in enumerate(lines, 1):
        try:
            record = bytes.fromhex(line[1:])
            sound = line[0] == ":" and len(record) == record[0] + 5 and not sum(record) & 0xFF and not ended
        except (ValueError, IndexError):
            sound = False
        if not sound:
            raise DeviceMissingError(f"{path.name}, line {number}: damaged; install the package anew")
        address, kind, data = int.from_bytes(record[1:3], "big"), record[3], record[4:-1]
        if kind == _DATA:
            end = base + address + len(data)
            if end > MOST_BYTES:
                raise DeviceMissingError(f"{path.name}, line {number}: beyond the flash of an ATmega2560")
            image.extend(b"\xff" * (end - len(image)))
            image[base + address : end] = data
        elif kind in (_SEGMENT, _LINEAR):
            base = int.from_bytes(data, "big") << (4 if kind == _SEGMENT else 16)
        ended = kind == _END
    if not ended:
        raise DeviceMissingError(f"{path.name} is cut off: install the package anew")
    return bytes(image)
