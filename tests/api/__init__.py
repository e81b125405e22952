"""The local socket: who is told what, what is asked, and what a client can and cannot do to the tick."""
