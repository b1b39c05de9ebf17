"""What a process keeps until it ends, out of the garbage collector's sight."""

import gc


def freeze() -> None:
    """Never look again through what is there now for garbage.

    Called once, when a process has loaded everything and before it forks: a full round
    over Django's own objects stops all threads for some 90 ms, and makes each fork
    copy the pages it reads.
    """
    gc.collect()
    gc.freeze()
