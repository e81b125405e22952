"""The microcontroller's own program, as machine code on the simulated table."""
