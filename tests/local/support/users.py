"""Programs that run as an ordinary user, started by root."""

from __future__ import annotations

import sys
from pathlib import Path

ORDINARY_USER = 12345
AS_ORDINARY_USER = (
    sys.executable,
    str(Path(__file__).with_name("ordinary_user.py")),
    str(ORDINARY_USER),
)
"""Before the command line of a program."""
