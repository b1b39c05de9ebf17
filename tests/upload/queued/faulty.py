"""Storages with the habits of bad remotes, over a real folder."""

import hashlib
import ssl
from pathlib import Path
from threading import Barrier, Lock
from typing import Any

from django.core.cache.backends.base import BaseCache
from django.core.files.base import ContentFile
from django.core.files.storage import FileSystemStorage

HERE = "tests.upload.queued.faulty"


class Truncating(FileSystemStorage):
    """Keeps half of each file, and says nothing."""

    def _save(self, name: str, content: Any) -> str:
        whole = b"".join(content.chunks())
        return super()._save(name, ContentFile(whole[: len(whole) // 2]))


class Spoiling(FileSystemStorage):
    """Keeps as many bytes as it is given, one of them wrong."""

    def _save(self, name: str, content: Any) -> str:
        whole = b"".join(content.chunks())
        return super()._save(name, ContentFile(b"?" + whole[1:]))


class Renaming(FileSystemStorage):
    """Gives each file a name of its own choice."""

    def _save(self, name: str, content: Any) -> str:
        return super()._save(f"kept/{name}", content)


class Summing(FileSystemStorage):
    """Gives files of the same bytes one name."""

    one_at_a_time = Lock()

    def _save(self, name: str, content: Any) -> str:
        whole = b"".join(content.chunks())
        name = hashlib.sha256(whole).hexdigest()
        with self.one_at_a_time:
            if super().exists(name):
                return name
            return super()._save(name, ContentFile(whole))


class Together(FileSystemStorage):
    """Saves when four wish to, and notes how many did at once."""

    four = Barrier(4, timeout=30)
    counting = Lock()
    inside = most = 0

    def _save(self, name: str, content: Any) -> str:
        with self.counting:
            Together.inside += 1
            Together.most = max(Together.most, Together.inside)
        self.four.wait()
        saved = super()._save(name, content)
        with self.counting:
            Together.inside -= 1
        return saved


class Away(FileSystemStorage):
    """Answers nothing while a file named ``away`` lies beside its folder."""

    def _require(self) -> None:
        if (Path(self.location).parent / "away").exists():
            raise ConnectionError("no route to ftp://ada:word-of-the-test@host/x")

    def _save(self, name: str, content: Any) -> str:
        self._require()
        return super()._save(name, content)

    def exists(self, name: str) -> bool:
        self._require()
        return super().exists(name)

    def delete(self, name: str) -> None:
        self._require()
        super().delete(name)

    def listdir(self, path: str) -> tuple[list[str], list[str]]:
        self._require()
        return super().listdir(path)


class Uncertified(FileSystemStorage):
    """Its certificate has expired, of which Python tells by a kind of ValueError."""

    def _save(self, name: str, content: Any) -> str:
        raise ssl.SSLCertVerificationError("certificate has expired")


class Clinging(FileSystemStorage):
    """Cannot delete ``a.txt``, and says so in words of its own."""

    def delete(self, name: str) -> None:
        if name == "a.txt":
            raise RuntimeError("ftp://ada:word-of-the-test@host/a.txt")
        super().delete(name)


class Untouchable(FileSystemStorage):
    """May not be called at all."""

    def _refuse(self, *args: Any, **kwargs: Any) -> Any:
        raise AssertionError("the remote was asked")

    open = save = exists = size = delete = listdir = _refuse
    get_modified_time = get_created_time = get_accessed_time = _refuse


class CacheAway(BaseCache):
    """A cache whose server does not answer."""

    def __init__(self, place: str, params: dict[str, Any]) -> None:
        super().__init__(params)

    def _refuse(self, *args: Any, **kwargs: Any) -> Any:
        raise ConnectionError("no cache")

    get = set = add = delete = _refuse
