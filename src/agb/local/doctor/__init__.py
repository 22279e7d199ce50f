"""What `agb doctor` says of this machine, and the attacks by which it finds out."""
