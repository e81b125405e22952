"""The microcontroller's own program, run as machine code: the image of the firmware in simavr, on the plant's pins.

Built on this machine when somebody asks for it, and only then: `glue.c`, which is linked with simavr, is under the
GPL-3.0-or-later; nothing else of the project loads it.
"""
