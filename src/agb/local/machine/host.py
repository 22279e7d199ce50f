"""What one server needs on its machine: a directory, prepared files, paths all users can enter."""

from __future__ import annotations

import os
import shutil
import tempfile
from typing import IO, TYPE_CHECKING

from attrs import asdict, evolve, field, frozen

from ..failures import MachineUnfit
from ..spawner.groups import remove_all
from ..spawner.state import overruns_of, remove_state, sessions_of
from . import interpreter, leftovers, recipe, seccomp, users
from .bare_recipe import BareRecipe
from .cgroups import Groups
from .paths import can_pass, outermost, reachable, second_paths
from .prepared_files import prepare_agent, prepare_etc
from .recipe import Bind, Recipe
from .tiers import Isolation
from .workspaces import Workspace

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from ..settings import Settings
    from .bubblewrap import Bubblewrap
    from .facts import Facts
    from .interpreter import Interpreter

_USUAL_DIRECTORIES = ("/var/tmp", "/tmp")  # noqa: S108 - mkdtemp makes a directory of our own


@frozen(kw_only=True)
class Host:
    """This machine, made ready for the sandboxes of one server.

    Attributes:
        state: The directory for everything the server has on disk.
        recipe: What all its sandboxes have in common.
        users: The users of sandboxes, if the server is root: the first and how many.
        private_binds: Directories only root can enter, each with a path all users can.
        filter: The seccomp program, in hexadecimal.
        groups: The control groups of the server, as far as it may make some.
        isolation: How well sandboxes are kept from this machine.
        lock: Locked as long as anything of this server lives.
    """

    state: str
    recipe: Recipe
    users: tuple[int, int] | None
    private_binds: Sequence[tuple[str, str]] = field(converter=tuple[tuple[str, str], ...])
    filter: str
    groups: Groups
    isolation: Isolation
    lock: IO[str]

    @classmethod
    def prepare(cls, settings: Settings, facts: Facts, bubblewraps: Iterable[Bubblewrap]) -> Host:
        """Get the machine ready.

        Args:
            settings: The limits and paths.
            facts: What the machine is like.
            bubblewraps: The bubblewraps that may be used.

        Raises:
            MachineUnfit: A directory is missing or cannot be used.
        """
        bare = settings.isolation == "none"
        if facts.counts_processes_of_user or (bare and not facts.is_root):
            others = users.threads_of(os.getuid())
            limits = evolve(settings.inside, max_processes=settings.inside.max_processes + others)
            settings = evolve(settings, inside=limits)
        python = interpreter.find(settings.python)
        node = shutil.which("node")
        wanted = settings.cgroups == "auto"
        state, lock = _make_state_directory(settings.directory, facts.is_root, wanted)
        try:
            needed = outermost(
                [*python.directories, *(program.directory for program in bubblewraps), *_own(node)]
            )
            drops_rights = facts.is_root and not bare
            private = second_paths(needed, state) if drops_rights else ()
            groups = Groups.prepare(os.path.basename(state), wanted=wanted)
            return cls(
                state=state,
                recipe=_recipe(settings, state, python, node, private),
                users=_session_users() if drops_rights else None,
                private_binds=private,
                filter="" if bare else seccomp.filter_for(facts.processor).hex(),
                groups=groups,
                isolation=(Isolation.of_nothing if bare else Isolation.of_sandboxes)(facts, groups),
                lock=lock,
            )
        except BaseException:
            remove_all(Groups.planned(os.path.basename(state), wanted=wanted))
            remove_state(state)
            lock.close()
            raise

    def workspace(self, number: int) -> Workspace:
        """Choose the directories of a sandbox whose files end with it."""
        return Workspace(os.path.join(sessions_of(self.state), str(number)))

    def start_message(
        self, number: int, bubblewrap: Bubblewrap, workspace: Workspace, volumes: Sequence[Bind]
    ) -> dict[str, object]:
        """Return what the spawner has to know to start a sandbox."""
        return {
            "bwrap": reachable(bubblewrap.path, self.private_binds),
            "options": self.recipe.options(workspace.home, volumes),
            "command": self.recipe.command(),
            "workspace": workspace.home,
            "kept": bool(workspace.name),
            "volumes": [volume.source for volume in volumes],
            "groups": [
                (group.path, group.values)
                for group in self.groups.of_session(number, self.recipe.settings)
            ],
        }

    def watch(self) -> dict[str, int | None]:
        """Return the limits that the kernel does not keep here."""
        settings = self.recipe.settings
        by_kernel = "memory" in self.groups.places
        return {
            "memory": None if by_kernel else settings.max_memory_bytes,
            "disk": settings.max_disk_bytes,
            "inodes": settings.max_inodes,
        }

    def counters(self, number: int) -> list[str]:
        """Return the files that tell which limits a sandbox has run into."""
        kernel = self.groups.counters(number)
        warden = os.path.join(overruns_of(self.state), str(number))
        return [warden] if kernel is None else [warden, kernel]

    def unreachable(self, problem: str) -> str:
        """Explain a spawner that could not make the private directories reachable."""
        sources = ", ".join(source for source, _target in self.private_binds)
        return (
            "Local sandboxes cannot run here: the server is root, sandboxes run as users without "
            f"rights, and these directories are open to root only: {sources or 'none'}. Making "
            f"them reachable failed ({problem}). Install Python and agb[local] where all users can "
            "read them (for example below /opt), run the server as an ordinary user, or in a "
            "container add: docker run --cap-add SYS_ADMIN …"
        )

    def remove(self) -> None:
        """Remove what a spawner that is gone may have left."""
        remove_all(self.groups.directories)
        if os.path.isdir(self.state):
            remove_state(self.state)
        self.lock.close()


def _recipe(
    settings: Settings,
    state: str,
    python: Interpreter,
    node: str | None,
    private: Sequence[tuple[str, str]],
) -> Recipe:
    """Write the prepared files and put the recipe together."""
    etc, inside = os.path.join(state, "etc"), os.path.join(state, "inside")
    os.mkdir(etc)
    prepare_etc(etc)
    prepare_agent(inside, compiled=python.is_ours)
    shown = outermost([*python.directories, *_own(node)])
    binds = [
        Bind(source=inside, target=f"{recipe.AGENT_PARENT}/inside"),
        *(Bind(source=reachable(path, private), target=path) for path in shown),
    ]
    common = Recipe(
        settings=settings,
        etc=etc,
        binds=binds,
        python=python.executable,
        links=python.links,
        packages=python.packages,
        search_path=recipe.search_path(python.executable, node),
    )
    if settings.isolation == "none":
        return BareRecipe(**asdict(common, recurse=False), agent_parent=state)
    return common


def _make_state_directory(
    named: str | None, is_root: bool, with_groups: bool
) -> tuple[str, IO[str]]:
    """Make the directory for everything the server has on disk, in place of those that are left."""
    writable = [path for path in _USUAL_DIRECTORIES if os.access(path, os.W_OK | os.X_OK)]
    base = named or (writable[0] if writable else tempfile.gettempdir())
    if is_root and os.path.isdir(base) and not can_pass(os.path.join(base, "agb")):
        raise MachineUnfit(
            f"The directory for the files of sessions, {base!r}, is open to root only, and "
            "sessions run as users without rights. Set AGB_LOCAL_DIRECTORY to another one."
        )
    try:
        base = os.path.realpath(base)
        leftovers.clear_away(base)
        state, lock = leftovers.make_directory(
            base, lambda name: Groups.planned(name, wanted=with_groups)
        )
    except OSError as error:
        raise MachineUnfit(
            f"The files of sessions cannot be kept in {base!r} ({error.strerror}). Set "
            "AGB_LOCAL_DIRECTORY to a directory that can be written to."
        ) from error
    # All may pass, nobody may look around: each workspace is closed to all but its own user.
    os.chmod(state, 0o711)  # noqa: S103
    return state, lock


def _session_users() -> tuple[int, int]:
    """Choose users for sessions among those that exist here."""
    maps: list[str] = []
    for name in ("uid_map", "gid_map"):
        with open(f"/proc/self/{name}", encoding="ascii") as file:
            maps.append(file.read())
    return users.session_users(*maps)


def _own(node: str | None) -> list[str]:
    """Return what to show of a Node.js that is not below `/usr`: the program, not its directory."""
    if node is None:
        return []
    directory, name = os.path.split(node)
    return [os.path.join(os.path.realpath(directory), name), os.path.realpath(node)]
