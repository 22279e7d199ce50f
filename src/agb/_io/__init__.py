"""What touches machine and wire and has no colour; it imports nothing of `agb` but the core."""
