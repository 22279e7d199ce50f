"""The limits the server sets, and how the kernel of the system is told about them."""

from __future__ import annotations

import contextlib
import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Generator

# What the agent may start beyond the limit of its session, mostly threads: a session that is full
# has to be able to end what fills it.
_HEADROOM = 128


class Limits:
    """What the agent is told at its start; see `agb.local.settings.InsideSettings`."""

    def __init__(
        self,
        *,
        max_frame_bytes: int,
        max_events_ahead: int,
        max_output_bytes: int,
        max_result_bytes: int,
        max_read_bytes: int,
        max_matches: int,
        max_watched_paths: int,
        max_process_output_bytes: int,
        max_started_processes: int,
        max_ended_processes: int,
        reader_grace_s: float,
        interrupt_grace_s: float,
        kernel_start_s: float,
        max_processes: int,
        max_open_files: int,
        max_file_bytes: int,
        max_data_bytes: int,
    ) -> None:
        self.max_frame_bytes = max_frame_bytes
        self.max_events_ahead = max_events_ahead
        self.max_output_bytes = max_output_bytes
        self.max_result_bytes = max_result_bytes
        self.max_read_bytes = max_read_bytes
        self.max_matches = max_matches
        self.max_watched_paths = max_watched_paths
        self.max_process_output_bytes = max_process_output_bytes
        self.max_started_processes = max_started_processes
        self.max_ended_processes = max_ended_processes
        self.reader_grace_s = reader_grace_s
        self.interrupt_grace_s = interrupt_grace_s
        self.kernel_start_s = kernel_start_s
        self.max_processes = max_processes
        self.max_open_files = max_open_files
        self.max_file_bytes = max_file_bytes
        self.max_data_bytes = max_data_bytes
        self.at_limit: str = f"This session is at its limit of {max_processes} processes"

    def impose(self) -> None:
        """Set the resource limits of this process, and but for `of_programs` of all it will start.

        They are set in here and not before bubblewrap: outside, RLIMIT_NPROC counts all processes
        of the user, and a busy user could start no sandbox.
        """
        import resource

        wanted = (
            (resource.RLIMIT_NPROC, self.max_processes + _HEADROOM),
            (resource.RLIMIT_NOFILE, self.max_open_files),
            (resource.RLIMIT_FSIZE, self.max_file_bytes),
            (resource.RLIMIT_DATA, self.max_data_bytes),
            (resource.RLIMIT_CORE, 0),
        )
        for kind, value in wanted:
            _soft, hard = resource.getrlimit(kind)
            if hard != resource.RLIM_INFINITY:
                value = min(value, hard)
            resource.setrlimit(kind, (value, value))

    def of_programs(self) -> Callable[[], None]:
        """Return what takes the agent's headroom from a program, for good, before it begins.

        It runs between fork and exec, beside the threads of the agent that are not there any more:
        it must take no lock and import nothing.
        """
        import resource

        kind, value = resource.RLIMIT_NPROC, self.processes_of_programs()
        return lambda: resource.setrlimit(kind, (value, value))

    def processes_of_programs(self) -> int:
        """Return the limit of processes of a program: there may be a lower one on this machine."""
        import resource

        _soft, hard = resource.getrlimit(resource.RLIMIT_NPROC)
        return min(self.max_processes, hard)


_score: list[int] = []
"""This process's own `oom_score_adj`, open for writing; it can't be opened later any more."""


@contextlib.contextmanager
def first_to_go() -> Generator[None]:
    """Have the kernel kill what is started meanwhile before the agent when memory runs out.

    Set beforehand: a shell has children before anyone could set it from outside.
    """
    for descriptor in _score:
        os.write(descriptor, b"1000")
    try:
        yield
    finally:
        for descriptor in _score:
            os.write(descriptor, b"900")


def hide_this_process() -> None:
    """Keep the programs of the session out of this process's memory, descriptors and environment.

    They run as the same user; the kernel opens `/proc/<pid>/mem` and the like only for processes
    that are dumpable.

    Raises:
        OSError: The kernel refused.
    """
    import ctypes

    with contextlib.suppress(OSError):
        _score.append(os.open("/proc/self/oom_score_adj", os.O_WRONLY | os.O_CLOEXEC))
    pr_set_dumpable = 4
    library = ctypes.CDLL(None, use_errno=True)
    if library.prctl(pr_set_dumpable, 0, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "prctl(PR_SET_DUMPABLE)")
