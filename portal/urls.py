"""The portal's URLs: the admin, the upload app and a health page."""

from django.contrib import admin
from django.urls import include, path
from django.views.generic import RedirectView

from portal import views

urlpatterns = [
    path("", RedirectView.as_view(pattern_name="admin:index")),
    path("healthz", views.health, name="health"),
    path("admin/", admin.site.urls),
    path("", include("upload.urls")),
]
