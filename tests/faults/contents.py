"""The files that a fault is tried on: names, bytes and digests, known beforehand.

Imported on both sides: by the deeds, which send them, and by the oracle, which must not
believe what the product says of them.
"""

import hashlib
import random

_random = random.Random(1841)

FILES = {
    "empty.txt": b"",
    "one byte.csv": b"1",
    "ten kibibytes.pdf": b"%PDF-1.7\n" + _random.randbytes(10 * 1024 - 9),
    "three mebibytes é 資料.bin": _random.randbytes(3 * 1024 * 1024),
}
NEW_NAME = "three mebibytes é 資料.bin"
# Somebody else's file at the destination, which no copy may touch.
FOREIGN_NAME = "foreign.txt"
FOREIGN = b"not ours"
DIGESTS = {name: hashlib.sha256(content).hexdigest() for name, content in FILES.items()}
