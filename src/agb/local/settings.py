"""Every limit and path of the embedded server, in one place."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from attrs import asdict, evolve, field, frozen
from attrs.validators import ge, gt, in_, instance_of, lt, optional

from .variables import GIB, KIB, MIB, given

if TYPE_CHECKING:
    from collections.abc import Mapping


def _positive(default: int) -> int:
    """Declare a limit that has to be a number above zero."""
    return field(default=default, validator=[instance_of(int), gt(0)])


def _seconds(default: float) -> float:
    """Declare a time in seconds, above zero."""
    return field(default=default, converter=float, validator=gt(0.0))


@frozen(kw_only=True)
class InsideSettings:
    """The limits an agent is told at its start; sizes in bytes, times in seconds.

    They are enforced inside the sandbox. What protects the server is checked again outside.
    """

    max_frame_bytes: int = _positive(64 * MIB)
    """Longest message between server and agent, in either direction."""

    max_events_ahead: int = _positive(8)
    """Events of one request that the agent may send before the server has passed on the first. One
    has 64 KiB of output at most, or one rich result."""

    max_output_bytes: int = _positive(4 * MIB)
    """Kept of each output stream of one command or cell; the rest is read and thrown away."""

    max_result_bytes: int = _positive(16 * MIB)
    """Rich results (tables, figures) of one cell, all together."""

    max_read_bytes: int = _positive(16 * MIB)
    """Read from files by one call; larger files are read in ranges."""

    max_matches: int = _positive(20_000)
    """Entries of one listing or search, and files watched below one path."""

    max_watched_paths: int = _positive(64)
    """Paths whose last state `get_file_change` remembers; the oldest is forgotten first."""

    max_process_output_bytes: int = _positive(2 * MIB)
    """Kept of what a started process wrote, both streams together; the oldest makes room."""

    max_started_processes: int = _positive(64)
    """Started processes of one session that run at the same time."""

    max_ended_processes: int = _positive(32)
    """Started processes that have ended and can still be asked for."""

    reader_grace_s: float = _seconds(5)
    """A process whose output has no more room waits for a reader that came at most so long ago."""

    interrupt_grace_s: float = _seconds(0.8)
    """Between interrupting a cell and killing its process."""

    kernel_start_s: float = _seconds(20)
    """A language's process that is not ready by then has failed; a busy disk makes imports slow."""

    max_processes: int = _positive(512)
    """Processes and threads of one session (RLIMIT_NPROC). Node.js alone has a dozen threads."""

    max_open_files: int = _positive(4096)
    """RLIMIT_NOFILE of each process."""

    max_file_bytes: int = _positive(2 * GIB)
    """RLIMIT_FSIZE: the largest single file."""

    max_data_bytes: int = _positive(4 * GIB)
    """RLIMIT_DATA of each process, and never more than 7/8 of `max_memory_bytes`: one process alone
    is refused memory (MemoryError) before its session is over its limit and something is killed.
    No RLIMIT_AS: Node.js reserves far more than it ever uses."""


@frozen(kw_only=True)
class Settings:
    """The limits and paths of one embedded server; sizes in bytes, times in seconds."""

    # ---- HTTP ------------------------------------------------------------------------------------
    max_request_bytes: int = _positive(32 * MIB)
    """Longest request body."""

    max_request_head_bytes: int = _positive(256 * KIB)
    """Longest request line with all its headers; labels travel in the query."""

    keep_alive_s: float = _seconds(75)
    """An idle connection is closed after that. Longer than clients keep one (httpx: 5 s), because
    a request that meets a connection just being closed is lost."""

    drain_s: float = _seconds(5)
    """A standing server that is told to stop waits so long for the calls in flight; what still runs
    then is ended and answered."""

    shutdown_grace_s: float = _seconds(3)
    """Connections still open this long after that are cut off."""

    log_max_bytes: int = _positive(1 * MIB)
    """A log file is not let grow beyond that."""

    # ---- sessions --------------------------------------------------------------------------------
    max_sessions: int = _positive(256)
    """Sessions alive at the same time."""

    max_life_s: float = field(default=7 * 24 * 3600.0, converter=float, validator=ge(0.0))
    """A session ends so long after its creation, whatever it does; 0 lets it live on."""

    calls_per_session: int = _positive(64)
    """Tool calls of one session in flight; further ones wait their turn."""

    waiting_calls_per_session: int = _positive(64)
    """Beside them, calls of one session that wait for output, and as many that wait for input to be
    taken or for an end; each keeps a thread in the sandbox. Further ones wait their turn."""

    max_links_per_session: int = _positive(16)
    """Ports of one session that have a link."""

    max_connections_per_link: int = _positive(128)
    """Connections that one link has open; a further one is broken off."""

    default_page_size: int = _positive(10)
    """Sessions on a page of a list that does not say how many it wants."""

    max_page_size: int = _positive(1000)
    """Sessions on the longest page of a list."""

    max_labels: int = _positive(100)
    """Labels of one session."""

    # ---- contexts --------------------------------------------------------------------------------
    max_context_bytes: int = _positive(8 * GIB)
    """The files of one context that one transfer carries, all together; also one uploaded file."""

    contexts_directory: str | None = field(default=None, validator=optional(instance_of(str)))
    """Where contexts live; None is a directory that ends with the server."""

    # ---- tools -----------------------------------------------------------------------------------
    default_code_timeout_s: float = _seconds(60)
    """`run_code` without `timeout_s`."""

    default_command_timeout_ms: int = _positive(1000)
    """`shell` without `timeout_ms`."""

    max_tool_timeout_s: int = _positive(24 * 3600)
    """The longest limit a caller may give a command or a cell."""

    max_wait_s: float = _seconds(60)
    """The longest time one call may wait for something to happen; whoever waits longer asks again.
    Connections that are silent for longer are often cut."""

    file_timeout_s: float = _seconds(60)
    """A file operation that has not answered by then is cancelled."""

    reply_margin_s: float = _seconds(10)
    """Given to the agent on top of an operation's own limit, to end it and to answer."""

    # ---- sandboxes -------------------------------------------------------------------------------
    spare_sandboxes: int = field(default=2, validator=[instance_of(int), ge(0)])
    """Sandboxes made in reserve, with their Python started, so that a session begins at once; 0 for
    none. They are made after the first session."""

    preload: str = field(default="numpy,pandas,matplotlib.pyplot", validator=instance_of(str))
    """What the Python of sandboxes in reserve imports, as far as it has it; `off` for nothing. It
    costs each of them the memory of these modules."""

    spare_pause_s: float = _seconds(0.25)
    """Seconds without a new session before a sandbox is made in reserve."""

    warm_sandboxes: int = field(default=64, validator=[instance_of(int), ge(0)])
    """Sandboxes whose Python is started before their first cell; where so many live, the others
    start it with that cell, and take less memory until then."""

    start_timeout_s: float = _seconds(20)
    """A sandbox whose agent has not answered by then could not be started."""

    cancel_grace_s: float = _seconds(3)
    """A cancelled call the agent has not answered by then costs the whole sandbox."""

    close_timeout_s: float = _seconds(5)
    """How long closing waits until all processes have ended and the files are removed."""

    max_memory_bytes: int = _positive(2 * GIB)
    """Memory of all processes of a session together; with cgroups its `/tmp` and `/dev/shm` too.
    Beyond it the largest program is killed."""

    max_cpus: float | None = field(default=None, validator=optional([gt(0.0), lt(1e6)]))
    """Processors a session may keep busy, as 1.5; None shares all of them fairly. Needs cgroups."""

    max_disk_bytes: int = _positive(4 * GIB)
    """Disk that a session's home directory and its contexts take. Checked about once a second."""

    max_inodes: int = _positive(200_000)
    """Files and directories of a session, in `/tmp` and `/dev/shm` too. Checked as the disk is."""

    temporary_bytes: int = _positive(512 * MIB)
    """Size of the sandbox's `/tmp`, held in memory when used; at most a quarter of its memory."""

    shared_memory_bytes: int = _positive(64 * MIB)
    """Size of the sandbox's `/dev/shm`; at most an eighth of its memory."""

    cgroups: str = field(default="auto", validator=in_(("auto", "off")))
    """`auto` uses the kernel's control groups where they may be made, `off` never."""

    isolation: str = field(default="auto", validator=in_(("auto", "none")))
    """`auto` starts sandboxes or refuses; `none` runs code without any protection."""

    inside: InsideSettings = field(factory=InsideSettings, validator=instance_of(InsideSettings))
    """What the agent of each sandbox enforces."""

    # ---- what is kept ----------------------------------------------------------------------------
    state: str | None = field(default=None, validator=optional(instance_of(str)))
    """The folder of a standing server, or `none`; None chooses. Embedded servers keep nothing."""

    # ---- this machine ----------------------------------------------------------------------------
    python: str | None = field(default=None, validator=optional(instance_of(str)))
    """The Python that runs the cells; None is the one that runs the server."""

    bwrap: str | None = field(default=None, validator=optional(instance_of(str)))
    """The bubblewrap to use; None looks for the system's, then for the bundled one."""

    directory: str | None = field(default=None, validator=optional(instance_of(str)))
    """Where the files of sessions live; None is `/var/tmp`, or `/tmp` where that is read-only."""

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] | None = None) -> Settings:
        """Read the variables of the settings: `AGB_LOCAL_MAX_MEMORY` is `max_memory_bytes`.

        Args:
            environment: The variables to read; this process's own if None.

        Returns:
            Settings with each variable honoured that is there and not empty; see `variable_of`.

        Raises:
            InvalidSetting: A variable has a value that its setting cannot have.
        """
        variables = os.environ if environment is None else environment
        inside = evolve(InsideSettings(), **given(InsideSettings, variables))
        return cls(inside=inside, **given(cls, variables))

    @property
    def preloaded_modules(self) -> list[str]:
        """The names of the modules of `preload`."""
        return [] if self.preload == "off" else self.preload.replace(",", " ").split()

    @property
    def largest_temporary(self) -> tuple[int, int]:
        """The sizes of `/tmp` and `/dev/shm`: full, they leave the session room to work."""
        memory = self.max_memory_bytes
        return min(self.temporary_bytes, memory // 4), min(self.shared_memory_bytes, memory // 8)

    def for_agent(self) -> dict[str, object]:
        """Return what the agent is told, as JSON values."""
        data = min(self.inside.max_data_bytes, self.max_memory_bytes * 7 // 8)
        return asdict(evolve(self.inside, max_data_bytes=data))
