"""A remote that has one file under another name, seen under the name that we use."""

from typing import Any

from django.core.files.storage import Storage


class Renamed(Storage):
    """Forwards to the remote; ``name`` means the file that is ``remote_name`` there."""

    def __init__(self, remote: Storage, name: str, remote_name: str) -> None:
        self._remote = remote
        self._names = {name: remote_name}

    def _there(self, name: Any) -> Any:
        return self._names.get(name, name)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__") or name in {"_remote", "_names"}:
            raise AttributeError(name)
        return getattr(self._remote, name)


def _forward(method: str) -> Any:
    def call(self: Renamed, name: Any, *args: Any, **kwargs: Any) -> Any:
        return getattr(self._remote, method)(self._there(name), *args, **kwargs)

    call.__name__ = method
    return call


for _method in (
    "open",
    "exists",
    "size",
    "url",
    "path",
    "delete",
    "listdir",
    "save",
    "get_accessed_time",
    "get_created_time",
    "get_modified_time",
):
    setattr(Renamed, _method, _forward(_method))
