"""The digest of an upload so far, hashed beside what is written."""

import hashlib

from upload.prefix_digest import ASIDE_BYTES, PrefixDigest

LONG = b"long" * ASIDE_BYTES
CHUNKS = [LONG, b"short", LONG, LONG, b"", b"end"]


def test_chunks_hashed_aside_count_in_their_order() -> None:
    digest = PrefixDigest()
    with digest.aside():
        for chunk in CHUNKS:
            digest.update(chunk)
        receipt = digest.receipt()

    whole = b"".join(CHUNKS)
    assert receipt.size_bytes == len(whole)
    assert receipt.sha256 == hashlib.sha256(whole).hexdigest()


def test_a_copy_holds_what_was_under_way_and_nothing_later() -> None:
    digest = PrefixDigest()
    with digest.aside():
        digest.update(LONG)
        copy = digest.copy()
        digest.update(LONG)

    assert copy.receipt().sha256 == hashlib.sha256(LONG).hexdigest()
    assert digest.receipt().sha256 == hashlib.sha256(LONG * 2).hexdigest()


def test_after_the_block_it_is_hashed_at_once() -> None:
    digest = PrefixDigest()
    with digest.aside():
        digest.update(LONG)
    digest.update(LONG)

    assert digest.receipt().sha256 == hashlib.sha256(LONG * 2).hexdigest()
