"""The process that starts sandboxes: one thread, no environment, the parent of every bubblewrap.

It is a process of its own because `bwrap --die-with-parent` follows the *thread* that started it,
and because programs are best started as another user by a process that has nothing to leak. It
runs on the standard library alone, without the package around it. The server speaks to it over a
SOCK_SEQPACKET socket, one JSON message a packet:

    {"prepare": {"state", "binds": [[source, target]…], "users": [first, count] | null,
                 "seccomp", "groups": [path…], "watch": {"memory" | null, "disk", "inodes"}}}
        → {"prepared": null} or {"prepared": "why not"}
    {"open": number, "bwrap", "options", "command", "workspace", "volumes", "kept",
     "groups": [[path, [[file, value]…]]…]}, with the agent's socket
    {"close": number}
        → {"ended": number, "status", "errors"}

`ended` also comes when a sandbox ends by itself. By then all its processes are gone, and so are its
workspace and its volumes, unless they are to be kept. At the end of the stream the server has gone,
whatever became of it: all sandboxes are killed, and everything else is removed.
"""

MAX_PACKET = 1 << 17
