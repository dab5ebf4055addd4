"""Every setting, with its environment variable and default, in one place.

Nothing else in the project reads the environment. The three store URLs come from
the environment, or else from the embedded engines of this checkout.
"""

import logging
from datetime import timedelta
from pathlib import Path
from typing import Any

import structlog
from environs import Env

from cdp.engines.urls import broker_url, current_urls, parse_database_url

env = Env()
BASE_DIR = Path(__file__).resolve().parent.parent

# --- Who and where ---------------------------------------------------------------------------
DEBUG = env.bool("CDP_DEBUG", False)
PRODUCTION = env.bool("CDP_PRODUCTION", False)
DATA_DIR = Path(env.str("CDP_DATA", str(BASE_DIR / ".data")))
PUBLIC_URL = env.str("CDP_PUBLIC_URL", "http://127.0.0.1:8000")
ALLOWED_HOSTS = env.list("CDP_ALLOWED_HOSTS", ["127.0.0.1", "localhost", "testserver"])
CSRF_TRUSTED_ORIGINS: list[str] = env.list("CDP_TRUSTED_ORIGINS", [])
# Pages of these origins may call the REST API from browsers, such as https://app.luma.example.
# They send a token of their own; cookies are never taken along. The doors are open to all.
CORS_ALLOWED_ORIGINS: list[str] = env.list("CDP_CORS_ORIGINS", [])
CORS_URLS_REGEX = r"^/api/v1/"
CORS_ALLOW_HEADERS = [
    "accept",
    "authorization",
    "content-type",
    "idempotency-key",
    "if-match",
    "if-none-match",
    "x-sandbox-name",
]
CORS_EXPOSE_HEADERS = [
    "ETag",
    "Location",
    "RateLimit-Limit",
    "RateLimit-Remaining",
    "RateLimit-Reset",
    "Retry-After",
    "X-Request-ID",
]

_urls = current_urls(DATA_DIR)  # environment first, then the embedded engines
DATABASE_URL = _urls.database
REDIS_URL = _urls.redis
CLICKHOUSE_URL = _urls.clickhouse

# In production both must be given; on one's own machine the engines keep them in `.data/`.
SECRET_KEY = env.str("CDP_SECRET_KEY") if PRODUCTION else _urls.secret("django")
# Wraps each organization's data key. Comma separated: the first encrypts, all can decrypt.
SECRETS_KEYS = env.list("CDP_SECRETS_KEYS") if PRODUCTION else [_urls.secret("secrets")]

# --- Applications ------------------------------------------------------------------------------
INSTALLED_APPS = [
    "cdp.tenancy.console.apps.ConsoleConfig",  # django.contrib.admin
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "oauth2_provider",
    "corsheaders",
    "rest_framework",
    "django_filters",
    "django_structlog",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "cdp.tenancy",
    "cdp.clickhouse",
    "cdp.queue",
    "cdp.jobs",
    "cdp.api",
    "governance",
    "cdp.schemas",
    "cdp.datasets",
    "profiles",
    "segments",
    "destinations",
    "journeys",
    "insights",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django_structlog.middlewares.RequestMiddleware",
    "cdp.api.paths.TolerantPaths",
    "corsheaders.middleware.CorsMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]

ROOT_URLCONF = "cdp.urls"
WSGI_APPLICATION = "cdp.wsgi.application"
APPEND_SLASH = False  # a redirect loses the body of a POST; routes take both forms instead
AUTH_USER_MODEL = "tenancy.Operator"
LOGIN_URL = "admin:login"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
USE_TZ = True
TIME_ZONE = "UTC"
LANGUAGE_CODE = "en"
STATIC_URL = "/static/"
WHITENOISE_USE_FINDERS = True  # from the packages themselves; there is nothing to collect
WHITENOISE_AUTOREFRESH = DEBUG

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    }
]

AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
        "NumericPasswordValidator",
    )
]

PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",  # what people choose
    "cdp.tenancy.hashers.RandomSecretHasher",  # what we make: client secrets
]

# --- Stores --------------------------------------------------------------------------------------
DATABASES = {
    "default": {
        **parse_database_url(DATABASE_URL),
        "CONN_MAX_AGE": env.int("CDP_DB_CONN_MAX_AGE", 600),
        "CONN_HEALTH_CHECKS": True,
        # A scope's settings live in its transaction; a view's reads and writes share it.
        "ATOMIC_REQUESTS": False,
        "DISABLE_SERVER_SIDE_CURSORS": True,
    }
}

CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.redis.RedisCache",
        "LOCATION": REDIS_URL,
        "OPTIONS": {"socket_timeout": 0.2, "socket_connect_timeout": 0.2},
    }
}

CLICKHOUSE_CLUSTER = env.str("CLICKHOUSE_CLUSTER", "")
# Where a ClickHouse server keeps its backups: Disk('backups', '{name}') or S3(...).
CLICKHOUSE_BACKUP_TO = env.str("CLICKHOUSE_BACKUP_TO", "")
# Writes into the event store pause for the instant of a backup. Off, there are none while running.
CLICKHOUSE_GATE = env.bool("CLICKHOUSE_GATE", True)
# (seconds, bytes) a class of query may use before the store ends it.
CLICKHOUSE_BUDGETS = {
    "lookup": (5, 1_000_000_000),
    "streaming": (20, 2_000_000_000),
    "full": (600, 8_000_000_000),
    "tenant_sql": (300, 4_000_000_000),
    "maintenance": (3_600, 8_000_000_000),
}

# --- Work ----------------------------------------------------------------------------------------
CELERY_BROKER_URL = broker_url(REDIS_URL)
# What a worker that dies had not begun is lost, and the next tick makes it good: a message is
# only a wake-up. Keeping it in Redis until it is done would end workers when Redis goes away.
CELERY_BROKER_TRANSPORT_OPTIONS = {"ack_emulation": False}
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_CONNECTION_MAX_RETRIES = None
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
# The work is in the queue and goes on without the broker.
CELERY_WORKER_CANCEL_LONG_RUNNING_TASKS_ON_CONNECTION_LOSS = False
CELERY_WORKER_MAX_MEMORY_PER_CHILD = 1_000_000  # kilobytes; then a fresh child takes its place
CELERY_WORKER_SEND_TASK_EVENTS = False
CELERY_TIMEZONE = "UTC"

# A worker that dies is noticed after this long; one that lives keeps its claims by itself.
QUEUE_LEASE = timedelta(seconds=15)
QUEUE_TOGETHER_ATTEMPTS = 2  # then the rows of a claim are tried one by one
QUEUE_MAX_ATTEMPTS = 8  # then a row is put aside with its reason
QUEUE_MAX_DEATHS = 10  # as many workers in succession may die with a row before it is put aside
JOB_MAX_DEATHS = 3  # as many workers may die with a job before it has failed
# A sandbox with more records waiting than this is answered 429 at the doors.
QUEUE_BACKLOG_LIMIT = env.int("CDP_BACKLOG_LIMIT", 500_000)

# How long a page waits for its visitor's segments; then it is told those that were known before.
EDGE_SECONDS = env.float("CDP_EDGE_SECONDS", 0.25)

# --- Going out -----------------------------------------------------------------------------------
# Inner hosts that destinations may reach although they are inside a private network. Others'
# data goes out of here, so this stays empty unless you run the receiver yourself.
ALLOWED_PRIVATE_HOSTS: list[str] = env.list("CDP_ALLOWED_PRIVATE_HOSTS", [])
# Where file destinations of the protocol `file` write, each sandbox in its own folder.
EXPORT_DIR = Path(env.str("CDP_EXPORTS", str(DATA_DIR / "exports")))
EXPORT_PROTOCOLS = env.list("CDP_EXPORT_PROTOCOLS", ["file"])
DELIVERY_SECONDS = env.int("CDP_DELIVERY_SECONDS", 15)
DELIVERIES_KEPT = timedelta(days=90)  # then it is forgotten what was sent
EXPORTS_KEPT = timedelta(days=env.int("CDP_EXPORTS_KEPT_DAYS", 7))  # files of profile exports
DELIVERY_PATIENCE = timedelta(days=2)  # then what could not even be tried has failed
# How long to wait before each further attempt at a delivery; after the last it has failed.
DELIVERY_DELAYS = [
    timedelta(seconds=seconds)
    for seconds in (1, 5, 30, 120, 600, 1_800, 7_200, 18_000, 36_000, 36_000)
]

# --- The API -------------------------------------------------------------------------------------
# Doors read the stream themselves and hold their own limits, on packed and on unpacked bytes.
DATA_UPLOAD_MAX_MEMORY_SIZE = env.int("CDP_MAX_BODY", 10_000_000)
# Uploaded and staged files: a folder, or any store that fsspec speaks to (s3://, gs://, abfs://).
FILES_URL = env.str("CDP_FILES_URL", (DATA_DIR / "files").as_uri())
FILES_OPTIONS: Any = env.json("CDP_FILES_OPTIONS", {})
FILE_PIECE_LIMIT = env.int("CDP_FILE_PIECE_LIMIT", 256_000_000)  # one PUT or one piece of a file
BATCH_BYTES_LIMIT = env.int("CDP_BATCH_BYTES_LIMIT", 100_000_000_000)
BATCH_FILES_LIMIT = env.int("CDP_BATCH_FILES_LIMIT", 10_000)
BATCH_KEPT_LOADING = timedelta(days=7)  # then a batch that is never completed is abandoned
# What sources may read: local files only below the sandbox's folder here.
SOURCE_DIR = Path(env.str("CDP_SOURCES", str(DATA_DIR / "sources")))
SOURCE_PROTOCOLS = env.list("CDP_SOURCE_PROTOCOLS", ["s3", "gs", "abfs", "sftp", "file"])
DOOR_MAX_PACKED = env.int("CDP_DOOR_MAX_PACKED", 5_000_000)  # RudderStack's trackers send 4 MB
DOOR_MAX_UNPACKED = env.int("CDP_DOOR_MAX_UNPACKED", 10_000_000)
API_MAX_BODY = env.int("CDP_MAX_API_BODY", 2_000_000)
API_RATE_LIMIT = env.str("CDP_RATE_LIMIT", "6000/min")
IDEMPOTENCY_KEPT = timedelta(hours=24)

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "cdp.api.authentication.BearerAuthentication",
        "cdp.api.authentication.OperatorSession",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["cdp.api.permissions.HasNamedPermission"],
    "DEFAULT_CONTENT_NEGOTIATION_CLASS": "cdp.api.renderers.TolerantNegotiation",
    "DEFAULT_RENDERER_CLASSES": ["cdp.api.renderers.StrictJSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["cdp.api.parsers.StrictJSONParser"],
    "DEFAULT_THROTTLE_CLASSES": ["cdp.api.throttling.CredentialThrottle"],
    "DEFAULT_PAGINATION_CLASS": "cdp.api.pagination.CursorPagination",
    "DEFAULT_FILTER_BACKENDS": ["cdp.api.filters.FilterBackend"],
    "DEFAULT_SCHEMA_CLASS": "cdp.api.openapi.ProblemAutoSchema",
    "EXCEPTION_HANDLER": "cdp.api.errors.problem_response",
    "UNAUTHENTICATED_USER": None,
    "TEST_REQUEST_DEFAULT_FORMAT": "json",
    "COMPACT_JSON": True,
}

SPECTACULAR_SETTINGS = {
    "TITLE": "Customer Data Platform",
    "VERSION": "1",
    "OAS_VERSION": "3.1.0",
    "DESCRIPTION": "Collect, stitch, segment and activate customer data.",
    "SERVE_INCLUDE_SCHEMA": False,
    "SERVE_PERMISSIONS": [],
    "SERVE_AUTHENTICATION": [],
    "COMPONENT_SPLIT_REQUEST": True,
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "REDOC_DIST": "SIDECAR",
    "SCHEMA_PATH_PREFIX": "/api/v1",
    "DEFAULT_QUERY_MANAGER": "_default_manager",
    "POSTPROCESSING_HOOKS": [],  # choices stay where they are, so that nobody must name them
}

# Credentials belong to organizations, so they are our own application model.
OAUTH2_PROVIDER_APPLICATION_MODEL = "tenancy.Credential"
OAUTH2_PROVIDER = {
    "ACCESS_TOKEN_EXPIRE_SECONDS": env.int("CDP_TOKEN_SECONDS", 3_600),
    "SCOPES": {"api": "Everything the credential's roles allow"},
    # Every recommendation of RFC 9700; of tokens and client secrets only hashes are kept.
    **{
        f"COMPLIANT_BCP_RFC9700_{name}": True
        for name in (
            "IMPLICIT_GRANT",
            "PASSWORD_GRANT",
            "PKCE_METHOD",
            "ACCESS_TOKEN_TRANSPORT",
            "AUTHZ_RESPONSE_ISS",
            "TOKEN_STORAGE",
            "REFRESH_TOKEN",
            "REDIRECT_URI_SCHEME",
            "REDIRECT_URI_MATCHING",
            "PKCE_REQUIRED",
        )
    },
    "PKCE_REQUIRED": True,
    "REFRESH_TOKEN_REUSE_PROTECTION": True,
    "ALLOWED_REDIRECT_URI_SCHEMES": ["https"],
    "CLIENT_SECRET_HASHER": "cdp_random",
    "REFRESH_TOKEN_EXPIRE_SECONDS": 0,
}

# --- Security ------------------------------------------------------------------------------------
X_FRAME_OPTIONS = "DENY"
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
SESSION_COOKIE_HTTPONLY = True
if PRODUCTION:
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    SECURE_SSL_REDIRECT = env.bool("CDP_SSL_REDIRECT", True)
    SECURE_REDIRECT_EXEMPT = [r"^healthz$", r"^readyz$", r"^metrics$"]
    SECURE_HSTS_SECONDS = 31_536_000
    SECURE_HSTS_INCLUDE_SUBDOMAINS = True
    SECURE_HSTS_PRELOAD = True
    SESSION_COOKIE_SECURE = True
    CSRF_COOKIE_SECURE = True

# --- Logs ----------------------------------------------------------------------------------------
DJANGO_STRUCTLOG_STATUS_START_LOG_LEVEL = logging.DEBUG  # a request is one line, at its end
_log_processors: list[Any] = [
    structlog.contextvars.merge_contextvars,
    structlog.stdlib.add_log_level,
    structlog.stdlib.add_logger_name,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
    structlog.processors.StackInfoRenderer(),
    structlog.processors.format_exc_info,
]
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "json": {
            "()": structlog.stdlib.ProcessorFormatter,
            "processor": structlog.processors.JSONRenderer(),
            "foreign_pre_chain": _log_processors,
        }
    },
    "handlers": {"stdout": {"class": "logging.StreamHandler", "formatter": "json"}},
    "root": {"handlers": ["stdout"], "level": env.str("CDP_LOG_LEVEL", "INFO")},
    # Each wake-up would be three lines; what it found to do has a line of its own.
    "loggers": {
        name: {"level": "WARNING"}
        for name in ("celery.worker.strategy", "celery.app.trace", "celery.beat")
    },
}
structlog.configure(
    processors=[
        structlog.stdlib.filter_by_level,
        *_log_processors,
        structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
    ],
    logger_factory=structlog.stdlib.LoggerFactory(),
    cache_logger_on_first_use=True,
)
