"""Moving whole files between this machine and a session."""

from __future__ import annotations

import os
from collections.abc import Callable

from .._core.transfers import operations
from .._core.transfers.results import DownloadResult, UploadResult
from .._core.transfers.sync import POLL_INTERVAL_S, WAIT_TIMEOUT_S, Waiting
from .service import BaseService
from .stores import Source, Target


class FileTransfer(BaseService):
    """The part of `FileSystem` that moves whole files, of any size, in little memory.

    Example:
        >>> session.file.transfer_path()
        '/home/user'
    """

    def upload_file(
        self,
        local_path: str | os.PathLike[str],
        remote_path: str,
        *,
        content_type: str | None = None,
        wait: bool = True,
        wait_timeout: float = WAIT_TIMEOUT_S,
        poll_interval: float = POLL_INTERVAL_S,
        progress_cb: Callable[[int], object] | None = None,
    ) -> UploadResult:
        """Bring a file of this machine into the session, whole or not at all.

        Args:
            local_path: The file here.
            remote_path: Its absolute path in the session; a file that is there is replaced, missing
                directories are made.
            content_type: Media type to send with the file, None for none: an address may be signed
                for one.
            wait: Whether to wait until the file is in the session. Otherwise it is on its way.
            wait_timeout: How long to wait for that, in seconds. It does not limit the sending,
                which goes on as long as the line carries something.
            poll_interval: How long to wait between two questions, in seconds.
            progress_cb: Called with the bytes sent so far: with 0 at the beginning, after each
                block of 1 MiB, and at the end. It begins at 0 again if the file has to be sent
                again. An async function is waited for.
                What it raises ends the upload and is raised here.

        Returns:
            The result. A local file that can't be read, or a path that can't be written in the
            session, fails.

        Example:
            >>> from pathlib import Path
            >>> _ = Path("numbers.csv").write_text("1,2,3")
            >>> sent = session.file.upload("numbers.csv", "/home/user/data/numbers.csv")
            >>> sent.success, sent.bytes_sent
            (True, 5)
        """
        client = self.session.get_client()
        waiting = Waiting(wait, wait_timeout, poll_interval)
        with Source(client, progress_cb) as source:
            return self._run(
                operations.upload(
                    self.session.session_id,
                    source,
                    local_path,
                    remote_path,
                    content_type,
                    waiting,
                    client._max_retries,
                )
            )

    def download_file(
        self,
        remote_path: str,
        local_path: str | os.PathLike[str],
        *,
        overwrite: bool = True,
        wait: bool = True,
        wait_timeout: float = WAIT_TIMEOUT_S,
        poll_interval: float = POLL_INTERVAL_S,
        progress_cb: Callable[[int], object] | None = None,
    ) -> DownloadResult:
        """Bring a file of the session to this machine, whole or not at all.

        Args:
            remote_path: Its absolute path in the session.
            local_path: The file here; missing directories are made. It appears when all of it has
                come and its checksum is right, and until then stays what it was.
            overwrite: Whether a file that is there may be replaced.
            wait: Whether to wait until the store has the file as it is now. Otherwise it may be as
                it was at an earlier download.
            wait_timeout: How long to wait for that, in seconds. It does not limit the receiving,
                which goes on as long as the line carries something.
            poll_interval: How long to wait between two questions, in seconds.
            progress_cb: Called with the bytes received so far: with 0 at the beginning, after each
                block of 1 MiB, and at the end. After a broken connection the file goes on where it
                was, if the store can do that. An async
                function is waited for. What it raises ends the download and is raised here.

        Returns:
            The result. A missing file, or a local path that can't be written, fails.

        Example:
            >>> from pathlib import Path
            >>> _ = session.file.write("/home/user/result.txt", "42")
            >>> got = session.file.download("/home/user/result.txt", "results/answer.txt")
            >>> got.success, Path("results/answer.txt").read_text()
            (True, '42')
        """
        client = self.session.get_client()
        waiting = Waiting(wait, wait_timeout, poll_interval)
        with Target(client, progress_cb, overwrite=overwrite) as target:
            return self._run(
                operations.download(
                    self.session.session_id,
                    target,
                    remote_path,
                    local_path,
                    waiting,
                    client._max_retries,
                )
            )

    def get_file_transfer_context_path(self) -> str | None:
        """Return the directory of the session that the service means for transfers.

        Returns:
            Its absolute path; None if the service does not say.

        Example:
            >>> session.file.transfer_path()
            '/home/user'
        """
        return self._run(operations.transfer_path(self.session.session_id))

    # The later names of the same methods.
    upload = upload_file
    download = download_file
    transfer_path = get_file_transfer_context_path
