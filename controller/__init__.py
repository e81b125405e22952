"""What runs a session: state machine, plan walker, motion profile, permits, control loop, recording, command line."""
