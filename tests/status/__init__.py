"""`status` and `doctor`."""
