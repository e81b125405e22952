"""The ways to a table: the protocol every bridge keeps (`bridge`), and the switches of a simulated one (`hands`)."""
