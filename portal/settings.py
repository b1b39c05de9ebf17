"""One settings file, driven by the environment and closed by default.

``env.example`` lists every variable. DEBUG is off, HTTPS is on and a secret is
required unless the environment says otherwise.
"""

from pathlib import Path

from django.utils.translation import gettext_lazy as _

from portal import env, places

BASE_DIR = Path(__file__).resolve().parent.parent
DATA_DIR = env.directory("DATA_DIR", BASE_DIR / ".data")

# Security
SECRET_KEY = env.text("SECRET_KEY", example="fifty-or-more-random-characters")
SECRET_KEY_FALLBACKS = env.words("SECRET_KEY_FALLBACKS")
DEBUG = env.boolean("DEBUG", default=False)
ALLOWED_HOSTS = env.words("ALLOWED_HOSTS")
CSRF_TRUSTED_ORIGINS = env.words("CSRF_TRUSTED_ORIGINS")
HTTPS_ONLY = env.boolean("HTTPS_ONLY", default=True)
SECURE_SSL_REDIRECT = HTTPS_ONLY
SECURE_REDIRECT_EXEMPT = [r"^healthz$"]  # asked by the machine itself, over HTTP
SECURE_HSTS_SECONDS = 31_536_000 if HTTPS_ONLY else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = HTTPS_ONLY
SECURE_HSTS_PRELOAD = HTTPS_ONLY
SECURE_REFERRER_POLICY = "same-origin"
SESSION_COOKIE_SECURE = HTTPS_ONLY
CSRF_COOKIE_SECURE = HTTPS_ONLY
SESSION_COOKIE_HTTPONLY = True
X_FRAME_OPTIONS = "DENY"
if env.boolean("BEHIND_TLS_PROXY", default=False):
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")

INSTALLED_APPS = [
    "portal",
    "admin_ext",
    "upload",
    "upload.queued_storage",
    "unfold",
    "unfold.contrib.filters",
    "unfold.contrib.import_export",
    "import_export",
    "django_filters",
    "django_q",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "portal.language.language_of_person",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "upload.views.refusals.BusyDatabase",
]

ROOT_URLCONF = "portal.urls"
WSGI_APPLICATION = "portal.wsgi.application"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "portal" / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    },
]

# Database. SQLite: WAL with synchronous=FULL keeps every acknowledged commit through
# a power cut; IMMEDIATE makes writers queue instead of failing half-way. 16 MiB of a
# connection's own memory hold the indexes that a row goes into (2 MiB by default).
DATABASES = {
    "default": env.mapping(
        "DATABASE_URL",
        env.database(f"sqlite:///{DATA_DIR / 'muniment.sqlite3'}"),
        env.database,
    )
}
if DATABASES["default"]["ENGINE"] == "django.db.backends.sqlite3":
    DATABASES["default"]["OPTIONS"] = {
        "transaction_mode": "IMMEDIATE",
        "timeout": env.integer("SQLITE_WAIT_SECONDS", 20, minimum=1),
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; "
        "PRAGMA cache_size=-16384;",
    }
else:
    DATABASES["default"]["CONN_HEALTH_CHECKS"] = True
# Kept between requests: SQLite writes its log back whenever the last connection closes.
DATABASES["default"]["CONN_MAX_AGE"] = 60
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# People
AUTH_USER_MODEL = "portal.User"
# Not the admin's own page: people who only send files sign in here as well.
LOGIN_URL = "login"
LOGIN_REDIRECT_URL = "home"
LOGOUT_REDIRECT_URL = "login"
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
        "NumericPasswordValidator",
    )
]

# Mail: reminders to owners of sessions. Without a host none is sent.
EMAIL_HOST = env.text("EMAIL_HOST", "")
EMAIL_PORT = env.integer("EMAIL_PORT", 25, minimum=1)
EMAIL_HOST_USER = env.text("EMAIL_HOST_USER", "")
EMAIL_HOST_PASSWORD = env.text("EMAIL_HOST_PASSWORD", "")
EMAIL_USE_TLS = env.boolean("EMAIL_USE_TLS", default=False)
EMAIL_TIMEOUT = 30
DEFAULT_FROM_EMAIL = env.text("DEFAULT_FROM_EMAIL", "muniment@localhost")
# How people reach the portal, for the links in mails.
PORTAL_URL = env.text("PORTAL_URL", "http://localhost:8000")

# The site whose frame the upload page gets for staff; the core names it only here.
STAFF_SITE = "django.contrib.admin.sites.site"
# What the health page tells of, beside the database: each answers "ok",
# "unavailable" or "off".
HEALTH_PARTS = {"scanner": "upload.malware.state"}
CSRF_FAILURE_VIEW = "upload.views.refusals.csrf_failure"

# Language and time
LANGUAGE_CODE = env.text("LANGUAGE_CODE", "en")
LANGUAGES = [("en", _("English")), ("fr", _("French")), ("ja", _("Japanese"))]
LOCALE_PATHS = [BASE_DIR / "portal" / "locale"]
LANGUAGE_COOKIE_SECURE = HTTPS_ONLY
LANGUAGE_COOKIE_HTTPONLY = True
LANGUAGE_COOKIE_SAMESITE = "Lax"
TIME_ZONE = env.text("TIME_ZONE", "UTC")
USE_I18N = True
USE_TZ = True

# Files
TEMP_STORAGE_FOLDER = env.directory("TEMP_STORAGE_FOLDER", DATA_DIR / "temp")
UPLOAD_STORAGE_FOLDER = env.directory("UPLOAD_STORAGE_FOLDER", DATA_DIR / "uploaded")
# A second place, to which permanent files are transferred after they were stored:
# {"BACKEND": …, "OPTIONS": {…}} as in STORAGES; see docs/queued-storage.md.
UPLOADED_STORAGE_REMOTE = env.backend(
    "UPLOADED_STORAGE_REMOTE", "upload.queued_storage.remotes.s3.VerifiedS3Storage"
)
UPLOADED_STORAGE_KEEP_LOCAL = env.boolean("UPLOADED_STORAGE_KEEP_LOCAL", default=True)
STATIC_URL = "/static/"
STATIC_ROOT = DATA_DIR / "static"
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.InMemoryStorage"},
    "staticfiles": {"BACKEND": "portal.static_files.StaticFiles"},
    "temp": places.durable(TEMP_STORAGE_FOLDER, "/media/temp/"),
    "uploaded": places.uploaded(
        UPLOAD_STORAGE_FOLDER,
        UPLOADED_STORAGE_REMOTE,
        keep_local=UPLOADED_STORAGE_KEEP_LOCAL,
    ),
}
# nginx serves downloads from this internal location; empty: Django does.
ACCEL_REDIRECT_PREFIX = env.text("ACCEL_REDIRECT_PREFIX", "")
# Folders below which a destination's folder must lie.
DESTINATION_ROOTS = [
    Path(root)
    for root in env.words("DESTINATION_ROOTS", str(DATA_DIR / "destinations"))
]
# Destinations elsewhere, by alias: {"BACKEND": …, "OPTIONS": {…}} as in STORAGES. Their
# secrets stand only here; see docs/destinations.md.
DESTINATIONS = env.backends("DESTINATIONS")
# Named in each bag as its Source-Organization.
ORGANISATION_NAME = env.text("ORGANISATION_NAME", "")

# Upload sessions, named as the documents name them; -1 switches the first three off.
UPLOAD_SESSION_MAX_CONCURRENT_OPEN = env.switchable(
    "UPLOAD_SESSION_MAX_CONCURRENT_OPEN", 10
)
UPLOAD_SESSION_EXPIRE_AFTER_INACTIVE_MINUTES = env.switchable(
    "UPLOAD_SESSION_EXPIRE_AFTER_INACTIVE_MINUTES", 1440
)
UPLOAD_SESSION_EXPIRING_REMINDER_MINUTES = env.switchable(
    "UPLOAD_SESSION_EXPIRING_REMINDER_MINUTES", 480
)
FILE_UPLOAD_ENABLED = env.boolean("FILE_UPLOAD_ENABLED", default=True)
ACCEPTED_FILE_FORMATS = env.mapping(
    "ACCEPTED_FILE_FORMATS",
    {
        "PDF": ["pdf"],
        "Document": ["doc", "docx", "odt", "rtf", "txt"],
        "Spreadsheet": ["csv", "ods", "xls", "xlsx"],
        "Image": ["gif", "jpeg", "jpg", "png", "tif", "tiff"],
        "Audio": ["flac", "mp3", "wav"],
        "Video": ["mkv", "mov", "mp4"],
        "Archive": ["zip"],
    },
    env.formats,
)
MAX_SINGLE_UPLOAD_SIZE_MB = env.integer("MAX_SINGLE_UPLOAD_SIZE_MB", 6144, minimum=1)
MAX_TOTAL_UPLOAD_SIZE_MB = env.integer("MAX_TOTAL_UPLOAD_SIZE_MB", 102_400, minimum=1)
MAX_TOTAL_UPLOAD_COUNT = env.integer("MAX_TOTAL_UPLOAD_COUNT", 100_000, minimum=1)
ACCEPT_EMPTY_FILES = env.boolean("ACCEPT_EMPTY_FILES", default=True)
# Malware scanner (clamd): unix:/path or host:port; empty: files are not scanned.
CLAMD_ADDRESS = env.mapping("CLAMD_ADDRESS", "", env.socket_address)
CLAMD_TIMEOUT_SECONDS = env.integer("CLAMD_TIMEOUT_SECONDS", 120, minimum=1)
# What clamd surely reads to its end: its StreamMaxLength and MaxFileSize, whichever is
# less. Larger files are refused while it is on.
CLAMD_MAX_SCAN_MB = env.integer("CLAMD_MAX_SCAN_MB", 25, minimum=1)
UPLOADERS_MAY_DOWNLOAD_STORED = env.boolean(
    "UPLOADERS_MAY_DOWNLOAD_STORED", default=False
)
DELETE_EXPIRED_AFTER_DAYS = env.integer("DELETE_EXPIRED_AFTER_DAYS", 30, minimum=0)
ORPHAN_GRACE_HOURS = env.integer("ORPHAN_GRACE_HOURS", 24, minimum=0)
UNFINISHED_UPLOAD_HOURS = env.integer("UNFINISHED_UPLOAD_HOURS", 24, minimum=1)
FIXITY_CHECK_EVERY_DAYS = env.switchable("FIXITY_CHECK_EVERY_DAYS", 30)
REMOVAL_NEEDS_APPROVAL = env.boolean("REMOVAL_NEEDS_APPROVAL", default=True)

# Jobs. A lease that is not renewed for JOB_LEASE_SECONDS marks its worker as dead;
# the sweep looks for such jobs every JOB_SWEEP_SECONDS.
JOB_LEASE_SECONDS = env.integer("JOB_LEASE_SECONDS", 60, minimum=2)
JOB_SWEEP_SECONDS = env.integer("JOB_SWEEP_SECONDS", 30, minimum=1)
JOB_MAX_ATTEMPTS = env.integer("JOB_MAX_ATTEMPTS", 5, minimum=1)
JOB_RETRY_DELAY_SECONDS = env.integer("JOB_RETRY_DELAY_SECONDS", 5, minimum=0)
# Transfers of queued storages; the first retry waits for QUEUED_STORAGE_RETRY_DELAY
# seconds, each further one twice as long.
QUEUED_STORAGE_CACHE_PREFIX = env.text("QUEUED_STORAGE_CACHE_PREFIX", "queued_storage")
QUEUED_STORAGE_RETRIES = env.integer("QUEUED_STORAGE_RETRIES", 5, minimum=0)
QUEUED_STORAGE_RETRY_DELAY = env.integer("QUEUED_STORAGE_RETRY_DELAY", 60, minimum=0)
QUEUED_STORAGE_LEASE_SECONDS = JOB_LEASE_SECONDS
QUEUED_STORAGE_CLUSTER = "long"
# A queue whose workers took no heartbeat task for so long is replaced; never less than
# four sweeps.
WORKER_SILENCE_SECONDS = env.integer("WORKER_SILENCE_SECONDS", 20, minimum=5)
# While this file exists, running jobs go back to the queue; set by run_worker.
WORKER_STOP_FILE = env.text("WORKER_STOP_FILE", "")

# Two queues on the ORM broker: "default" for short tasks, "long" for byte-moving
# ones. A task lost or run twice is harmless: the Job row is the truth, so failed
# tasks are acknowledged and retry lies far beyond timeout.
Q_CLUSTER = {
    "name": "default",
    "orm": "default",
    "workers": 1,
    "timeout": 600,
    "retry": 3600,
    "queue_limit": 1,
    "max_attempts": 1,
    "ack_failures": True,
    "catch_up": False,
    "save_limit": 1000,
    "poll": 0.2,
    "broker_class": "upload.broker.AllowListBroker",
    "label": "Django Q2",
    "ALT_CLUSTERS": {
        "long": {
            "workers": env.integer("JOB_WORKERS", 2, minimum=1),
            "timeout": 6 * 3600,
            "retry": 24 * 3600,
            "queue_limit": 1,
            "max_attempts": 1,
            "ack_failures": True,
        }
    },
}

# Exports never write a formula; the resources escape cells themselves as well.
IMPORT_EXPORT_ESCAPE_FORMULAE_ON_EXPORT = False
IMPORT_EXPORT_EXPORT_PERMISSION_CODE = "export"
IMPORT_EXPORT_IMPORT_PERMISSION_CODE = "import"

# The admin's look; the dotted paths are called with the request.
ENVIRONMENT_LABEL = env.text("ENVIRONMENT_LABEL", "")
UNFOLD = {
    "SITE_TITLE": "Muniment",
    "SITE_HEADER": "Muniment",
    "SITE_SUBHEADER": _("Records portal"),
    "SITE_SYMBOL": "archive",
    "SITE_URL": None,
    "SHOW_LANGUAGES": True,
    "ENVIRONMENT": "admin_ext.navigation.environment",
    "DASHBOARD_CALLBACK": "admin_ext.dashboard.page_context",
    "SITE_FAVICONS": [
        {
            "rel": "icon",
            "type": "image/svg+xml",
            "href": "admin_ext.navigation.favicon",
        }
    ],
    "STYLES": ["admin_ext.navigation.stylesheet"],
    "SCRIPTS": [
        "admin_ext.navigation.live_script",
        "admin_ext.navigation.renew_script",
        "admin_ext.navigation.copy_script",
        "admin_ext.navigation.names_script",
    ],
    "SIDEBAR": {"show_search": True, "navigation": "admin_ext.navigation.sidebar"},
    # Teal, a shade darker than usual from 600 on, so that white text on it is legible.
    "COLORS": {
        "primary": {
            "50": "oklch(98.4% .014 180.72)",
            "100": "oklch(95.3% .051 180.801)",
            "200": "oklch(91% .096 180.426)",
            "300": "oklch(85.5% .138 181.071)",
            "400": "oklch(77.7% .152 181.912)",
            "500": "oklch(70.4% .14 182.503)",
            "600": "oklch(51.1% .096 186.391)",
            "700": "oklch(43.7% .078 188.216)",
            "800": "oklch(38.6% .063 188.416)",
            "900": "oklch(33% .055 190)",
            "950": "oklch(27.7% .046 192.524)",
        }
    },
}

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "line": {"format": "%(asctime)s %(levelname)s %(name)s %(message)s"},
    },
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["console"], "level": env.text("LOG_LEVEL", "INFO")},
    # Two lines a task, one a schedule and six a connection would hide what matters.
    "loggers": {
        "django-q": {"level": "WARNING"},
        "paramiko": {"level": "WARNING"},
    },
}
