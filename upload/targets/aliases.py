"""From an alias of the setting ``DESTINATIONS`` to the target that writes there.

An entry is ``{"BACKEND": dotted path, "OPTIONS": {…}}`` as in ``STORAGES``. The backend
is a ``Target`` of ours or any Django storage. Options may be secrets: no message here
shows one.
"""

from typing import Any

from django.core.exceptions import ImproperlyConfigured
from django.core.files.storage import FileSystemStorage, Storage
from django.utils.module_loading import import_string

from upload import conf
from upload.storage import DurableFileSystemStorage, local_path
from upload.targets.base import Target, refused
from upload.targets.folder import FolderTarget
from upload.targets.storage_alias import StorageTarget
from upload.wording import gettext as _

# The optional dependencies (extras of pyproject.toml) that a backend needs.
EXTRAS = {"storages.backends.s3": "s3", "upload.targets.sftp": "sftp"}
ADAPTERS = {"storages.backends.s3.S3Storage": "upload.targets.s3.S3Target"}
# No subclass: it may write elsewhere or otherwise than its folder says.
PLAIN_FOLDERS = (FileSystemStorage, DurableFileSystemStorage)


def target_of_alias(alias: str, identity: str = "") -> Target:
    """Return the target behind an alias; it checks itself before use.

    Raise ``DestinationRefused`` where the settings have no such alias,
    ``ImproperlyConfigured`` where they cannot be followed.
    """
    entry = conf.destinations().get(alias)
    if entry is None:
        raise refused(
            alias, _("the setting DESTINATIONS does not have it under this name")
        )
    backend = _imported(alias, entry)
    options = entry.get("OPTIONS", {})
    made = _made(alias, backend, options, identity)
    return made if isinstance(made, Target) else _adapted(made, alias, identity)


def _imported(alias: str, entry: dict[str, Any]) -> Any:
    path = entry.get("BACKEND", "")
    try:
        return import_string(path)
    except (ImportError, ImproperlyConfigured) as error:
        extra = EXTRAS.get(path.rpartition(".")[0])
        raise ImproperlyConfigured(
            _(
                "DESTINATIONS[“%(alias)s”] names %(path)s, which cannot be imported. "
                "%(do)s"
            )
            % {"alias": alias, "path": path, "do": _remedy(extra)}
        ) from error


def _remedy(extra: str | None) -> str:
    if extra is None:
        return _("Correct the dotted path or install its package.")
    return _("Install the extra “%(extra)s”; docs/destinations.md says how.") % {
        "extra": extra
    }


def _made(alias: str, backend: Any, options: dict[str, Any], identity: str) -> Any:
    try:
        if isinstance(backend, type) and issubclass(backend, Target):
            options = {**options, "identity": identity}
        return backend(**options)
    except TypeError as error:
        raise ImproperlyConfigured(
            _(
                "DESTINATIONS[“%(alias)s”]: the OPTIONS %(names)s do not fit "
                "%(backend)s. Compare them with docs/destinations.md."
            )
            % {
                "alias": alias,
                "names": ", ".join(sorted(options)),
                "backend": backend.__name__,
            }
        ) from error


def _adapted(storage: Storage, alias: str, identity: str) -> Target:
    folder = local_path(storage, "") if type(storage) in PLAIN_FOLDERS else None
    if folder is not None:
        return FolderTarget(folder, allowed_roots=None, identity=identity)
    for kind in type(storage).__mro__:
        adapter = ADAPTERS.get(f"{kind.__module__}.{kind.__qualname__}")
        if adapter is not None:
            adapted: Target = import_string(adapter)(storage, identity=identity)
            return adapted
    return StorageTarget(storage, alias, identity)
