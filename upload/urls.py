"""URLs of the upload app: JSON endpoints, access to files, and pages for senders."""

from django.urls import path, re_path

from upload.views import access, api, files, known, own, pages, sessions, tus

app_name = "upload"

urlpatterns = [
    path("files/<uuid:uuid>/", access.uploaded_file, name="uploaded_file"),
    # The storages' own URLs; keys are made by us, of these characters alone.
    re_path(
        r"^media/(?P<alias>temp|uploaded)/(?P<key>[0-9A-Za-z._/-]{1,255})\Z",
        access.media,
        name="media",
    ),
    path("upload/", own.own_sessions, name="own_sessions"),
    path("upload/<uuid:uuid>/", own.own_session, name="own_session"),
    path("upload/<uuid:uuid>/describe/", own.describe, name="describe"),
    path("upload/<uuid:uuid>/reuse/", own.reuse, name="reuse_description"),
    path("upload/<uuid:uuid>/submit/", own.submit, name="submit"),
    path("api/", api.for_people, name="api"),
    path("api/openapi.json", api.description, name="openapi"),
    path("upload-session/", sessions.sessions, name="sessions"),
    path("upload-session/new/", pages.new_session, name="new_session"),
    path("upload-session/<uuid:uuid>/upload/", pages.upload_page, name="upload_page"),
    path("upload-session/<uuid:uuid>/tus/", tus.uploads, name="tus"),
    path("upload-session/<uuid:uuid>/tus/<uuid:upload>", tus.upload, name="tus_upload"),
    path("upload-session/<uuid:uuid>/files/", files.files, name="files"),
    path("upload-session/<uuid:uuid>/files/known/", known.known, name="known_files"),
    path(
        "upload-session/<uuid:uuid>/files/<uuid:file>/",
        files.file,
        name="session_file",
    ),
]
