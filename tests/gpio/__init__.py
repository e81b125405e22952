"""The real GPIO bridge on the pins of a simulated table."""
