"""Cut the power at a step, and start again with what had reached the disk by then.

The portal's disk is ext4 on a loop device. At the step the process is stopped and the
image behind the device is copied: the copy holds what the file system had sent to the
device and nothing that still was in memory. It then takes the disk's place.
"""

import os
import shutil
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.faults import operations, sweep
from tests.faults.mounts import make_image, mounted
from tests.faults.operations import Operation
from tests.faults.sweep import Step, Verdict
from tests.faults.world import Portal, World

DISK_MIB = 96
# All stands on the one disk, so that a store never crosses file systems.
OPERATIONS = [o for o in operations.OPERATIONS if o.name != "store across"]
THE_END = Step("exit", 1)
QUIET = ("-o", os.devnull, "-e", "trace=exit_group")


@dataclass(frozen=True, slots=True)
class Disk:
    """A portal whose disk, mounted at ``place``, starts as ``base`` each time."""

    portal: Portal
    operation: Operation
    place: Path
    base: Path

    def steps(self) -> list[Step]:
        """Run the operation unharmed; return its steps and, last, its end."""
        with self._fresh():
            return [*sweep.traced_steps(self.portal, self.operation), THE_END]

    def cut(self, step: Step, deed: str = "") -> Verdict:
        """Cut the power at a step; then what is true must lead to the end."""
        verdict = Verdict(step)
        with self._fresh() as image:
            verdict.reached = self._stop(deed or self.operation.deed, step, image)
        with mounted(self.base.with_name("cut.img"), self.place):
            sweep.judge_recovery(self.portal, self.operation, verdict)
        return verdict

    @contextmanager
    def _fresh(self) -> Iterator[Path]:
        """Mount the disk as it is at the start; yield the image behind it."""
        image = self.base.with_name("disk.img")
        _copy(self.base, image)
        self.portal.world.restore_ledger()
        with mounted(image, self.place):
            yield image

    def _stop(self, deed: str, step: Step, image: Path) -> bool:
        """Stop the deed at a step and copy the image; return whether it came so far."""
        options = QUIET if step == THE_END else sweep.injecting(step, "STOP")
        with self.portal.traced(deed, *options) as process:
            end = self.portal.wait(process)
            _copy(image, self.base.with_name("cut.img"))
            if end == "stopped":
                os.kill(process, signal.SIGKILL)
                self.portal.wait(process)
        return end == "stopped" or step == THE_END


@contextmanager
def standing(root: Path, operation: Operation, migrated: Path) -> Iterator[Disk]:
    """Yield a disk with a portal at the operation's start."""
    place, base = root / "disk", root / "base.img"
    place.mkdir(parents=True)
    make_image(base, DISK_MIB)
    with mounted(base, place):
        world = World(root / "world", place / "uploaded", place / "data")
        world.take_database(migrated)
        portal = Portal(world)
        portal.run(operation.before)
        world.keep_ledger()
    with portal:
        yield Disk(portal, operation, place, base)
    shutil.rmtree(root)


def _copy(image: Path, other: Path) -> None:
    subprocess.run(["cp", "--sparse=always", image, other], check=True)
