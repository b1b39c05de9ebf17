"""Models of the upload app: the seed document's names and those beside them."""

from upload.models.certificate import RemovalCertificate, RemovedFile
from upload.models.copies import AccessLog, FileCopy
from upload.models.destination import Destination
from upload.models.event import SessionEvent
from upload.models.files import (
    BaseUploadedFile,
    PermUploadedFile,
    TempUploadedFile,
    delete_file_on_model_delete,
    session_upload_location,
)
from upload.models.hold import LegalHold
from upload.models.job import Job, JobItem
from upload.models.order import BulkItem, BulkOrder
from upload.models.rollup import Rollup
from upload.models.session import UploadSession
from upload.models.submission import InProgressSubmission, Submission
from upload.models.unfinished import UnfinishedUpload
from upload.models.worker import WorkerBeat

__all__ = [
    "AccessLog",
    "BaseUploadedFile",
    "BulkItem",
    "BulkOrder",
    "Destination",
    "FileCopy",
    "InProgressSubmission",
    "Job",
    "JobItem",
    "LegalHold",
    "PermUploadedFile",
    "RemovalCertificate",
    "RemovedFile",
    "Rollup",
    "SessionEvent",
    "Submission",
    "TempUploadedFile",
    "UnfinishedUpload",
    "UploadSession",
    "WorkerBeat",
    "delete_file_on_model_delete",
    "session_upload_location",
]
