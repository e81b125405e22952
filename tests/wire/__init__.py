"""The table behind a wire: what any program sees that opens it as a serial port."""
