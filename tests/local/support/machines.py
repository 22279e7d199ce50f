"""Machines as they say they are."""

from agb.local.machine.facts import Facts

GOOD = Facts(
    system="Linux",
    processor="x86_64",
    kernel=(6, 1),
    is_root=False,
    capabilities=0,
    seccomp_filtered=False,
    in_container=False,
    apparmor_restricts=False,
    userns_clone=None,
    max_user_namespaces=9999,
)
