"""The recorder and its journal: what is kept, what is lost when something is killed, and what can be read again."""
