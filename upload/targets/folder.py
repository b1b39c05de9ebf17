"""Folders as targets, local or mounted: no link is followed, no mount point trusted."""

import errno
import os
import secrets
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from django.conf import settings

from upload import paths, wording
from upload.copy_engine import Beat, Receipt, read_chunks, silent
from upload.durable import Entry, FolderSyncs
from upload.errors import DestinationRefused, TargetOccupied, UnsafePath
from upload.group import Groups, Parcel, most_files
from upload.pinned import PinnedTree
from upload.series import Series
from upload.storage import TempFileStorage, UploadedFileStorage, local_path
from upload.targets.base import MARKER, OWN_NAMES, Target, missing, refused, unmarked
from upload.tree import Hand, Layout, Tree
from upload.wording import gettext as _

LAYOUT = Layout((), OWN_NAMES, OWN_NAMES, file_mode=0o640, folder_mode=0o750)
# The same, but own files may be written and dropped by their names.
OWN_LAYOUT = Layout((), OWN_NAMES, "\0", LAYOUT.file_mode, LAYOUT.folder_mode)
UNWRITABLE = {errno.EROFS, errno.EACCES, errno.EPERM}


class FolderTarget(Target):
    """A folder, local or mounted.

    With ``allowed_roots`` the folder must lie strictly below one of them with no link
    on the way; None says that trusted code gave the path. ``identity`` is what the
    folder's marker must say, so that an empty mount point is not taken for the
    destination. ``device`` is the id of its file system: given, or noted by
    ``check``, it must be the same at each later deed.
    """

    def __init__(
        self,
        root: Path,
        allowed_roots: Sequence[Path] | None,
        identity: str = "",
        device: int | None = None,
    ) -> None:
        self.root = root
        self.allowed_roots = allowed_roots
        self.identity = identity
        self.device = device
        self._syncs: FolderSyncs | None = None
        self._tree: Tree = Tree(self._open_guarded, LAYOUT)
        self._own = Tree(self._open_guarded, OWN_LAYOUT)

    def check(self) -> None:
        with self._looked_at() as folder:
            self.device = os.fstat(folder).st_dev
            _require_writable(folder, self.root)

    def look(self) -> None:
        with self._looked_at():
            pass

    @contextmanager
    def _looked_at(self) -> Iterator[int]:
        """Yield the folder, open and known to be the destination."""
        require_plain(self.root)
        require_apart(self.root)
        with paths.closing(self._open_guarded(None)) as folder:
            self._require_marker(folder)
            yield folder

    def _open_guarded(self, mode: int | None) -> int:
        """Open the root, which is never made; refuse another file system in it."""
        folder = self._open()
        if self.device is not None and os.fstat(folder).st_dev != self.device:
            os.close(folder)
            raise DestinationRefused(
                _(
                    "%(root)s: the destination's file system changed while copying. "
                    "Check that it is mounted, then start the copy again."
                )
                % {"root": self.root}
            )
        return folder

    def _open(self) -> int:
        try:
            if self.allowed_roots is None:
                return paths.open_root(self.root)
            top = _allowed_top(self.root, self.allowed_roots)
            with paths.closing(paths.open_root(top)) as start:
                parts = self.root.relative_to(top).parts
                with paths.walk(start, parts) as folder:
                    return os.dup(folder)
        except FileNotFoundError as error:
            raise missing(self.root) from error
        except NotADirectoryError as error:
            raise refused(self.root, _("it is not a folder")) from error
        except (UnsafePath, PermissionError) as error:
            raise refused(self.root, wording.of_error(error)) from error

    def mark(self) -> None:
        require_plain(self.root)
        require_apart(self.root)
        try:
            self.write_own(MARKER, self.identity.encode())
        except TargetOccupied as error:
            reason = _("it is marked as another destination")
            raise refused(self.root, reason) from error

    def _require_marker(self, folder: int) -> None:
        if not self.identity:
            return
        found = b""
        with suppress(FileNotFoundError, UnsafePath):
            found = b"".join(read_chunks(Entry(folder, MARKER)))
        if found != self.identity.encode():
            raise unmarked(self.root)

    def write_own(self, name: str, content: bytes) -> None:
        self._own.put(name, [content], None, Hand("own"))

    def read_own(self, name: str) -> bytes:
        return b"".join(self._own.read(name))

    def list_own(self) -> list[str]:
        with paths.closing(self._open_guarded(None)) as folder:
            names = os.listdir(folder)  # noqa: PTH208 - a folder that is open
        return [name for name in names if name.startswith(OWN_NAMES)]

    def drop_own(self, name: str) -> None:
        self._own.delete(name)

    def capabilities(self) -> dict[str, bool]:
        return {"refuses_to_replace": True, "stages": True, "syncs": True}

    def free_bytes(self) -> int | None:
        with paths.closing(self._open_guarded(None)) as folder:
            return paths.free_bytes(folder)

    def put(
        self,
        relative_path: str,
        chunks: Iterable[bytes],
        expected: Receipt | None,
        staging_prefix: str,
        beat: Beat,
    ) -> Receipt:
        if self.device is None:
            self.check()
        # Without a digest to compare with, the bytes that came must tell theirs.
        read_back = expected is not None and bool(expected.sha256)
        hand = Hand(staging_prefix, beat, self._syncs, read_back)
        return self._tree.put(relative_path, chunks, expected, hand)

    def put_many(
        self, parcels: Iterable[Parcel], staging_prefix: str, beat: Beat
    ) -> dict[str, Exception]:
        if self.device is None:
            self.check()
        errors: dict[str, Exception] = {}
        small: list[Parcel] = []
        most = most_files()
        with self.batch():
            hand = Hand(staging_prefix, beat, self._syncs, read_back=True)
            with (
                Series(self._tree, hand) as series,
                Groups(self._tree, hand) as groups,
            ):
                for parcel in parcels:
                    if parcel.is_small:
                        small.append(parcel)
                    elif parcel.expected.sha256:
                        series.put(parcel)
                    else:
                        self._put_or_note(parcel, staging_prefix, beat, errors)
                    if len(small) == most:
                        groups.put(small)
                        small = []
                if small:
                    groups.put(small)
            errors |= groups.errors | series.errors
        return errors

    @contextmanager
    def batch(self) -> Iterator[None]:
        plain = self._tree
        with ExitStack() as stack:
            stack.callback(setattr, self, "_syncs", None)
            stack.callback(setattr, self, "_tree", plain)
            self._tree = pinned = PinnedTree(plain)
            stack.callback(pinned.close)
            self._syncs = stack.enter_context(FolderSyncs())
            yield

    def digest(self, relative_path: str, beat: Beat = silent) -> Receipt:
        return self._tree.receipt(relative_path, beat, fresh=True)

    def exists(self, relative_path: str) -> bool:
        return self._tree.exists(relative_path)

    def drop_staging(self, prefix: str, min_age_seconds: float = 0) -> int:
        return self._tree.drop_staging(prefix, min_age_seconds)


def require_plain(root: Path) -> None:
    if not root.is_absolute() or ".." in root.parts or root == Path(root.anchor):
        raise refused(
            root, _("it must be an absolute path without “..”, and not “/” itself")
        )


def _allowed_top(root: Path, allowed: Sequence[Path]) -> Path:
    """Return the allowed root above ``root``, both taken literally."""
    for top in allowed:
        if top in root.parents:
            return top
    raise refused(root, _("it does not lie below a folder that the settings allow"))


def require_apart(root: Path) -> None:
    """Refuse a folder that holds, or lies in, a folder of our own."""
    real = root.resolve()
    for own in _own_folders():
        if real == own or own in real.parents or real in own.parents:
            raise refused(
                root, _("it overlaps %(own)s, which holds our own data") % {"own": own}
            )
    for own in _own_tops():
        if real == own or real in own.parents:
            raise refused(root, _("it contains our own data in %(own)s") % {"own": own})


def _own_folders() -> list[Path]:
    """Return the folders that no destination may hold or lie in, links resolved."""
    named = [str(settings.STATIC_ROOT), str(settings.MEDIA_ROOT)]
    local = [local_path(make(), "") for make in (TempFileStorage, UploadedFileStorage)]
    return [Path(place).resolve() for place in (*named, *local) if place]


def _own_tops() -> list[Path]:
    """Return the folders that a destination may lie in but not hold."""
    databases = [
        Path(str(database["NAME"])).parent
        for database in settings.DATABASES.values()
        if Path(str(database["NAME"])).is_absolute()
    ]
    return [place.resolve() for place in (Path(settings.DATA_DIR), *databases)]


def _require_writable(folder: int, root: Path) -> None:
    """Create and drop a file: mode bits alone tell neither a quota nor read-only."""
    probe = Entry(folder, f"{OWN_NAMES}probe.{secrets.token_hex(8)}.part")
    try:
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW
        os.close(os.open(probe.name, flags, 0o600, dir_fd=folder))
        probe.drop()
    except OSError as error:
        if error.errno in UNWRITABLE:
            reason = _("it cannot be written to (%(error)s)") % {
                "error": error.strerror
            }
            raise refused(root, reason) from error
        raise
