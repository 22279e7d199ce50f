"""The contexts of one server, and of the next."""

from agb.local.contexts.service import Contexts
from agb.local.settings import Settings


async def test_contexts_in_a_directory_of_their_own_outlive_the_server(tmp_path):
    """With `AGB_LOCAL_CONTEXTS` the next server has the contexts and files of the one before."""
    settings = Settings.from_environment({"AGB_LOCAL_CONTEXTS": str(tmp_path / "kept")})
    first = Contexts(settings, str(tmp_path / "unused"))
    made = first.make("n")
    with first.shelf.writing(made.id, "/a") as incoming:
        incoming.write(b"x")
    await first.aclose()

    second = Contexts(settings, str(tmp_path / "unused"))
    found = second.catalog.by_name("n")
    entries = second.shelf.list(found.id, "/")
    await second.aclose()

    assert found == made
    assert [entry.name for entry in entries] == ["a"]
    assert not (tmp_path / "unused").exists()
    assert (tmp_path / "kept").stat().st_mode & 0o777 == 0o700
