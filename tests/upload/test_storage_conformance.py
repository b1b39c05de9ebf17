"""The contract of Django's file storage API, held to by each storage in use."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.exceptions import SuspiciousFileOperation
from django.core.files.base import ContentFile, File
from django.core.files.storage import FileSystemStorage, InMemoryStorage, Storage
from django.utils import timezone

from tests.upload.queued import remotes
from tests.upload.queued.made import FILE_SYSTEM, MovedAtOnce, to_remote
from upload.queued_storage.backends import QueuedStorage
from upload.storage import DurableFileSystemStorage, TempFileStorage

LOCAL = ["durable", "alias", "django", "memory", "queued"]
REMOTE = sorted(set(remotes.KINDS) - {"sftp-rclone", "ftp-old", "ftps"})
# Each over its remote: with files that wait here, and with files that are only there.
QUEUED = [
    f"{how}-{kind}" for how in ("waiting", "moved") for kind in ("s3", "sftp", "ftp")
]
BASE_URL = "/media/kept/"


@pytest.fixture(autouse=True)
def storages_in_tmp() -> None:
    """Make no storages: these tests look at a bare folder."""


def made(kind: str, folder: Path, settings: Any) -> Storage:
    options: dict[str, Any] = {"location": str(folder), "base_url": BASE_URL}
    durable = "upload.storage.DurableFileSystemStorage"
    settings.STORAGES = settings.STORAGES | {
        "temp": {"BACKEND": durable, "OPTIONS": options}
    }
    made: dict[str, Any] = {
        "durable": lambda: DurableFileSystemStorage(**options),
        "alias": TempFileStorage,
        "django": lambda: FileSystemStorage(**options),
        "memory": lambda: InMemoryStorage(**options),
        "queued": lambda: _queued(durable, options),
    }
    return made[kind]()  # type: ignore[no-any-return]


def _queued(local: str, options: dict[str, Any]) -> QueuedStorage:
    there = {"location": f"{options['location']}-there"}
    return QueuedStorage(local, FILE_SYSTEM, options, there)


@pytest.fixture(params=LOCAL)
def local(
    request: pytest.FixtureRequest, tmp_path: Path, settings: Any, db: None
) -> Storage:
    return made(request.param, tmp_path, settings)


@pytest.fixture(params=LOCAL + REMOTE + QUEUED)
def storage(
    request: pytest.FixtureRequest, tmp_path: Path, settings: Any, db: None
) -> Iterator[Storage]:
    if request.param in LOCAL:
        yield made(request.param, tmp_path, settings)
        return
    storage: Any
    how, dash, kind = request.param.partition("-")
    if dash:
        classes = {"waiting": QueuedStorage, "moved": MovedAtOnce}
        entry = remotes.entry_of(kind, request)
        storage = to_remote(tmp_path, entry, of=classes[how])
    else:
        storage = remotes.made(remotes.entry_of(request.param, request))
    yield storage
    if hasattr(storage, "close"):
        storage.close()


def test_it_is_a_storage(storage: Storage) -> None:
    assert isinstance(storage, Storage)


def test_what_is_saved_can_be_read(storage: Storage) -> None:
    name = storage.save("a/b.txt", ContentFile(b"bytes"))

    assert name == "a/b.txt"
    with storage.open(name) as file:
        assert isinstance(file, File)
        assert file.read() == b"bytes"


def test_text_is_saved_and_read(storage: Storage) -> None:
    name = storage.save("a.txt", ContentFile("grüße"))

    with storage.open(name, "r") as file:
        assert file.read() == "grüße"


def test_a_file_without_a_name_takes_the_contents_name(storage: Storage) -> None:
    assert storage.save(None, ContentFile(b"x", name="named.txt")) == "named.txt"


def test_a_plain_file_object_is_saved(storage: Storage, tmp_path: Path) -> None:
    source = tmp_path / "source"
    source.write_bytes(b"plain")

    with source.open("rb") as handle:
        name = storage.save("copy.bin", handle)

    assert storage.size(name) == 5


def test_an_empty_file_is_saved(storage: Storage) -> None:
    name = storage.save("empty", ContentFile(b""))

    assert storage.size(name) == 0
    assert storage.exists(name) is True


def test_a_file_is_read_by_chunks_and_lines(storage: Storage) -> None:
    storage.save("a.txt", ContentFile(b"one\ntwo\n"))

    with storage.open("a.txt") as file:
        assert list(file) == [b"one\n", b"two\n"]
        assert b"".join(file.chunks(3)) == b"one\ntwo\n"


def test_exists_tells_of_files_and_only_of_them(storage: Storage) -> None:
    storage.save("a/b.txt", ContentFile(b"x"))

    assert storage.exists("a/b.txt") is True
    assert storage.exists("a/c.txt") is False
    assert storage.exists("z/b.txt") is False


def test_a_second_file_of_a_name_gets_another_name(storage: Storage) -> None:
    first = storage.save("a.txt", ContentFile(b"first"))
    second = storage.save("a.txt", ContentFile(b"second"))

    assert second != first
    assert second.startswith("a_")
    assert second.endswith(".txt")
    with storage.open(first) as file:
        assert file.read() == b"first"


def test_available_names_keep_to_the_greatest_length(storage: Storage) -> None:
    storage.save("abcdefghij.txt", ContentFile(b"x"))

    name = storage.save("abcdefghij.txt", ContentFile(b"y"), max_length=16)

    assert len(name) <= 16
    assert storage.exists(name) is True


def test_no_name_fits_into_too_short_a_length(storage: Storage) -> None:
    with pytest.raises(SuspiciousFileOperation, match="max_length"):
        storage.save("abc.txt", ContentFile(b"x"), max_length=4)


def test_an_alternative_name_has_seven_characters_more(storage: Storage) -> None:
    name = storage.get_alternative_name("root", ".ext")

    assert name.startswith("root_")
    assert len(name) == len("root_1234567.ext")


def test_a_valid_name_is_made_from_any(storage: Storage) -> None:
    assert storage.get_valid_name("john's portrait.jpg") == "johns_portrait.jpg"


def test_a_generated_name_keeps_its_folder(storage: Storage) -> None:
    assert storage.generate_filename("a/b c.txt") == "a/b_c.txt"


@pytest.mark.parametrize("name", ["../x", "a/../../x", "/../x"])
def test_a_name_outside_is_suspicious(storage: Storage, name: str) -> None:
    with pytest.raises(SuspiciousFileOperation):
        storage.save(name, ContentFile(b"x"))
    with pytest.raises(SuspiciousFileOperation):
        storage.generate_filename(name)


def test_deleting_removes_the_file(storage: Storage) -> None:
    storage.save("a/b.txt", ContentFile(b"x"))

    storage.delete("a/b.txt")

    assert storage.exists("a/b.txt") is False


def test_deleting_what_is_not_there_is_silent(storage: Storage) -> None:
    storage.delete("nothing")
    storage.delete("no/such/thing")


def test_an_opened_file_that_is_missing_is_an_error(storage: Storage) -> None:
    with pytest.raises(FileNotFoundError):
        storage.open("nothing").read()


def test_the_size_is_in_bytes(storage: Storage) -> None:
    storage.save("a.txt", ContentFile("ü"))

    assert storage.size("a.txt") == 2


def test_a_listing_parts_folders_from_files(storage: Storage) -> None:
    for name in ("top.txt", "a/one", "a/two", "a/deep/three"):
        storage.save(name, ContentFile(b"x"))

    folders, files = storage.listdir("a")

    assert (folders, sorted(files)) == (["deep"], ["one", "two"])
    assert storage.listdir("") == (["a"], ["top.txt"])


def test_a_listing_of_a_missing_folder_is_an_error(storage: Storage) -> None:
    storage.save("a", ContentFile(b"x"))

    with pytest.raises(FileNotFoundError):
        storage.listdir("missing")


def test_a_url_is_quoted_below_the_base(local: Storage) -> None:
    assert local.url("a b/ü?.txt") == f"{BASE_URL}a%20b/%C3%BC%3F.txt"


def test_a_path_lies_below_the_location(local: Storage, tmp_path: Path) -> None:
    assert local.path("a/b.txt") == str(tmp_path / "a" / "b.txt")


def test_the_modified_time_is_aware_and_now(storage: Storage) -> None:
    storage.save("a.txt", ContentFile(b"x"))

    moment = storage.get_modified_time("a.txt")

    assert timezone.is_aware(moment)
    assert abs(timezone.now() - moment) < timedelta(minutes=1)


def test_the_modified_time_is_naive_without_time_zones(
    storage: Storage, settings: Any
) -> None:
    settings.USE_TZ = False
    storage.save("a.txt", ContentFile(b"x"))

    assert timezone.is_naive(storage.get_modified_time("a.txt"))


@pytest.mark.parametrize("what", ["accessed", "created"])
def test_times_are_aware_and_now(local: Storage, what: str) -> None:
    local.save("a.txt", ContentFile(b"x"))

    moment = getattr(local, f"get_{what}_time")("a.txt")

    assert timezone.is_aware(moment)
    assert abs(timezone.now() - moment) < timedelta(minutes=1)


@pytest.mark.parametrize("what", ["accessed", "created"])
def test_times_are_naive_without_time_zones(
    local: Storage, settings: Any, what: str
) -> None:
    settings.USE_TZ = False
    local.save("a.txt", ContentFile(b"x"))

    assert timezone.is_naive(getattr(local, f"get_{what}_time")("a.txt"))
