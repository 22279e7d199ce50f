"""How sandboxes are made."""

from __future__ import annotations

from agb.local.machine import recipe


def test_system_links(tmp_path):
    """/bin and the like are as they are on the machine: links, or directories."""
    (tmp_path / "bin").symlink_to("usr/bin")
    (tmp_path / "lib").mkdir()

    assert recipe._system_links(str(tmp_path)) == [
        *("--symlink", "usr/bin", "/bin"),
        *("--ro-bind", "/lib", "/lib"),
    ]
