"""What may be configured and what is refused."""
