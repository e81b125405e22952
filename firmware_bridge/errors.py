"""What can be wrong with a serial link, each with what to do about it; the root and exit codes are `config.errors`.

DeviceMissingError (OSError)                      exit 5
├── PortMissingError                              nothing is there, or it is no serial port
├── PortDeniedError (PermissionError)             this user may not open it
├── PortBusyError                                 another program has it
├── NoAnswerError (TimeoutError)                  it is open, and nobody there speaks the protocol
├── LinkLostError (ConnectionError)               it was open and is gone: a yanked cable
├── SilentLinkError (TimeoutError)                it is open, and frames stopped coming
└── GarbledLinkError                              it is open, and what comes is no frames
RefusedError (RuntimeError)                       exit 4
├── MismatchError                                 the table's protocol, limits or constants are not ours
├── ResetByOpeningError                           opening the port reset the board: H30
└── BoardResetError                               the board was reset while the link was up: H19, H30
UsageError (ValueError)                           exit 2
└── WrongPortError                                a port written so that it cannot be one, or that names several
"""

from config.errors import DeviceMissingError, RefusedError, UsageError


class WrongPortError(UsageError):
    """A port written so that it cannot be one, or a USB id that several devices have."""


class PortMissingError(DeviceMissingError):
    """Nothing is there, or what is there is no serial port."""


class PortDeniedError(DeviceMissingError, PermissionError):
    """This user may not open the port."""


class PortBusyError(DeviceMissingError):
    """Another program has the port."""


class NoAnswerError(DeviceMissingError, TimeoutError):
    """The port is open, and nobody there speaks the protocol."""


class LinkLostError(DeviceMissingError, ConnectionError):
    """The port was open and is gone."""


class SilentLinkError(DeviceMissingError, TimeoutError):
    """The port is open, and nothing comes any more."""


class GarbledLinkError(DeviceMissingError):
    """The port is open, and what comes is no frames."""


class MismatchError(RefusedError):
    """The table's protocol, limits or constants are not ours; every difference is told."""


class ResetByOpeningError(RefusedError):
    """Opening the port reset the board (H30)."""


class BoardResetError(RefusedError):
    """The board was reset while the link was up (H19 where it is below level, else H30)."""


LinkError = DeviceMissingError | RefusedError
