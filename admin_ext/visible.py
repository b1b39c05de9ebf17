"""Make the invisible characters of a name visible, so that it cannot look like another.

The name policy refuses such names at the door; rows may be older than the policy.
"""

import re

# Controls, bidirectional marks and overrides, zero-width characters, surrogates.
HIDDEN = re.compile(
    "[\x00-\x1f\x7f-\x9f\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u2069\ufeff"
    "\ud800-\udfff]"
)


def visible(text: str) -> str:
    """Return ``text`` with hidden characters as, for example, ``[U+202E]``."""
    return HIDDEN.sub(lambda found: f"[U+{ord(found[0]):04X}]", str(text))
