"""Tests of the firmware's C on this machine: the guard, the frames, the link."""
