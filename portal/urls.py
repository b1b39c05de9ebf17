"""The portal's URLs: the admin, the upload app, signing in and a health page."""

from django.contrib import admin
from django.contrib.auth import views as auth
from django.urls import include, path

from portal import views

handler500 = "upload.views.refusals.server_error"
urlpatterns = [
    path("", views.home, name="home"),
    path("login/", auth.LoginView.as_view(template_name="login.html"), name="login"),
    path("logout/", auth.LogoutView.as_view(), name="logout"),
    path("language/", views.choose_language, name="set_language"),
    path("healthz", views.health, name="health"),
    path("admin/", include("admin_ext.urls")),
    path("admin/", admin.site.urls),
    path("", include("upload.urls")),
]
