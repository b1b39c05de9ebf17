"""Transfer all due files of one storage: a few threads move bytes, one writes rows.

Claims a handful, sends it, settles it and takes the next. Gives the queue back after a
minute, when the remote seems to be away, and when the worker is to stop.
"""

import logging
import threading
import time
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import nullcontext
from itertools import count
from posixpath import join, split, splitext
from typing import Any

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from upload.queued_storage import attempts, queueing, records, registry, settling
from upload.queued_storage.attempts import End, Outcome, attempt
from upload.queued_storage.conf import settings
from upload.queued_storage.loading import made_task
from upload.queued_storage.models import FileState, QueuedFile
from upload.queued_storage.sending import Sending, TransferStopped
from upload.queued_storage.stopping import stoppable

logger = logging.getLogger(__name__)

THREADS = 8
# Of long files fewer go at once: each holds parts in memory.
LONG_AT_ONCE, LONG_BYTES = 4, 8 << 20
HANDFUL = 16
TURN_SECONDS = 60.0
LOOK_SECONDS = 1.0
SETTLE_SECONDS = 0.2
MOST_UNSETTLED = 12
FAILURES_OF_AN_OUTAGE = 8
MOST_NAMES_TRIED = 20
# What file systems take, on this machine and behind SFTP and FTP.
MOST_NAME_BYTES = 255


def drain(storage_key: str) -> str:
    """Transfer what is due; return what was done, for the queue's record."""
    queueing.taken(storage_key)
    storages = registry.find(storage_key)
    if not storages:
        _tell_homeless(storage_key)
        return "no such storage"
    return Drain(storages[0], {storage.task for storage in storages}).run()


def _tell_homeless(storage_key: str) -> None:
    """Log whose storage is missing; its row has a digest of the places, no more."""
    waiting = records.due(storage_key)
    first = waiting.order_by("pk").values_list("name", flat=True).first()
    logger.error(
        "%d files wait, “%s” for one: their storage (key %s) is made nowhere in this "
        "project. Name it in STORAGES or in a model's field. If its folder, bucket or "
        "another option was changed: its files are known by the old one.",
        waiting.count(),
        first or "",
        storage_key,
    )


class Drain:
    """One turn at one storage. Only the thread that made it writes rows."""

    def __init__(self, storage: Any, tasks: set[str]) -> None:
        self._storage = storage
        self._key: str = storage.storage_key
        self._tasks = {path: made_task(path) for path in tasks}
        self._running: dict[Future[Outcome], QueuedFile] = {}
        self._lost: set[records.Claim] = set()
        self._halt = threading.Event()
        self._few = threading.Semaphore(LONG_AT_ONCE)
        self._failures_in_a_row = 0
        self._renewed = self._settled_at = time.monotonic()
        self._settled = settling.Counts()

    def run(self) -> str:
        until = time.monotonic() + TURN_SECONDS
        with (
            stoppable() as told_to_stop,
            ThreadPoolExecutor(THREADS, "transfer") as pool,
        ):
            try:
                while self._turn(pool, is_over=time.monotonic() > until):
                    if told_to_stop():
                        self._halt.set()
            finally:
                self._halt.set()
                self._let_go()
        if not self._is_away() and records.due(self._key).exists():
            queueing.ask(self._key)
        return str(self._settled)

    def _is_away(self) -> bool:
        return self._failures_in_a_row >= FAILURES_OF_AN_OUTAGE

    def _turn(self, pool: ThreadPoolExecutor, *, is_over: bool) -> bool:
        """Fill, wait, settle; return whether there is more to do."""
        ending = is_over or self._is_away() or self._halt.is_set()
        if ending:
            self._cancel_waiting()
        elif sum(not future.done() for future in self._running) <= THREADS:
            self._fill(pool)
        if not self._running:
            return False
        lease = settings.QUEUED_STORAGE_LEASE_SECONDS
        patience = min(LOOK_SECONDS, lease / 4)
        moving = [future for future in self._running if not future.done()]
        wait(moving, patience, FIRST_COMPLETED)
        self._settle_some(pool)
        if time.monotonic() - self._renewed > lease / 4:
            self._renew()
        return True

    def _fill(self, pool: ThreadPoolExecutor) -> None:
        for row in records.claim(self._key, HANDFUL):
            if self._is_spent(row):
                error = _("Its worker ended %(count)d times before the transfer did.")
                settling.fail(row, error % {"count": row.attempts - 1})
            elif row.state != FileState.SENDING or self._has_name(row):
                self._submit(row, pool)

    def _is_spent(self, row: QueuedFile) -> bool:
        is_beyond = settling.is_last(self._task_of(row), row.attempts - 1)
        return row.state == FileState.SENDING and is_beyond

    def _task_of(self, row: QueuedFile) -> Any:
        return self._tasks.get(row.task) or self._tasks[self._storage.task]

    def _submit(self, row: QueuedFile, pool: ThreadPoolExecutor) -> None:
        sending = attempts.sending_of(row, self._check_of(records.claim_of(row)))
        task = self._task_of(row)
        future = pool.submit(self._attempt, task, row, sending)
        self._running[future] = row

    def _attempt(self, task: Any, row: QueuedFile, sending: Sending) -> Outcome:
        is_long = row.size is None or row.size > LONG_BYTES
        with self._few if is_long else nullcontext():
            return attempt(self._storage, task, row, sending)

    def _check_of(self, claim: records.Claim) -> Any:
        def check() -> None:
            if self._halt.is_set() or claim in self._lost:
                raise TransferStopped

        return check

    def _has_name(self, row: QueuedFile) -> bool:
        return bool(row.remote_name) or self._name(row, row.name)

    def _name(self, row: QueuedFile, wanted: str) -> bool:
        """Write a name on the remote that no other row has; False where it is lost."""
        name = wanted
        for number in count():
            digest = self._storage.remote_digest(name)
            try:
                with transaction.atomic(records.write_alias()):
                    mine = records.held(row)
                    kept = mine.update(remote_name=name, remote_digest=digest)
            except IntegrityError:
                if number == MOST_NAMES_TRIED:
                    raise
                name = self._other(row.name)
            else:
                row.remote_name = name
                return bool(kept)
        raise AssertionError("count() does not end")

    def _other(self, name: str) -> str:
        folder, file_name = split(name)
        root, extension = splitext(file_name)
        other = self._storage.remote.get_alternative_name(root, extension)
        if (excess := len(other.encode()) - MOST_NAME_BYTES) > 0:
            root = root.encode()[:-excess].decode(errors="ignore")
            other = self._storage.remote.get_alternative_name(root, extension)
        return join(folder, other)

    def _settle_some(self, pool: ThreadPoolExecutor) -> None:
        """Settle several at a time: each time the disk is waited for."""
        done = [future for future in self._running if future.done()]
        is_time = time.monotonic() - self._settled_at > SETTLE_SECONDS
        if done and (is_time or len(done) >= MOST_UNSETTLED or self._all_ended(done)):
            self._settle(done, pool)
            self._settled_at = time.monotonic()

    def _all_ended(self, done: list[Future[Outcome]]) -> bool:
        return len(done) == len(self._running)

    def _settle(self, done: list[Future[Outcome]], pool: ThreadPoolExecutor) -> None:
        outcomes = [future.result() for future in done]
        for future in done:
            del self._running[future]
        for outcome in outcomes:
            if outcome.end is End.FAILED:
                self._failures_in_a_row += not outcome.is_permanent
            elif outcome.end is not End.STOPPED:
                self._failures_in_a_row = 0
        taken = [o for o in outcomes if o.end is End.NAME_TAKEN]
        rest = [o for o in outcomes if o.end is not End.NAME_TAKEN]
        settling.settle(self._storage, rest, self._settled)
        for outcome in taken:
            if self._name(outcome.row, self._other(outcome.row.name)):
                self._submit(outcome.row, pool)

    def _renew(self) -> None:
        self._renewed = time.monotonic()
        self._lost |= records.renew(self._running.values())

    def _cancel_waiting(self) -> None:
        for future in list(self._running):
            if future.cancel():
                records.give_back(self._running.pop(future))

    def _let_go(self) -> None:
        """Give back what was not started, and settle what ends at its next chunk."""
        self._cancel_waiting()
        while self._running:
            done, _rest = wait(self._running, LOOK_SECONDS, FIRST_COMPLETED)
            for future in done:
                del self._running[future]
            outcomes = [future.result() for future in done]
            settling.settle(self._storage, outcomes, self._settled)
            if self._running:
                self._renew()
