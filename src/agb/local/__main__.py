"""`python -m agb.local` is the command line `agb`."""

from agb.local.commands import main

main()
