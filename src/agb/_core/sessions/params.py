"""What a caller hands in when a session is created."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from attrs import define, field

from agb._core.config import BROWSER_DATA_PATH
from agb._core.contexts.policies import UploadPolicy
from agb._core.contexts.syncs import ContextSync, SyncPolicy


def _copied(labels: Mapping[str, str] | None) -> dict[str, str]:
    # What is no mapping is kept as it is: `create` names the rule that it breaks.
    return dict(labels) if isinstance(labels, Mapping) else labels or {}


def _listed(syncs: Iterable[ContextSync] | None) -> list[ContextSync]:
    # What is no list is kept as it is: `create` says what is wrong with it.
    return list(syncs) if isinstance(syncs, (list, tuple)) else syncs or []  # type: ignore[return-value]


@define
class BrowserContext:
    """Keep the data of a browser in a context: cookies, logins, settings.

    Only services with browser images use it. Extensions are not part of this package: their
    fields are kept as they are given.

    Args:
        context_id: Id of the context that keeps the data.
        auto_upload: Save the data when the session ends.
        extension_option: Extensions to load; kept, not used.

    Attributes:
        extension_context_id: None.
        extension_ids: `[]`.
        extension_context_syncs: None.

    Example:
        >>> from agb import BrowserContext
        >>> BrowserContext("context-1").get_all_context_syncs()
        []
    """

    __module__ = "agb"

    context_id: str
    auto_upload: bool = True
    extension_option: object = None
    extension_context_id: str | None = field(default=None, init=False)
    extension_ids: list[str] = field(factory=list[str], init=False)
    extension_context_syncs: list[ContextSync] | None = field(default=None, init=False)

    def get_all_context_syncs(self) -> list[ContextSync]:
        """Return the contexts of the extensions.

        Returns:
            A new list, empty if there are none.

        Example:
            >>> from agb import BrowserContext
            >>> BrowserContext('c-1').get_all_context_syncs()
            []
        """
        return list(self.extension_context_syncs or [])


@define
class CreateSessionParams:
    """Say what kind of session to create.

    Args:
        labels: Labels of the session, checked by the label rules when the session is created;
            None and `{}` mean no labels. Stored as a copy.
        image_id: Id of the image to start, such as `agb-code-space-1`; None leaves the choice to
            the service.
        context_syncs: Contexts whose files the session has; None means none. Stored as a copy.
        browser_context: Keeps the data of the browser of a browser image.
        policy_id: Id of a policy of the service for this session.
        idle_release_timeout: Seconds without a call after which the service deletes the session;
            None and 0 leave that to the service.

    Example:
        >>> from agb import CreateSessionParams
        >>> params = CreateSessionParams(image_id="agb-code-space-1", labels={"project": "demo"})
        >>> params.image_id, params.labels, params.context_syncs
        ('agb-code-space-1', {'project': 'demo'}, [])
    """

    __module__ = "agb"

    labels: dict[str, str] = field(default=None, converter=_copied)
    image_id: str | None = None
    context_syncs: list[ContextSync] = field(default=None, converter=_listed)
    browser_context: BrowserContext | None = None
    policy_id: str | None = field(default=None, kw_only=True)
    idle_release_timeout: int | None = field(default=None, kw_only=True)


def all_context_syncs(params: CreateSessionParams) -> list[ContextSync]:
    """Return every context that a session is created with, that of its browser's data last."""
    browser = params.browser_context
    if browser is None:
        return params.context_syncs
    upload = UploadPolicy(auto_upload=browser.auto_upload)
    policy = SyncPolicy(upload_policy=upload)
    return [*params.context_syncs, ContextSync(browser.context_id, BROWSER_DATA_PATH, policy)]
