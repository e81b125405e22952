"""The terminal panel: what it shows, what its keys and its mouse do, and how it starts and ends everything."""
