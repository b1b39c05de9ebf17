"""Listing and naming look at both sides, and at the rows."""

import os
from pathlib import Path

import pytest
from django.core.files.base import ContentFile

from tests.upload.queued.made import (
    DELETING_TASK,
    between_folders,
    content,
    faulty,
    work,
)
from upload.queued_storage.models import QueuedFile

pytestmark = pytest.mark.django_db(transaction=True)


def test_both_sides_are_listed(tmp_path: Path) -> None:
    storage = between_folders(tmp_path, task=DELETING_TASK)
    storage.save("a/gone.txt", ContentFile(b"x"))
    work()
    storage.delayed = True
    storage.save("a/here.txt", ContentFile(b"x"))
    storage.save("a/deep/er.txt", ContentFile(b"x"))

    assert storage.listdir("a") == (["deep"], ["gone.txt", "here.txt"])
    assert storage.listdir("") == (["a"], [])


def test_what_was_on_the_remote_before_is_listed(tmp_path: Path) -> None:
    (tmp_path / "there/a/older").mkdir(parents=True)
    (tmp_path / "there/a/old.txt").write_bytes(b"old")
    storage = between_folders(tmp_path)
    storage.save("a/new.txt", ContentFile(b"new"))

    assert storage.listdir("a") == (["older"], ["new.txt", "old.txt"])
    for name in storage.listdir("a")[1]:
        assert storage.exists(f"a/{name}")


def test_an_available_name_is_free_on_both_sides(tmp_path: Path) -> None:
    (tmp_path / "there").mkdir()
    (tmp_path / "there/old.txt").write_bytes(b"old")
    storage = between_folders(tmp_path)
    here = storage.save("new.txt", ContentFile(b"new"))

    assert storage.get_available_name("free.txt") == "free.txt"
    assert storage.get_available_name("old.txt") != "old.txt"
    assert storage.get_available_name(here) != here


def test_a_file_of_two_names_is_listed_by_its_own(tmp_path: Path) -> None:
    (tmp_path / "there").mkdir()
    (tmp_path / "there/a.txt").write_bytes(b"a stranger's")
    storage = between_folders(tmp_path)
    storage.save("b.txt", ContentFile(b"ours"))
    work()
    # The name was taken on the remote between the search for it and the transfer.
    QueuedFile.objects.filter(name="b.txt").update(
        remote_name="b_x1.txt", remote_digest=storage.remote_digest("b_x1.txt")
    )
    (tmp_path / "there/b.txt").rename(tmp_path / "there/b_x1.txt")

    assert storage.listdir("") == ([], ["a.txt", "b.txt"])


def test_a_file_that_is_being_deleted_is_not_listed(tmp_path: Path) -> None:
    storage = between_folders(tmp_path)
    storage.save("a.txt", ContentFile(b"bytes"))
    work()

    storage.delete("a.txt")

    assert (tmp_path / "there/a.txt").exists()
    assert storage.listdir("") == ([], [])


def test_a_remote_that_is_away_makes_no_short_list(tmp_path: Path) -> None:
    storage = faulty("Away", tmp_path)
    storage.save("a.txt", ContentFile(b"bytes"))
    (tmp_path / "away").touch()

    with pytest.raises(ConnectionError):
        storage.listdir("")


def test_a_folder_on_neither_side_is_missed(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        between_folders(tmp_path).listdir("nowhere")


def test_a_lost_file_is_not_listed(tmp_path: Path) -> None:
    storage = between_folders(tmp_path, delayed=True)
    storage.save("a.txt", ContentFile(b"bytes"))
    (tmp_path / "here/a.txt").unlink()

    assert storage.exists("a.txt") is False
    assert storage.listdir("") == ([], [])


def test_a_name_that_is_no_unicode_spoils_no_list(tmp_path: Path) -> None:
    storage = between_folders(tmp_path)
    storage.save("a.txt", ContentFile(b"bytes"))
    (tmp_path / "here" / os.fsdecode(b"\xff.txt")).write_bytes(b"odd")

    _folders, files = storage.listdir("")

    assert files == ["a.txt", "\udcff.txt"]
    assert [content(storage, name) for name in files] == [b"bytes", b"odd"]
    with pytest.raises(UnicodeEncodeError):
        storage.save("\udcfe.txt", ContentFile(b"x"))
    assert storage.listdir("")[1] == files
