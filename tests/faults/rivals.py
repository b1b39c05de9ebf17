"""Callers and workers at a barrier: ``… tests.faults.rivals ROUNDS CALLERS SECONDS``.

Each is a process of its own with its own connection. This one prepares a session, lets
all callers ask at once, then two workers run what was made, and compares what each says
with the rows. Its last line is the counts as JSON.
"""

import json
import multiprocessing
import random
import sys
import time
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import django

WORKERS = 2
PATIENCE_SECONDS = 120
fork = multiprocessing.get_context("fork")


def main() -> None:
    """Fork the rivals before any connection is made, and let them play."""
    rounds, callers = int(sys.argv[1]), int(sys.argv[2])
    django.setup()
    barrier = fork.Barrier(callers)
    start = fork.Barrier(WORKERS)
    asking = [_forked(_ask, barrier) for _ in range(callers)]
    working = [_forked(_work, start) for _ in range(WORKERS)]
    ends_at = time.monotonic() + float(sys.argv[3])
    counts = _play(rounds, ends_at, asking, working)
    for pipe in (*asking, *working):
        pipe.send(None)
    sys.stdout.write(json.dumps(counts) + "\n")


def _forked(act: Any, barrier: Any) -> Connection:
    ours, theirs = fork.Pipe()
    fork.Process(target=_serve, args=(act, barrier, theirs), daemon=True).start()
    return ours


def _serve(act: Any, barrier: Any, pipe: Connection) -> None:
    while (order := pipe.recv()) is not None:
        barrier.wait(PATIENCE_SECONDS)
        try:
            pipe.send(act(*order))
        except Exception as error:  # noqa: BLE001 - it is what the round has to judge
            pipe.send(f"{type(error).__name__}: {error}")


def _ask(session_id: int, kind: str, user_id: int) -> tuple[str, str]:
    """Ask as the admin does; return ``won`` or ``told`` with the words of it."""
    from portal.models import User
    from upload import jobs
    from upload.errors import IllegalTransition, SessionBusy
    from upload.models import Destination, UploadSession
    from upload.states import JobKind

    session = UploadSession.objects.get(pk=session_id)
    place = Destination.objects.get() if kind == JobKind.COPY else None
    user = User.objects.get(pk=user_id)
    try:
        jobs.request(session, JobKind(kind), user, destination=place, reason="old")
    except (IllegalTransition, SessionBusy) as error:
        return "told", str(error)
    return "won", kind


def _work(job_id: int) -> bool:
    """Run the job as a worker to whom it was delivered."""
    from upload import tasks

    return tasks.run_job(job_id)


def _play(
    rounds: int, ends_at: float, asking: list[Connection], working: list[Connection]
) -> Any:
    counts: dict[str, Any] = dict.fromkeys(
        ("rounds", "winners", "told", "executions"), 0
    )
    counts["wrong"] = []
    user, chance = _people(), random.Random(rounds)
    for number in range(rounds):
        if time.monotonic() > ends_at:
            break
        session = _prepared(number, user)
        kinds = ["store", "remove"] if session.status == "UG" else ["copy", "remove"]
        orders = [(session.pk, chance.choice(kinds), user.pk) for _ in asking]
        answers = _all(asking, orders)
        _judge(counts, number, session, answers, working)
        counts["rounds"] += 1
    return counts


def _all(pipes: list[Connection], orders: list[Any]) -> list[Any]:
    for pipe, order in zip(pipes, orders, strict=True):
        pipe.send(order)
    return [pipe.recv() for pipe in pipes]


def _judge(
    counts: Any, number: int, session: Any, answers: list[Any], working: Any
) -> None:
    """Count who won and who ran it; write down what may not be."""
    from upload.states import MOVING_KINDS

    won = [answer for answer in answers if answer[0] == "won"]
    messages = [answer for answer in answers if answer[0] == "told" and answer[1]]
    made = list(session.job_set.filter(kind__in=MOVING_KINDS, finished_at=None))
    if (len(won), len(messages), len(made)) != (1, len(answers) - 1, 1):
        counts["wrong"].append(f"round {number}: {answers}, {len(made)} jobs")
        return
    ran = _all(working, [(made[0].pk,)] * WORKERS)
    made[0].refresh_from_db()
    ended = (made[0].state, made[0].attempts)
    if sorted(map(str, ran)) != ["False", "True"] or ended != ("succeeded", 1):
        counts["wrong"].append(f"round {number}: {ran}, ended as {ended}")
    counts["winners"] += 1
    counts["told"] += len(messages)
    counts["executions"] += ran.count(True)


def _people() -> Any:
    from django.conf import settings

    from portal.models import User
    from upload.models import Destination

    folder = Path(settings.DESTINATION_ROOTS[0]) / "archive"
    folder.mkdir(parents=True)
    Destination.objects.create(name="Archive", folder=str(folder))
    return User.objects.create_superuser("admin", password=None)


def _prepared(number: int, user: Any) -> Any:
    """Return a session with one file: in even rounds a new one, in odd ones stored."""
    from django.core.files.uploadedfile import SimpleUploadedFile

    from upload.models import Job, UploadSession

    session = UploadSession.new_session(user=None)
    session.add_temp_file(SimpleUploadedFile("a.txt", b"alpha"))
    if number % 2:
        session.make_uploads_permanent()
        Job.objects.filter(session=session, kind="verify").delete()
        session.refresh_from_db()
    return session


if __name__ == "__main__":
    main()
