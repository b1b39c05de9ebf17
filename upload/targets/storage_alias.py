"""Any Django storage as a target, whatever stands behind it.

A foreign storage promises little: it has no staging names and may give a file another
name. So each file is spooled on this machine, saved, read back in full and deleted
again where it is not right; ``FILE_UPLOAD_TEMP_DIR`` needs room for the largest one.
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from django.core.files.base import ContentFile
from django.core.files.storage import Storage

from upload.copy_engine import Beat, Receipt, silent
from upload.durable import occupied
from upload.errors import MunimentError, TargetOccupied
from upload.storage import (
    digest_of,
    drop_staging,
    free_bytes,
    iter_chunks,
    local_path,
    receive_into,
)
from upload.targets.base import OWN_NAMES, missing, still, unreachable
from upload.targets.folder import require_apart
from upload.targets.remote import RemoteTarget
from upload.wording import gettext as _


class StorageTarget(RemoteTarget):
    """The files of one storage. Its clients' own errors become ``OSError``s."""

    def __init__(self, storage: Storage, place: str, identity: str = "") -> None:
        super().__init__(place, identity)
        self.storage = storage

    @contextmanager
    def _speaking(self) -> Iterator[None]:
        try:
            yield
        except (MunimentError, OSError):
            raise
        except Exception as error:  # noqa: BLE001 - a foreign client's own kinds
            # An address with its password may stand in the text or in the trace.
            reason = _("its storage failed with %(error)s") % {
                "error": type(error).__name__
            }
            raise unreachable(self.place, reason) from None

    def _reach(self) -> None:
        root = local_path(self.storage, "")
        if root is not None:
            require_apart(root)
            # A storage would make the folder, and an unmounted one on the parent disk.
            if not root.is_dir():
                raise missing(root)
        with self._speaking():
            self.storage.exists(OWN_NAMES)

    def free_bytes(self) -> int | None:
        with self._speaking():
            return free_bytes(self.storage)

    def _size(self, relative_path: str) -> int | None:
        with self._speaking():
            if not self.storage.exists(relative_path):
                raise FileNotFoundError(relative_path)
            try:
                return self.storage.size(relative_path)
            except IsADirectoryError:
                return None

    def _send(
        self,
        relative_path: str,
        chunks: Iterable[bytes],
        expected: Receipt | None,
        staging_prefix: str,
        beat: Beat,
    ) -> Receipt:
        with self._speaking():
            try:
                return receive_into(self.storage, relative_path, chunks, expected, beat)
            except TargetOccupied:
                if expected is None or not expected.sha256:
                    raise
        # Another writer was first; perhaps with the same bytes.
        return self._confirm(relative_path, expected, still(beat))

    def digest(self, relative_path: str, beat: Beat = silent) -> Receipt:
        with self._speaking():
            return digest_of(self.storage, relative_path, beat)

    def drop_staging(self, prefix: str, min_age_seconds: float = 0) -> int:
        with self._speaking():
            return drop_staging(self.storage, prefix, min_age_seconds)

    def write_own(self, name: str, content: bytes) -> None:
        with self._speaking():
            if self.storage.exists(name):
                if self.read_own(name) == content:
                    return
                raise occupied(name)
            saved = self.storage.save(name, ContentFile(content))
            if saved != name:
                self.storage.delete(saved)
                raise occupied(name)

    def read_own(self, name: str) -> bytes:
        with self._speaking():
            return b"".join(iter_chunks(self.storage, name))

    def list_own(self) -> list[str]:
        with self._speaking():
            _folders, files = self.storage.listdir("")
            return [name for name in files if name.startswith(OWN_NAMES)]

    def drop_own(self, name: str) -> None:
        with self._speaking():
            self.storage.delete(name)

    def capabilities(self) -> dict[str, bool]:
        return {"refuses_to_replace": False, "stages": False, "syncs": False}
