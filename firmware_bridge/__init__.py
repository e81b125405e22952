"""The ways to a table: the seam that every bridge keeps, the serial link, and a simulated table's switches."""
