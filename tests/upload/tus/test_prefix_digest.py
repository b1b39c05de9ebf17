"""The digest of an upload so far, hashed beside what is written."""

import hashlib
import os
import threading
from pathlib import Path

import pytest

from upload.copy_engine import HASH_ASIDE_BYTES
from upload.prefix_digest import PrefixDigest

LONG = b"long" * (HASH_ASIDE_BYTES // 2)
CHUNKS = [LONG, b"short", LONG, LONG, b"", b"end"]


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def test_chunks_hashed_aside_count_in_their_order() -> None:
    with PrefixDigest() as digest:
        for chunk in CHUNKS:
            digest.update(chunk)
        receipt = digest.receipt()

    whole = b"".join(CHUNKS)
    assert (receipt.size_bytes, receipt.sha256) == (len(whole), sha256(whole))


def test_a_copy_holds_what_was_under_way_and_nothing_later() -> None:
    with PrefixDigest() as digest:
        digest.update(LONG)
        copy = digest.copy()
        digest.update(LONG)

    assert copy.receipt().sha256 == sha256(LONG)
    assert digest.receipt().sha256 == sha256(LONG * 2)


def test_it_goes_on_with_what_stands_in_the_file(tmp_path: Path) -> None:
    (tmp_path / "partial").write_bytes(LONG)
    descriptor = os.open(tmp_path / "partial", os.O_RDONLY)
    with PrefixDigest() as digest:
        digest.read_on(descriptor, len(LONG))
        digest.update(LONG)
    os.close(descriptor)

    assert digest.receipt().sha256 == sha256(LONG * 2)


def test_where_no_thread_can_begin_it_is_hashed_here(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """As in a process that ends, or that may have no more threads."""

    def refuse(thread: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", refuse)
    with PrefixDigest() as digest:
        for chunk in CHUNKS:
            digest.update(chunk)

    assert digest.receipt().sha256 == sha256(b"".join(CHUNKS))
