"""Make the groups have exactly the permissions that ``fixtures.roles`` names."""

from typing import Any

from django.core.management.base import BaseCommand

from fixtures.roles import ROLES, load_roles


class Command(BaseCommand):
    help = "Create or mend the groups of the portal; people stay in their groups."

    def handle(self, *args: Any, **options: Any) -> None:
        load_roles()
        self.stdout.write(f"{len(ROLES)} roles are as they should be.")
