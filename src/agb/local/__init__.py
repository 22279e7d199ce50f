"""The embedded sandbox server: really executes code, each session in its own bubblewrap sandbox.

The client starts it by itself where the endpoint is `local`; `agb serve` runs it standing. It and
the client import nothing of each other, but for `stop` below and the command line in
`agb.__main__`: they agree through the wire protocol alone.
"""

__all__ = ["stop"]


def stop() -> None:
    """End the embedded server of this process, with all its sessions.

    A program rarely needs it: the server ends with the program. The next `create` starts a new one.

    Example:
        >>> from agb import local
        >>> local.stop()
    """
    # The one import upwards: this function is a name of the client, offered under this path.
    from agb._io import embedded

    embedded.stop()
