"""Show how far a command is: a bar on a terminal, plain lines elsewhere."""

import shutil

from django.core.management.base import OutputWrapper

BAR_WIDTH = 30


class Progress:
    """One line an item where nobody watches; one bar, redrawn, on a terminal."""

    def __init__(self, total: int, out: OutputWrapper) -> None:
        self.total = total
        self.done = 0
        self._out = out

    def step(self, line: str, *, keep: bool = False) -> None:
        """Count one item; ``keep`` leaves the line standing above the bar."""
        self.done += 1
        if not self._out.isatty():
            self._out.write(line)
            return
        width = shutil.get_terminal_size().columns - 1
        if keep:
            self._out.write(f"\r{line:{width}}")
        filled = BAR_WIDTH * self.done // max(self.total, self.done)
        bar = "#" * filled + "." * (BAR_WIDTH - filled)
        drawn = f"[{bar}] {self.done}/{self.total} {line}"
        self._out.write(f"\r{drawn[:width]:{width}}", ending="")
        self._out.flush()

    def close(self) -> None:
        if self._out.isatty() and self.done:
            self._out.write("")
