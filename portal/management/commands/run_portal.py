"""Start the whole portal in the foreground: database, demo, web server and worker.

For trying it out and for one person's machine; ``deploy/`` has the unit files of a
server. Ctrl-C or SIGTERM ends it with exit code 0.
"""

from functools import partial
from typing import Any

from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import connections

from fixtures import people
from fixtures.demo import load_demo
from fixtures.roles import load_roles
from portal import preparing, serving


class Command(BaseCommand):
    help = "Run the portal: prepare everything, then serve until Ctrl-C."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--host", default="127.0.0.1")
        parser.add_argument("--port", type=int, default=8000)
        parser.add_argument(
            "--no-demo", action="store_true", help="make no demo people and sessions"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        host, port = options["host"], options["port"]
        try:
            serving.require_free_port(host, port)
            self._prepare(demo=not options["no_demo"])
            serving.Portal(
                serving.children(host, port),
                partial(serving.answers, host, port),
                partial(self._tell_ready, host, port),
            ).run()
        except (serving.PortTaken, serving.KeepsDying) as error:
            raise CommandError(str(error)) from error
        self.stdout.write("Muniment has stopped.")

    def _prepare(self, *, demo: bool) -> None:
        if preparing.migrate():
            self.stdout.write("The database is ready.")
        load_roles()
        call_command("sync_schedules", verbosity=0)
        if demo:
            load_demo(self.stdout.write)
        if preparing.collect_static():
            self.stdout.write("The static files are ready.")
        connections.close_all()  # from here on only the children use the database

    def _tell_ready(self, host: str, port: int) -> None:
        self.stdout.write(f"\nMuniment is ready: http://{host}:{port}/\n\n")
        signs_in = people.passwords()
        for person in people.PEOPLE:
            if person.username in signs_in:
                name, password = person.username, signs_in[person.username]
                self.stdout.write(
                    f"  {name:<10}{password:<15}{person.role or 'Superuser'}"
                )
        if not signs_in:
            self.stdout.write("Make the first account: manage.py createsuperuser")
        self.stdout.write("\nCtrl-C stops it.")
        self.stdout.flush()
