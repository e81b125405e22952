"""The simulated people as a process of their own."""
