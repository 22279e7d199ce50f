"""Attacks from inside a sandbox. Each is harmless should it succeed."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import textwrap

import pytest

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest.fixture
def attack(tool):
    """Run a Python program in the shared sandbox and return what it prints."""

    async def run(program):
        await tool(
            "write_file", path="attack.py", content=textwrap.dedent(program), mode="overwrite"
        )
        result = await tool("shell", command="python attack.py 2>&1")
        return result["stdout"].strip()

    return run


SYSTEM_CALL = """
import ctypes, os, platform
libc = ctypes.CDLL(None, use_errno=True)
arm = platform.machine() == "aarch64"
def call(x86, aarch64, *arguments):
    ctypes.set_errno(0)
    result = libc.syscall(aarch64 if arm else x86, *arguments)
    return "ok" if result >= 0 else os.strerror(ctypes.get_errno())
"""


async def test_secrets_of_the_host(attack):
    """Password hashes, homes, other users' names, sockets and disks are not there."""
    found = await attack(
        """
        import os, pwd
        for path in ("/etc/shadow", "/etc/machine-id", "/root/.bashrc", "/root/.ssh", "/var/log",
                     "/var/run/docker.sock", "/run", "/sys", "/boot", "/dev/sda", "/dev/vda",
                     "/dev/mem", "/dev/kmsg", "/dev/fuse", "/home/" + "*"):
            if os.path.exists(path):
                print("found", path)
        print(os.listdir("/home"), [user.pw_name for user in pwd.getpwall()])
        """
    )

    assert found == "['user'] ['user', 'nobody']"


async def test_host_processes(attack):
    """Only the sandbox's own few processes are visible."""
    found = await attack(
        "import os; print(max(int(name) for name in os.listdir('/proc') if name.isdigit()))"
    )

    assert int(found) < 1000
    assert os.getpid() == int(found) or os.getpid() > 1


async def test_host_ports(attack):
    """A TCP port that listens on the host's loopback cannot be reached."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        said = await attack(
            f"""
            import socket
            try: socket.create_connection(("127.0.0.1", {port}), 2)
            except OSError as error: print(type(error).__name__)
            else: print("connected")
            """
        )

    assert said == "ConnectionRefusedError"


async def test_outside_network(attack):
    """There is no interface but the sandbox's own loopback."""
    assert await attack("import socket; print([n for _, n in socket.if_nameindex()])") == "['lo']"


@pytest.mark.parametrize("family", ["AF_VSOCK", "AF_PACKET", "AF_ALG", "AF_BLUETOOTH"])
async def test_socket_families(attack, family):
    """Sockets that lead past the network namespace or deep into the kernel cannot be made."""
    said = await attack(
        f"""
        import socket
        try: socket.socket(getattr(socket, "{family}", 38), socket.SOCK_STREAM)
        except OSError as error: print(error.strerror)
        """
    )

    assert said == "Address family not supported by protocol"


async def test_abstract_sockets(attack):
    """A socket in the host's abstract namespace cannot be reached."""
    name = f"\0agb-probe-{os.getpid()}"
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(name)
        server.listen()
        said = await attack(
            f"""
            import socket
            try: socket.socket(socket.AF_UNIX).connect({name!r})
            except OSError as error: print(type(error).__name__)
            else: print("connected")
            """
        )

    assert said == "ConnectionRefusedError"


async def test_first_processes(attack):
    """Environment and command line of process 1, the agent, give nothing away."""
    said = await attack(
        """
        import os
        for name in ("environ", "cmdline", "maps", "mem", "fd", "cwd", "root", "exe"):
            path = f"/proc/1/{name}"
            try:
                if name == "fd":
                    print(name, [os.readlink(f"{path}/{n}") for n in os.listdir(path)])
                elif name in ("cwd", "root", "exe"):
                    print(name, os.readlink(path))
                else:
                    print(name, open(path, "rb").read(40000))
            except OSError as error:
                pass
        """
    )

    assert [line.split()[0] for line in said.splitlines()] == ["cmdline"]
    for secret in ("PATH=", "HOME=", "/var/tmp", "/agb-", "sessions", "AGB_", "--bind"):
        assert secret not in said


async def test_agent_is_closed(attack):
    """The agent can be neither traced nor read nor robbed of its descriptors."""
    said = await attack(
        SYSTEM_CALL
        + """
agent = 1
assert b"inside.agent" in open(f"/proc/{agent}/cmdline", "rb").read()
for path in ("mem", "environ", "maps", "fd/3", "fd/0"):
    try: open(f"/proc/{agent}/{path}", "rb"); print("opened", path)
    except OSError as error: pass
print(call(101, 117, 16, agent, 0, 0))
print(call(310, 270, agent, 0, 0, 0, 0, 0))
print(call(438, 438, 0, 0, 0))
"""
    )

    assert said.splitlines() == ["Operation not permitted"] * 3


async def test_writes_outside(attack):
    """Nothing but the home directory, /tmp and /dev/shm can be written."""
    said = await attack(
        """
        import os
        for directory, _, _ in os.walk("/"):
            if directory.startswith(("/home/user", "/tmp", "/proc", "/dev/shm", "/sys")):
                continue
            try:
                open(os.path.join(directory, "agb-probe"), "w").close()
                print("wrote", directory)
                os.unlink(os.path.join(directory, "agb-probe"))
            except OSError: pass
        """
    )

    assert said == ""


async def test_temporary_directories_are_bounded(attack):
    """/tmp and /dev/shm have a size."""
    said = await attack(
        """
        import os
        for path in ("/tmp", "/dev/shm"):
            status = os.statvfs(path)
            print(status.f_blocks * status.f_frsize >> 20)
        """
    )

    assert said.split() == ["512", "64"]


async def test_links_through_the_file_tools(tool, refusal):
    """A link in the workspace leads nowhere but within the sandbox."""
    await tool("shell", command="ln -sf /etc/shadow s; ln -sfn / root; ln -sf /proc/1/root/etc e")

    assert "No such file" in await refusal("read_file", path="s")
    assert "No such file" in await refusal("read_file", path="root/etc/shadow")
    assert "No such file" in await refusal("read_file", path="../../../../../etc/shadow")
    assert "Read-only" in await refusal(
        "write_file", path="root/etc/new", content="x", mode="append"
    )
    listing = await tool("list_directory", path="root/home")
    assert [entry["name"] for entry in listing["entries"]] == ["user"]


async def test_fork_bomb(own_tool):
    """A session cannot start more processes than its limit; afterwards it works again."""
    program = """
import os, signal, time
children = []
try:
    while len(children) < 2000:
        pid = os.fork()
        if pid == 0:
            time.sleep(20); os._exit(0)
        children.append(pid)
except OSError as error:
    print(error.strerror)
for pid in children:
    os.kill(pid, signal.SIGKILL); os.waitpid(pid, 0)
print(len(children) < 512)
"""
    await own_tool("write_file", path="bomb.py", content=program, mode="overwrite")
    result = await own_tool("shell", command="python bomb.py")

    assert result["stdout"] == "Resource temporarily unavailable\nTrue\n"
    assert (await own_tool("shell", command="echo fine"))["stdout"] == "fine\n"


async def test_limits(attack):
    """Files, memory of a process, descriptors and core dumps are limited, and stay so."""
    said = await attack(
        """
        import resource
        for name in ("NPROC", "NOFILE", "FSIZE", "DATA", "CORE"):
            kind = getattr(resource, "RLIMIT_" + name)
            soft, hard = resource.getrlimit(kind)
            assert soft == hard != resource.RLIM_INFINITY
            try: resource.setrlimit(kind, (hard + 1, hard + 1)); print("raised", name)
            except ValueError: pass
        try: bytearray(5 << 30)
        except MemoryError: print("no memory")
        """
    )

    assert said == "no memory"


async def test_first_to_be_killed(attack):
    """When memory runs out the kernel takes the programs of sessions before all others."""
    assert await attack("print(open('/proc/self/oom_score_adj').read())") == "1000"


async def test_no_new_privileges(attack):
    """Setuid programs give nothing: no new privileges, no capabilities, no other user."""
    said = await attack(
        """
        import os
        status = dict(line.split(":", 1) for line in open("/proc/self/status"))
        for key in ("NoNewPrivs", "CapEff", "CapPrm", "CapBnd", "CapAmb", "Seccomp"):
            print(status[key].strip(), end=" ")
        print(os.getresuid(), os.getresgid(), os.getgroups())
        for user in (0, 1, 65534):
            try: os.setuid(user); print("became", user)
            except OSError: pass
        """
    )

    nothing = "0" * 16
    assert said == (
        f"1 {nothing} {nothing} {nothing} {nothing} 2 (1000, 1000, 1000) (1000, 1000, 1000) [1000]"
    ) or said == (
        f"1 {nothing} {nothing} {nothing} {nothing} 2 (1000, 1000, 1000) (1000, 1000, 1000) []"
    )


@pytest.mark.skipif(os.geteuid() != 0, reason="only root drops its rights")
async def test_not_root_outside(fresh, sandboxes):
    """Seen from the host, no process of a session is root's, nor another session's."""
    from pathlib import Path

    other = await sandboxes.open("other")
    users = {
        Path(sandboxes._host.state, "sessions", str(sandbox._number)).stat().st_uid
        for sandbox in (fresh, other)
    }
    await other.aclose()

    assert len(users) == 2
    assert all(user >= 2000 for user in users)


async def test_system_calls(attack):
    """New namespaces, mounts, tracing, bpf, io_uring, keys and the like are denied."""
    said = await attack(
        SYSTEM_CALL
        + """
for name, x86, aarch64, arguments in (
    ("unshare user", 272, 97, (0x10000000,)), ("unshare net", 272, 97, (0x40000000,)),
    ("clone newuser", 56, 220, (0x10000000 | 17, 0, 0, 0, 0)), ("setns", 308, 268, (0, 0)),
    ("mount", 165, 40, (b"none", b"/tmp", b"tmpfs", 0, 0)), ("umount", 166, 39, (b"/tmp", 2)),
    ("pivot_root", 155, 41, (b"/", b"/tmp")), ("chroot", 161, 51, (b"/tmp",)),
    ("ptrace", 101, 117, (0, 0, 0, 0)), ("bpf", 321, 280, (0, 0, 0)),
    ("io_uring", 425, 425, (1, 0)), ("keyctl", 250, 219, (0, 0, 0)),
    ("userfaultfd", 323, 282, (0,)), ("perf", 298, 241, (0, 0, 0, 0, 0)),
    ("open_tree", 428, 428, (-100, b"/", 1)), ("fsopen", 430, 430, (b"tmpfs", 0)),
    ("sethostname", 170, 161, (b"x", 1)), ("open_by_handle", 304, 265, (0, 0, 0)),
):
    said = call(x86, aarch64, *arguments)
    if said != "Operation not permitted": print(name, said)
print("clone3", call(435, 435, 0, 0))
"""
    )

    assert said == "clone3 Function not implemented"


async def test_terminal_injection(attack):
    """Characters cannot be pushed into a terminal."""
    said = await attack(
        """
        import fcntl, os, pty
        master, slave = pty.openpty()
        for request in (0x5412, 0x541C, 0x5412 | 1 << 32):
            try: fcntl.ioctl(slave, request & 0xFFFFFFFF, b"x"); print("pushed")
            except OSError as error: print(error.strerror)
        try: open("/dev/tty")
        except OSError as error: print("no terminal")
        """
    )

    assert said.splitlines() == ["Operation not permitted"] * 3 + ["no terminal"]


@pytest.mark.skipif(os.uname().machine != "x86_64", reason="x86_64 has other tables of calls")
async def test_other_tables_of_calls(attack):
    """Calls through the x32 table are not there: the filter cannot be passed by that way."""
    said = await attack(SYSTEM_CALL + "print(call(0x40000000 + 165, 0, 0, 0, 0, 0, 0))")

    assert said == "Function not implemented"


async def test_other_sessions(fresh, tool, own_tool):
    """A session sees neither the files nor the processes of another."""
    await own_tool("shell", command="echo secret >s; sleep 876.5 & disown")
    seen = await tool(
        "shell", command="pgrep -fc '^sleep 876.5'; find / -name s -size 7c -newer /etc 2>/dev/null"
    )

    assert seen["stdout"] == "0\n"


async def test_host_paths(attack):
    """The table of mounts names no home of the host but what Python's own place needs."""
    said = await attack("print(open('/proc/self/mountinfo').read())")
    home = next(line for line in said.splitlines() if " /home/user " in line)

    assert os.path.expanduser("~") not in home
    assert "nosuid" in home
    assert "nodev" in home


async def test_environment_of_the_server(tool):
    """Variables of the server's process are nowhere to be found."""
    variable = "AGB_PROBE"
    program = (
        "import asyncio\nfrom agb.local.sandboxes.sandboxes import Sandboxes\n"
        "from agb.local.settings import Settings\n"
        "async def main():\n"
        "    sandboxes = await Sandboxes.start(Settings.from_environment())\n"
        "    sandbox = await sandboxes.open('x')\n"
        "    look = {'command': 'cat /proc/*/environ /proc/*/cmdline', 'timeout_ms': 9000}\n"
        "    print((await sandbox.call('shell', look, timeout_s=10))['stdout'])\n"
        "    await sandboxes.aclose()\n"
        "asyncio.run(main())\n"
    )
    seen = subprocess.run(
        [sys.executable, "-c", program],
        env={**os.environ, variable: "planted-secret"},
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )

    assert "HOME=/home/user" in seen.stdout
    assert "planted-secret" not in seen.stdout
