"""The judge: every check at the edge of its limit, what latches, what moves, and the hazard table against the code."""
