"""The terminal panel: one screen on the control process's socket, by Textual."""
