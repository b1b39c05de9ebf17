"""The durable storage, the aliases, and the functions that take any storage."""

import errno
import hashlib
import io
import os
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.core.exceptions import SuspiciousFileOperation
from django.core.files.base import ContentFile, File
from django.core.files.storage import FileSystemStorage, InMemoryStorage, Storage
from django.core.files.uploadedfile import TemporaryUploadedFile

from upload import storage as rooms
from upload.copy_engine import Receipt
from upload.errors import (
    DigestMismatch,
    SourceMissing,
    TargetOccupied,
    UnsafePath,
)
from upload.storage import (
    DurableFileSystemStorage,
    receive_into,
)

KEY = "ab/session/cd/file"


@pytest.fixture
def durable(tmp_path: Path) -> DurableFileSystemStorage:
    return DurableFileSystemStorage(tmp_path / "root")


@pytest.fixture(params=["durable", "django", "memory"])
def any_storage(request: pytest.FixtureRequest, tmp_path: Path) -> Storage:
    if request.param == "durable":
        return DurableFileSystemStorage(tmp_path / "root")
    if request.param == "django":
        return FileSystemStorage(tmp_path / "root")
    return InMemoryStorage()


def receipt_for(content: bytes) -> Receipt:
    return Receipt(len(content), hashlib.sha256(content).hexdigest())


def content_of(storage: Storage, key: str) -> bytes:
    with storage.open(key) as file:
        return bytes(file.read())


def files_below(folder: Path) -> list[str]:
    found = (path for path in folder.rglob("*") if not path.is_dir())
    return sorted(path.relative_to(folder).as_posix() for path in found)


def test_files_and_folders_are_private(durable: DurableFileSystemStorage) -> None:
    durable.save("a/b.txt", ContentFile(b"x"))

    root = Path(durable.location)
    assert (root / "a" / "b.txt").stat().st_mode & 0o777 == 0o600
    assert (root / "a").stat().st_mode & 0o777 == 0o700


def test_saving_leaves_no_staging_file(durable: DurableFileSystemStorage) -> None:
    durable.save("a.txt", ContentFile(b"x"))

    assert files_below(Path(durable.location)) == ["a.txt"]


def test_staging_is_hidden_and_reserved(durable: DurableFileSystemStorage) -> None:
    durable.save("a.txt", ContentFile(b"x"))

    assert durable.listdir("") == ([], ["a.txt"])
    assert durable.exists(".staging") is False
    with pytest.raises(UnsafePath):
        durable.save(".staging/x", ContentFile(b"x"))


def test_a_spooled_upload_is_saved_whole(durable: DurableFileSystemStorage) -> None:
    upload = TemporaryUploadedFile("a.bin", "application/x", 200_000, None)
    upload.write(b"y" * 200_000)
    upload.size = 200_000

    durable.save("a.bin", upload)

    assert durable.size("a.bin") == 200_000


def test_an_upload_shorter_than_announced_is_refused(
    durable: DurableFileSystemStorage,
) -> None:
    content = ContentFile(b"short")
    content.size = 9

    with pytest.raises(DigestMismatch):
        durable.save("a.txt", content)

    assert files_below(Path(durable.location)) == []


def test_racing_saves_of_one_name_both_keep_their_bytes(
    durable: DurableFileSystemStorage, monkeypatch: pytest.MonkeyPatch
) -> None:
    barrier = threading.Barrier(4)
    names: list[str] = []

    class Slow(ContentFile):
        def chunks(self, chunk_size: int | None = None) -> Iterator[bytes]:
            barrier.wait(10)
            yield b"same bytes"

    def save() -> None:
        content = Slow(b"same bytes")
        names.append(durable.save("a.txt", content))

    threads = [threading.Thread(target=save) for _number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(set(names)) == 4
    assert {content_of(durable, name) for name in names} == {b"same bytes"}


def test_a_file_in_a_folders_place_is_left_alone(
    durable: DurableFileSystemStorage,
) -> None:
    durable.save("a", ContentFile(b"x"))

    with pytest.raises(TargetOccupied):
        durable.save("a/b", ContentFile(b"y"))

    assert content_of(durable, "a") == b"x"


def test_a_stored_file_cannot_be_opened_for_writing(
    durable: DurableFileSystemStorage,
) -> None:
    durable.save("a.txt", ContentFile(b"x"))

    for mode in ("wb", "ab", "r+b", "w"):
        with pytest.raises(io.UnsupportedOperation, match="never changed"):
            durable.open("a.txt", mode)


def test_a_closed_file_can_be_opened_again(durable: DurableFileSystemStorage) -> None:
    durable.save("a.txt", ContentFile(b"x"))
    file = durable.open("a.txt")
    file.close()

    with file.open() as again:
        assert again.read() == b"x"


def test_a_closed_file_is_not_opened_again_through_a_link(
    durable: DurableFileSystemStorage,
) -> None:
    durable.save("a.txt", ContentFile(b"x"))
    file = durable.open("a.txt")
    file.close()
    planted = Path(durable.location, "a.txt")
    planted.unlink()
    planted.symlink_to("/etc/passwd")

    with pytest.raises(UnsafePath):
        file.open()


@pytest.fixture
def linked(durable: DurableFileSystemStorage, tmp_path: Path) -> Path:
    """Plant ``link`` in the storage, to a folder outside with a file ``secret``."""
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "secret").write_bytes(b"secret")
    durable.save("real.txt", ContentFile(b"x"))
    Path(durable.location, "link").symlink_to(outside)
    Path(durable.location, "leaf").symlink_to(outside / "secret")
    return outside


@pytest.mark.parametrize("deed", ["open", "size", "path", "delete"])
def test_nothing_is_done_through_a_planted_link(
    durable: DurableFileSystemStorage, linked: Path, deed: str
) -> None:
    with pytest.raises(UnsafePath):
        getattr(durable, deed)("link/secret")

    assert (linked / "secret").read_bytes() == b"secret"


def test_nothing_is_written_or_listed_through_a_planted_link(
    durable: DurableFileSystemStorage, linked: Path
) -> None:
    with pytest.raises(UnsafePath):
        durable.save("link/new", ContentFile(b"n"))
    with pytest.raises(UnsafePath):
        durable.listdir("link")

    assert durable.exists("link/secret") is False
    assert [path.name for path in linked.iterdir()] == ["secret"]


def test_deleting_a_planted_link_keeps_what_it_names(
    durable: DurableFileSystemStorage, linked: Path
) -> None:
    durable.delete("leaf")

    assert (linked / "secret").exists()
    assert durable.exists("leaf") is False


def test_a_planted_fifo_is_refused_without_hanging(
    durable: DurableFileSystemStorage,
) -> None:
    durable.save("a.txt", ContentFile(b"x"))
    os.mkfifo(Path(durable.location, "fifo"))

    for deed in (durable.open, durable.size):
        with pytest.raises(UnsafePath):
            deed("fifo")


def test_names_outside_the_location_are_suspicious(
    durable: DurableFileSystemStorage,
) -> None:
    for deed in (durable.open, durable.exists, durable.delete, durable.path):
        with pytest.raises(SuspiciousFileOperation):
            deed("../x")


def test_deleting_prunes_empty_folders(durable: DurableFileSystemStorage) -> None:
    durable.receive(KEY, [b"x"])
    durable.receive("ab/session/zz/file", [b"x"])

    durable.delete(KEY)

    assert durable.listdir("ab/session") == (["zz"], [])


def test_an_error_of_the_disk_passes(
    durable: DurableFileSystemStorage, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(descriptor: int, data: Any) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "write", full)
    with pytest.raises(OSError, match="No space left"):
        durable.save("a.txt", File(io.BytesIO(b"x"), "a.txt"))

    assert files_below(Path(durable.location)) == []


def test_a_fingerprint_stays_until_somebody_writes(
    durable: DurableFileSystemStorage,
) -> None:
    durable.receive(KEY, [b"abc"])
    before = rooms.fingerprint(durable, KEY)
    status = Path(durable.path(KEY)).stat()

    assert rooms.fingerprint(durable, KEY) == before
    Path(durable.path(KEY)).write_bytes(b"xbc")
    os.utime(durable.path(KEY), ns=(status.st_atime_ns, status.st_mtime_ns))
    assert rooms.fingerprint(durable, KEY) != before


def test_a_fingerprint_of_a_missing_file_is_an_error(
    durable: DurableFileSystemStorage,
) -> None:
    with pytest.raises(SourceMissing):
        rooms.fingerprint(durable, KEY)


def test_a_remote_storage_has_no_path_space_or_fingerprint() -> None:
    storage = InMemoryStorage()

    assert rooms.local_path(storage, KEY) is None
    assert rooms.free_bytes(storage) is None
    assert rooms.fingerprint(storage, KEY) == ""
    assert rooms.drop_staging(storage, "job-1-1") == 0


def test_a_local_storage_tells_path_and_space(
    durable: DurableFileSystemStorage,
) -> None:
    assert rooms.local_path(durable, KEY) == Path(durable.location, KEY)
    assert (rooms.free_bytes(durable) or 0) > 0


def test_space_is_told_where_no_folder_can_stand_as_well(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    storage = DurableFileSystemStorage(location=tmp_path / "file" / "below")

    assert (rooms.free_bytes(storage) or 0) > 0


def test_a_digest_is_of_what_is_there_now(any_storage: Storage) -> None:
    receive_into(any_storage, KEY, [b"abc"])

    assert rooms.digest_of(any_storage, KEY) == receipt_for(b"abc")
