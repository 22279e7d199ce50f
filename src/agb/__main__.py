"""The command `agb`, also as `python -m agb`; it works only with the extra `agb[local]`."""

from __future__ import annotations

import sys

EXTRA = {"typer", "starlette", "uvicorn", "IPython"}


def main() -> None:
    """Run the command line, or say how to install it."""
    try:
        from agb.local.commands import main as run

        run()
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] not in EXTRA:
            raise
        sys.stderr.write("The command line needs: pip install 'agb[local]'\n")
        raise SystemExit(2) from None


if __name__ == "__main__":
    main()
