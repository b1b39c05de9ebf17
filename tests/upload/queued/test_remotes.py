"""The contract of a storage, held to by each remote storage before its server."""

import io
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.core.exceptions import SuspiciousFileOperation
from django.core.files.base import ContentFile, File
from django.core.files.storage import Storage
from django.utils import timezone

from tests.upload.queued.remotes import KINDS, entry_of, made

MIB = 1 << 20
LONG = bytes(range(256)) * (40 << 10) + b"end"  # 10 MiB and a bit


@pytest.fixture(autouse=True)
def storages_in_tmp() -> None:
    """Make no storages: these tests look at one remote storage."""


@pytest.fixture(params=KINDS)
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def storage(kind: str, request: pytest.FixtureRequest, db: None) -> Iterator[Storage]:
    # "db" by name: pytest-django makes only what it sees asked for.
    storage = made(entry_of(kind, request))
    yield storage
    if hasattr(storage, "close"):
        storage.close()


def everything(storage: Storage, folder: str = "") -> dict[str, bytes]:
    folders, files = storage.listdir(folder)
    lead = f"{folder}/" if folder else ""
    held = {}
    for name in files:
        with storage.open(f"{lead}{name}") as file:
            held[f"{lead}{name}"] = file.read()
    for name in folders:
        held |= everything(storage, f"{lead}{name}")
    return held


def test_what_is_saved_can_be_read(storage: Storage) -> None:
    name = storage.save("a/b c/ü?.txt", ContentFile(b"bytes"))

    assert name == "a/b c/ü?.txt"
    with storage.open(name) as file:
        assert isinstance(file, File)
        assert file.read() == b"bytes"


def test_text_is_saved_and_read(storage: Storage) -> None:
    storage.save("a.txt", ContentFile("grüße"))

    assert storage.size("a.txt") == 7
    with storage.open("a.txt", "r") as file:
        assert file.read() == "grüße"


def test_an_empty_file_is_saved(storage: Storage) -> None:
    storage.save("empty", ContentFile(b""))

    assert storage.size("empty") == 0
    with storage.open("empty") as file:
        assert file.read() == b""


def test_a_long_file_comes_back_whole(storage: Storage) -> None:
    storage.save("long.bin", ContentFile(LONG))

    assert storage.size("long.bin") == len(LONG)
    with storage.open("long.bin") as file:
        assert b"".join(file.chunks(MIB)) == LONG


def test_a_file_is_read_from_anywhere(storage: Storage) -> None:
    storage.save("long.bin", ContentFile(LONG))

    with storage.open("long.bin") as file:
        assert file.read(10) == LONG[:10]
        file.seek(3 * MIB + 7)
        assert file.read(10) == LONG[3 * MIB + 7 : 3 * MIB + 17]
        file.seek(-3, io.SEEK_END)
        assert file.read() == b"end"
        file.seek(0)
        assert file.read() == LONG
    assert file.size == len(LONG)


def test_a_file_is_read_by_lines(storage: Storage) -> None:
    storage.save("a.txt", ContentFile(b"one\ntwo\n"))

    with storage.open("a.txt") as file:
        assert list(file) == [b"one\n", b"two\n"]


def test_a_file_half_read_leaves_nothing_open(storage: Storage) -> None:
    storage.save("long.bin", ContentFile(LONG))

    for _time in range(6):
        with storage.open("long.bin") as file:
            file.read(5)

    assert everything(storage) == {"long.bin": LONG}


def test_exists_tells_what_is_there(storage: Storage) -> None:
    storage.save("a/b.txt", ContentFile(b"x"))

    assert storage.exists("a/b.txt") is True
    assert storage.exists("a/c.txt") is False
    assert storage.exists("z/b.txt") is False


def test_a_second_file_of_a_name_gets_another_name(storage: Storage) -> None:
    first = storage.save("a.txt", ContentFile(b"first"))
    second = storage.save("a.txt", ContentFile(b"second"))

    assert second.startswith("a_")
    assert everything(storage) == {first: b"first", second: b"second"}


@pytest.mark.parametrize("size", [5, len(LONG)])
def test_a_writer_who_comes_second_replaces_nothing(
    storage: Storage, size: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    storage.save("a.txt", ContentFile(b"first"))
    # What a race looks like: the name was free when it was asked for.
    monkeypatch.setattr(storage, "exists", lambda name: name == "a.txt")

    second = storage._save("a.txt", ContentFile(LONG[:size]))  # type: ignore[attr-defined]

    monkeypatch.undo()
    assert everything(storage) == {"a.txt": b"first", second: LONG[:size]}


class Failing(ContentFile):
    """Content that cannot be read to its end, as on a bad disk."""

    def chunks(self, chunk_size: int | None = None) -> Iterator[bytes]:
        yield LONG[: 9 * MIB]
        raise FileNotFoundError("the source went away")


def test_an_interrupted_save_leaves_no_name(storage: Storage) -> None:
    with pytest.raises(FileNotFoundError, match="went away"):
        storage.save("a/b.bin", Failing(LONG))

    assert storage.exists("a/b.bin") is False
    storage.save("a/b.bin", ContentFile(b"again"))
    assert everything(storage) == {"a/b.bin": b"again"}


def test_deleting_removes_one_file_and_minds_no_missing_one(storage: Storage) -> None:
    for name in ("a/b.txt", "a/long.bin"):
        storage.save(name, ContentFile(LONG))

    storage.delete("a/long.bin")
    storage.delete("a/long.bin")
    storage.delete("no/such/thing")

    assert everything(storage) == {"a/b.txt": LONG}


@pytest.mark.parametrize("deed", ["open", "size", "get_modified_time"])
def test_a_missing_file_is_an_error(storage: Storage, deed: str) -> None:
    with pytest.raises(FileNotFoundError):
        getattr(storage, deed)("a/nothing")


def test_a_listing_parts_folders_from_files(storage: Storage) -> None:
    for name in ("top.txt", "a/one", "a/two", "a/deep/three", "ab/x"):
        storage.save(name, ContentFile(b"x"))

    assert storage.listdir("a") == (["deep"], ["one", "two"])
    assert storage.listdir("") == (["a", "ab"], ["top.txt"])
    with pytest.raises(FileNotFoundError):
        storage.listdir("missing")


@pytest.mark.parametrize("name", ["../x", "a/../../x", "/x", "a\nb", ".muniment-x"])
def test_a_name_outside_is_suspicious(storage: Storage, name: str) -> None:
    with pytest.raises(SuspiciousFileOperation):
        storage.save(name, ContentFile(b"x"))
    with pytest.raises(SuspiciousFileOperation):
        storage.open(name)


def test_a_file_is_opened_only_to_read(storage: Storage) -> None:
    with pytest.raises(ValueError, match="save"):
        storage.open("a.txt", "wb")


def test_the_modified_time_is_now(storage: Storage, settings: Any) -> None:
    storage.save("a.txt", ContentFile(b"x"))

    moment = storage.get_modified_time("a.txt")
    settings.USE_TZ = False

    assert abs(timezone.now() - moment.replace(tzinfo=None)) < timedelta(minutes=1)
    assert timezone.is_aware(moment)
    assert timezone.is_naive(storage.get_modified_time("a.txt"))


def test_secrets_are_not_told(storage: Storage, kind: str, caplog: Any) -> None:
    told = repr(storage) + str(storage) + caplog.text

    assert "of-the-test" not in told
