"""What the session uses of its machine, as far as the kernel tells it inside."""

from __future__ import annotations

import os
import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .cancellation import Cancellation

_TICKS = os.sysconf("SC_CLK_TCK")
_PAGE = os.sysconf("SC_PAGE_SIZE")
_MEASURED_S = 0.1
_KILO = 1024


def get_metrics(cancellation: Cancellation) -> dict[str, object]:
    """Measure the session: its own processes, the disk of its home, its network.

    The memory and the disk are the machine's, because a session has no share of its own of them.
    """
    before, began = _cpu_seconds(), time.monotonic()
    received, sent = _network_bytes()
    time.sleep(_MEASURED_S)
    elapsed = time.monotonic() - began
    received_later, sent_later = _network_bytes()
    processors = len(os.sched_getaffinity(0))
    used = max(0.0, _cpu_seconds() - before) / elapsed / processors
    disk = os.statvfs(".")
    return {
        "cpu_count": processors,
        "cpu_used_pct": round(100 * min(1.0, used), 2),
        "disk_total": disk.f_blocks * disk.f_frsize,
        "disk_used": (disk.f_blocks - disk.f_bfree) * disk.f_frsize,
        "mem_total": _total_memory(),
        "mem_used": sum(_resident(pid) for pid in _processes()),
        "rx_rate_kbyte_per_s": (received_later - received) / elapsed / _KILO,
        "tx_rate_kbyte_per_s": (sent_later - sent) / elapsed / _KILO,
        "rx_used_kbyte": received_later / _KILO,
        "tx_used_kbyte": sent_later / _KILO,
        "timestamp": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
    }


def _processes() -> list[str]:
    """Return the numbers of the session's processes; it sees no others."""
    return [name for name in os.listdir("/proc") if name.isdigit()]


def _cpu_seconds() -> float:
    """Add up what all processes of the session have computed."""
    ticks = 0
    for pid in _processes():
        # The name, in parentheses, may hold anything.
        fields = _read(f"/proc/{pid}/stat").rpartition(")")[2].split()
        ticks += sum(map(int, fields[11:13]))
    return ticks / _TICKS


def _resident(pid: str) -> int:
    """Return how much memory a process holds, in bytes."""
    fields = _read(f"/proc/{pid}/statm").split()
    return int(fields[1]) * _PAGE if fields else 0


def _total_memory() -> int:
    """Return the memory of the machine, in bytes."""
    for line in _read("/proc/meminfo").splitlines():
        if line.startswith("MemTotal:"):
            return int(line.split()[1]) * _KILO
    return 0


def _network_bytes() -> tuple[int, int]:
    """Return what came and went over all interfaces but the loopback."""
    received = sent = 0
    for line in _read("/proc/net/dev").splitlines()[2:]:
        name, _, numbers = line.partition(":")
        if name.strip() != "lo":
            counted = numbers.split()
            received += int(counted[0])
            sent += int(counted[8])
    return received, sent


def _read(path: str) -> str:
    """Read a file of the kernel; a process may end meanwhile."""
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            return file.read()
    except OSError:
        return ""
