"""`python -m agb.local` is the command line `agb`."""

from .commands import main

main()
