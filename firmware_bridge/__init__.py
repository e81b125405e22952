"""The ways to a table: the seam every bridge keeps (`bridge`), the serial link, and a simulated table's switches (`hands`)."""
