"""One place of each kind that a copy may go to, for the conformance of targets."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.core.files.base import ContentFile
from django.core.files.storage import FileSystemStorage, InMemoryStorage, Storage

from tests.services import openssh, rclone
from upload.targets import OWN_NAMES, FolderTarget, Target
from upload.targets.aliases import target_of_alias
from upload.targets.storage_alias import StorageTarget

S3, SFTP = "storages.backends.s3.S3Storage", "upload.targets.sftp.SftpTarget"


class ForeignStorage(FileSystemStorage):
    """A storage of somebody else's: what it does in its folder is not ours to know."""


@dataclass(frozen=True, slots=True)
class Place:
    """``make`` opens a new target there; ``plant`` and ``held`` go behind its back.

    ``strict``: of two writers of one name exactly one wins. ``stages``: a file that is
    being written can be dropped by another attempt. ``parallel``: the place bears two
    writers at all. ``folder`` is where the files are, None where they are in memory.
    """

    make: Callable[..., Target]
    folder: Path | None = None
    storage: Storage | None = None
    strict: bool = True
    stages: bool = True
    parallel: bool = True

    def plant(self, path: str, content: bytes) -> None:
        if self.storage is not None:
            self.storage.save(path, ContentFile(content))
            return
        assert self.folder is not None
        (self.folder / path).parent.mkdir(parents=True, exist_ok=True)
        (self.folder / path).write_bytes(content)

    def held(self) -> dict[str, bytes]:
        """Return the bytes by path of all that is there, own files included."""
        if self.storage is not None:
            return dict(_stored(self.storage, ""))
        assert self.folder is not None
        return {
            path.relative_to(self.folder).as_posix(): path.read_bytes()
            for path in self.folder.rglob("*")
            if path.is_file()
        }

    def copied(self) -> dict[str, bytes]:
        """Return the same without own files."""
        held = self.held().items()
        return {path: data for path, data in held if not path.startswith(OWN_NAMES)}


def _stored(storage: Storage, folder: str) -> Any:
    folders, files = storage.listdir(folder)
    lead = f"{folder}/" if folder else ""
    for name in files:
        with storage.open(f"{lead}{name}") as file:
            yield f"{lead}{name}", file.read()
    for name in folders:
        yield from _stored(storage, f"{lead}{name}")


def folder_place(settings: Any, folder: Path) -> Place:
    return Place(lambda identity="": FolderTarget(folder, None, identity), folder)


def _aliased(settings: Any, folder: Path, entry: dict[str, Any], **more: Any) -> Place:
    settings.DESTINATIONS = {"box": entry}
    return Place(lambda identity="": target_of_alias("box", identity), folder, **more)


def durable_place(settings: Any, folder: Path) -> Place:
    backend = "upload.storage.DurableFileSystemStorage"
    entry = {"BACKEND": backend, "OPTIONS": {"location": str(folder)}}
    return _aliased(settings, folder, entry)


def foreign_place(settings: Any, folder: Path) -> Place:
    backend = f"{__name__}.ForeignStorage"
    entry = {"BACKEND": backend, "OPTIONS": {"location": str(folder)}}
    return _aliased(settings, folder, entry, stages=False)


def memory_place(settings: Any, folder: Path) -> Place:
    storage = InMemoryStorage()
    return Place(
        lambda identity="": StorageTarget(storage, "memory", identity),
        storage=storage,
        strict=False,
        stages=False,
        parallel=False,
    )


def s3_entry(port: int, bucket: str, **options: Any) -> dict[str, Any]:
    return {
        "BACKEND": S3,
        "OPTIONS": {
            "access_key": rclone.KEY,
            "secret_key": rclone.SECRET,
            "bucket_name": bucket,
            "endpoint_url": f"http://127.0.0.1:{port}",
            "region_name": "us-east-1",
            "signature_version": "s3v4",
            "addressing_style": "path",
            "location": "records",
        }
        | options,
    }


def s3_place(settings: Any, server: rclone.Server, name: str) -> Place:
    (server.root / name).mkdir()
    entry = s3_entry(server.port, name)
    return _aliased(settings, server.root / name / "records", entry, strict=False)


def sftp_entry(port: int, host_key: str, **options: Any) -> dict[str, Any]:
    fixed = {"host": "127.0.0.1", "port": port, "host_keys": [host_key]}
    return {"BACKEND": SFTP, "OPTIONS": fixed | options}


def rclone_sftp_place(settings: Any, server: rclone.Server, name: str) -> Place:
    (server.root / name).mkdir()
    entry = sftp_entry(
        server.port,
        rclone.host_key_of(server),
        username=rclone.USER,
        password=rclone.PASSWORD,
        root=name,
    )
    return _aliased(settings, server.root / name, entry, strict=False)


def openssh_place(settings: Any, server: openssh.Server, name: str) -> Place:
    root = server.root / name
    root.mkdir()
    entry = sftp_entry(
        server.port,
        server.host_key,
        username=server.user,
        key_file=str(server.key_file),
        root=str(root),
    )
    return _aliased(settings, root, entry)
