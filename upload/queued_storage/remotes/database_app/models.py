"""Files as rows: one for the file, one for each piece of its bytes."""

from django.db import models


class StoredFile(models.Model):
    """A file that has no name before all its pieces are there.

    NULL in ``name`` is a file that is being written, or whose writer died.
    """

    name = models.CharField(max_length=1024, unique=True, null=True)  # noqa: DJ001
    size = models.BigIntegerField(default=0)
    sha256 = models.CharField(max_length=64, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        app_label = "queued_storage_database"

    def __str__(self) -> str:
        return self.name or f"({self.pk})"


class StoredPiece(models.Model):
    """The bytes from ``number`` × 1 MiB on; the last piece is shorter."""

    file = models.ForeignKey(StoredFile, models.CASCADE, related_name="pieces")
    number = models.PositiveIntegerField()
    content = models.BinaryField()

    class Meta:
        app_label = "queued_storage_database"
        constraints = [
            models.UniqueConstraint(fields=["file", "number"], name="piece_once")
        ]

    def __str__(self) -> str:
        return f"{self.file_id}/{self.number}"
