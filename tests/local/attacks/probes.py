"""More attacks from inside: the rest of the program that begins with `agb.local.doctor.probes`.

As there, each probe tries one thing and returns what it got hold of, and is harmless should it
succeed. Both files are one text when they run: the names this one does not define are from there.
"""

# ruff: noqa: F821

import array
import ctypes
import errno
import fcntl
import json
import os
import pty
import pwd
import re
import resource
import socket
import sys

# ---- what is there of the host's files -----------------------------------------------------------

ABSENT = {
    "settings": ["/etc/sudoers", "/etc/ssh"],
    "machine_id": ["/etc/machine-id", "/var/lib/dbus/machine-id"],
    "homes": ["/root", "/home/root", "/home/ubuntu", "/var/lib", "/srv", "/mnt", "/media"],
    "sockets_of_services": ["/run", "/var/run", "/var/run/docker.sock", "/tmp/.X11-unix"],
    "logs": ["/var/log", "/var/spool", "/var/mail"],
    "sys": ["/sys", "/sys/fs/cgroup", "/sys/kernel/debug"],
    "boot": ["/boot", "/vmlinuz", "/initrd.img"],
    "disks": DISKS,
    "memory_devices": MEMORY_DEVICES,
    "devices": ["/dev/fuse", "/dev/kvm", "/dev/net/tun", "/dev/vsock", "/dev/userfaultfd"],
}


for name, paths in ABSENT.items():
    PROBES[f"host_files_{name}"] = lambda paths=paths: absent(paths)


@probe
def host_files_beside_python():
    """Of a home that Python lies in, only Python is shown."""
    found = []
    for place in {sys.prefix, sys.base_prefix}:
        directory = os.path.dirname(place)
        while directory not in ("/", "/usr", "/opt"):
            entries = [os.path.join(directory, name) for name in os.listdir(directory)]
            found += [entry for entry in entries if not shown_for_python(entry)]
            directory = os.path.dirname(directory)
    allowed = ("/tmp", "/dev", "/home/user")
    return [path for path in found if not path.startswith(allowed)]


@probe
def users_of_host():
    return [user.pw_name for user in pwd.getpwall() if user.pw_name not in ("user", "nobody")]


@probe
def link_out_of_home():
    path = f"{FACTS['scratch']}/out"
    os.symlink("../../../../../../../.." + FACTS["canary"], path)
    try:
        with open(path) as file:
            return file.read()
    finally:
        os.unlink(path)


@probe
def hard_link_into_home():
    os.link("/etc/passwd", f"{FACTS['scratch']}/linked")
    return "linked"


@probe
def writing_outside():
    found = []
    for directory, _, _ in os.walk("/"):
        writable = ("/home/user", "/tmp", "/proc", "/dev/shm", "/sys", "/dev/pts")
        if not directory.startswith(writable) and os.access(directory, os.W_OK):
            found.append(directory)
    return found


@probe
def writing_to_agent():
    return opened_for_writing(
        "/opt/agb/inside/agent.py", "/proc/1/exe", "/opt/agb/inside/frames.py"
    )


@probe
def writing_to_etc():
    return opened_for_writing("/etc/passwd", "/etc/hosts", "/etc/ld.so.cache", "/etc/nsswitch.conf")


@probe
def kernel_settings():
    """Opened only, never written to."""
    names = ("core_pattern", "modprobe", "hotplug", "randomize_va_space", "panic", "hostname")
    paths = [f"/proc/sys/kernel/{name}" for name in names]
    paths += ["/proc/sys/vm/overcommit_memory", "/proc/sys/fs/binfmt_misc/register"]
    return opened_for_writing(*paths, "/proc/sysrq-trigger", "/proc/sys/user/max_user_namespaces")


@probe
def kernel_memory():
    found = []
    for path in ("/proc/kcore", "/proc/kmsg", "/proc/vmallocinfo", "/proc/slabinfo"):
        try:
            with open(path, "rb") as file:
                found += [path] if file.read(1) else []
        except OSError:
            continue
    return found


@probe
def kernel_addresses():
    with open("/proc/kallsyms") as file:
        return [line for line, _ in zip(file, range(200), strict=False) if int(line.split()[0], 16)]


@probe
def dangerous_mounts():
    """What can be written to neither runs as somebody else nor holds devices."""
    found = []
    with open("/proc/self/mounts") as file:
        for line in file:
            _, place, kind, options = line.split()[:4]
            options = options.split(",")
            if place in ("/", "/dev", "/proc") or kind in ("proc", "devpts", "devtmpfs"):
                continue
            if "rw" in options and place.startswith("/dev/") and place != "/dev/shm":
                continue
            if "rw" in options and not {"nosuid", "nodev"} <= set(options):
                found.append(line)
    return found


@probe
def writable_mounts():
    with open("/proc/self/mounts") as file:
        places = [line.split()[1] for line in file if "rw" in line.split()[3].split(",")]
    allowed = {"/home/user", "/tmp", "/proc", "/dev/shm", "/dev/pts"}
    devices = {f"/dev/{name}" for name in ("null", "zero", "full", "random", "urandom", "tty")}
    return [place for place in places if place not in allowed | devices | {"/dev/console"}]


@probe
def host_paths_in_mounts():
    """The directory for sessions has a name of its own; nothing else of the host is told."""
    with open("/proc/self/mountinfo") as file:
        lines = [line for line in file if line.split()[4] in ("/home/user", "/etc", "/tmp")]
    secrets = (FACTS["host_home"], FACTS["secret"], "/var/lib", "docker")
    return [line for line in lines if any(secret in line for secret in secrets)]


@probe
def host_paths_in_groups():
    with open("/proc/self/cgroup") as file:
        return [line for line in file if not line.endswith(":/\n")]


def size_in_mib(path):
    status = os.statvfs(path)
    return status.f_blocks * status.f_frsize >> 20


@probe
def unlimited_temporary():
    return [p for p in ("/tmp", "/dev/shm") if not 0 < size_in_mib(p) <= 512]


@probe
def files_in_dev():
    with open("/dev/agb-probe", "w"):
        return "written"


# ---- other processes -----------------------------------------------------------------------------


@probe
def large_process_numbers():
    return [pid for pid in os.listdir("/proc") if pid.isdigit() and int(pid) > 32768]


AGENT = ["environ", "maps", "mem", "fd", "fdinfo", "cwd", "root", "exe", "io", "syscall", "stack"]


def look_into_agent(name):
    path = f"/proc/1/{name}"
    if name in ("cwd", "root", "exe"):
        return os.readlink(path)
    if name in ("fd", "fdinfo"):
        return os.listdir(path)
    with open(path, "rb") as file:
        return repr(file.read(100))


for name in AGENT:
    PROBES[f"agent_{name}"] = lambda name=name: look_into_agent(name)


@probe
def agent_command_line():
    with open("/proc/1/cmdline") as file:
        text = file.read()
    secrets = ("AGB_", "/agb-", "sessions", "--bind", FACTS["key"], FACTS["secret"])
    return [secret for secret in secrets if secret in text]


@probe
def environment_of_server():
    found = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        for name in ("environ", "cmdline"):
            try:
                with open(f"/proc/{pid}/{name}", "rb") as file:
                    text = file.read().decode("latin-1")
            except OSError:
                continue
            if int(pid) != os.getpid() and FACTS["key"] in text and FACTS["secret"] not in text:
                found.append(text)
    return found + [name for name in os.environ if name.startswith("AGB_")]


@probe
def inherited_descriptors():
    found = []
    for name in os.listdir("/proc/self/fd"):
        try:
            target = os.readlink(f"/proc/self/fd/{name}")
        except OSError:
            continue
        if not re.match(r"pipe:|/dev/null|/proc|/dev/pts|/home/user|/tmp|anon_inode:", target):
            found.append(target)
    found = [target for target in found if not target.startswith((sys.prefix, sys.base_prefix))]
    # Both ends of a pair are this program's own: an event loop waking itself.
    numbers = {int(target[8:-1]) for target in found if target.startswith("socket:")}
    own = {f"socket:[{n}]" for n in numbers if {n - 1, n + 1} & numbers}
    return [target for target in found if target not in own]


# ---- rights --------------------------------------------------------------------------------------


def status(key):
    with open("/proc/self/status") as file:
        return dict(line.split(":", 1) for line in file)[key].strip()


@probe
def new_privileges():
    return status("NoNewPrivs") != "1"


@probe
def capabilities():
    names = ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb")
    return [name for name in names if int(status(name), 16)]


@probe
def no_filter():
    return status("Seccomp") != "2"


@probe
def becoming_root():
    os.setuid(0)
    return "root"


@probe
def becoming_another_group():
    os.setgroups([0])
    return "group 0"


@probe
def more_than_one_user():
    with open("/proc/self/uid_map") as file:
        lines = file.read().split("\n")[:-1]
    return [line for line in lines if line.split()[2] != "1"] or len(lines) != 1


@probe
def root_outside():
    """Files made here must not belong to the host's root: asked of the owner the kernel shows."""
    return os.stat(FACTS["scratch"]).st_uid != os.getuid() or os.getuid() == 0


@probe
def user_map_again():
    """Should it succeed, it changes nothing but this program's own view."""
    with open("/proc/self/uid_map", "w") as file:
        file.write("0 0 1")
        file.flush()
    return "written"


@probe
def not_killed_for_memory():
    with open("/proc/self/oom_score_adj", "w") as file:
        file.write("-1")
    return "lowered"


@probe
def higher_priority():
    os.nice(-5)
    return "raised"


@probe
def real_time():
    os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(1))
    return "real time"


@probe
def raised_limits():
    found = []
    for name in ("NPROC", "NOFILE", "FSIZE", "DATA", "CORE", "MEMLOCK"):
        kind = getattr(resource, "RLIMIT_" + name)
        hard = resource.getrlimit(kind)[1]
        if hard == resource.RLIM_INFINITY:
            found.append(name)
            continue
        try:
            resource.setrlimit(kind, (hard + 1, hard + 1))
            found.append(name)
        except (ValueError, OSError):
            pass
    return found


# ---- system calls --------------------------------------------------------------------------------

CALLS = {
    **MOUNTING,
    **SPYING,
    "chroot": (161, 51, NOTHING),
    "fspick": (433, 433, NOTHING),
    "mount_setattr": (442, 442, NOTHING),
    "quotactl": (179, 60, (-1, 0, 0, 0, 0)),
    "swapon": (167, 224, NOTHING),
    "process_vm_writev": (311, 271, (1, 0, 0, 0, 0, 0)),
    "pidfd_getfd": (438, 438, (-1, 0, 0)),
    "kcmp": (312, 272, (1, 1, 0, 0, 0)),
    "move_pages": (279, 239, (1, 0, 0, 0, 0, 0)),
    "fanotify_init": (300, 262, (-1, 0)),
    "open_by_handle_at": (304, 265, (-1, 0, 0)),
    "kexec_load": (246, 104, (0, 0, 0, 0xFFFF)),
    "init_module": (175, 105, NOTHING),
    "finit_module": (313, 273, (-1, 0, 0)),
    "delete_module": (176, 106, NOTHING),
    "reboot": (169, 142, NOTHING),
    "syslog": (103, 116, (-1, 0, 0)),
    "acct": (163, 89, (1,)),
    "settimeofday": (164, 170, (1, 1)),
    "clock_settime": (227, 112, (-1, 0)),
    "sethostname": (170, 161, (0, -1)),
}
for name, call in CALLS.items():
    PROBES[f"call_{name}"] = lambda call=call: refused_by_filter(*call)


@probe
def call_clone3():
    return refused_by_filter(435, 435, (0, 0), errno.ENOSYS)


@probe
def call_of_another_table():
    """On x86_64 the x32 table has mount too."""
    return "" if ARM else refused_by_filter(0x40000000 + 165, 0, NOTHING, errno.ENOSYS)


@probe
def large_shared_segments():
    """System V shared memory belongs to no process, so nobody's limit would hold."""
    identifier = libc.shmget(0, 64 << 20, 0o1600)
    if identifier >= 0:
        libc.shmctl(identifier, 0, None)
    return identifier >= 0


# ---- network, terminals, other ways of talking ---------------------------------------------------


@probe
def port_of_server():
    socket.create_connection(("127.0.0.1", FACTS["server_port"]), 2)
    return "connected"


@probe
def routes():
    with open("/proc/net/route") as file:
        return file.read().splitlines()[1:]


@probe
def names():
    socket.getaddrinfo("example.invalid", 80)
    return "resolved"


@probe
def raw_socket():
    socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP)
    return "made"


FAMILIES = {"packet": 17, "alg": 38, "vsock": 40, "bluetooth": 31, "key": 15, "xdp": 44, "rds": 21}
for name, family in FAMILIES.items():
    PROBES[f"sockets_{name}"] = lambda family=family: str(socket.socket(family, socket.SOCK_RAW))


@probe
def shared_memory_of_host():
    with open("/proc/sysvipc/shm") as file:
        return file.read().splitlines()[1:]


@probe
def message_queues_of_host():
    return os.path.exists("/dev/mqueue") and os.listdir("/dev/mqueue")


def into_terminal(request):
    master, slave = pty.openpty()
    try:
        fcntl.ioctl(slave, request, array.array("b", [33]))
        return "pushed"
    finally:
        os.close(master)
        os.close(slave)


@probe
def characters_into_terminal():
    return into_terminal(0x5412)


@probe
def selection_into_terminal():
    return into_terminal(0x541C)


@probe
def characters_with_high_bits():
    master, slave = pty.openpty()
    libc.ioctl.argtypes = [ctypes.c_int, ctypes.c_ulong, ctypes.c_char_p]
    pushed = libc.ioctl(slave, 1 << 32 | 0x5412, b"!") == 0
    os.close(master)
    os.close(slave)
    return pushed


@probe
def terminal_of_host():
    os.close(os.open("/dev/tty", os.O_RDWR))
    return "opened"


@probe
def terminals_of_host():
    return [name for name in os.listdir("/dev/pts") if name != "ptmx"]


print("PROBES " + json.dumps(run()))
