"""The queue daemon: schedule, claim, supervise; and the way to command it."""
