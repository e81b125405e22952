"""The control process as a service: whole visits in virtual time, requests, restarts, records, and its own process."""
