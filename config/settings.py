"""All settings, read from the environment only. A missing secret stops the start.

`.env.example` lists every name with a line of explanation; a test keeps the two in step. The numbers of pace
and limits are in pace_settings.py, the providers' addresses and clients in provider_settings.py.
"""

from pathlib import Path

from csp.constants import NONCE, NONE, SELF, STRICT_DYNAMIC

from config.environment import env
from config.pace_settings import *  # noqa: F403 - settings like those below
from config.provider_settings import *  # noqa: F403

BASE_DIR = Path(__file__).resolve().parent.parent

# --- what this process is -------------------------------------------------------------------
SECRET_KEY = env.str("SECRET_KEY")
SECRET_KEY_FALLBACKS = env.list("SECRET_KEY_FALLBACKS", default=[])
DEBUG = env.bool("DEBUG", default=False)
DEMO = env.bool("OUTREACH_DEMO", default=False)
TESTING = env.bool("OUTREACH_TESTING", default=False)
# Places at which this process is made to fail, for tests only (accounts/failpoints.py).
FAILPOINTS = env.str("FAILPOINTS", default="")
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=["localhost", "127.0.0.1"])
CSRF_TRUSTED_ORIGINS = env.list("CSRF_TRUSTED_ORIGINS", default=[])
PUBLIC_BASE_URL = env.str("PUBLIC_BASE_URL", default="http://localhost:8000").rstrip("/")
TRACKING_BASE_URL = env.str("TRACKING_BASE_URL", default=PUBLIC_BASE_URL).rstrip("/")
NOTIFICATION_BASE_URL = env.str("NOTIFICATION_BASE_URL", default="").rstrip("/")

INSTALLED_APPS = [
    "accounts.apps.AccountsConfig",
    "mailbox.apps.MailboxConfig",
    "tracking.apps.TrackingConfig",
    "outreach.apps.OutreachConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.humanize",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "allauth",
    "allauth.account",
    "allauth.socialaccount",
    "accounts.social.apps.SocialConfig",
    "allauth.mfa",
    "allauth.usersessions",
    "django_htmx",
    "csp",
    "rest_framework",
    "drf_spectacular",
    "drf_spectacular_sidecar",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "config.headers.HeadersMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "accounts.people.session_limits.SessionLimitsMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "accounts.origin.OriginMiddleware",
    "accounts.people.known_browsers.KnownBrowserMiddleware",
    "accounts.people.sign_ins.LastSeenMiddleware",
    "accounts.people.proof.ProofMiddleware",
    "accounts.middleware.WorkspaceMiddleware",
]

ROOT_URLCONF = "config.urls"
WSGI_APPLICATION = "config.wsgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "builtins": ["accounts.templatetags.ui"],
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "accounts.context.nonce",
                "accounts.context.workspace",
                "outreach.context.navigation",
            ],
        },
    }
]

# --- the outbound door (accounts/outbound.py): for tests only, refused without DEBUG -----------
# What names answer, "name=127.0.0.1:8080,…", and addresses that may be reached though they are not public.
OUTBOUND_NAMES = env.dict("OUTBOUND_NAMES", default={})
OUTBOUND_ALLOW = env.list("OUTBOUND_ALLOW", default=[])

# --- data -----------------------------------------------------------------------------------
# The wrapped data keys live in a database of their own, so that a backup of one is useless
# without the other (decisions 14).
DATABASES = {"default": env.db_url("DATABASE_URL"), "keystore": env.db_url("KEYSTORE_URL")}
for _database in DATABASES.values():
    _database.setdefault("CONN_MAX_AGE", env.int("CONN_MAX_AGE", default=60))
    _database.setdefault("CONN_HEALTH_CHECKS", True)
    # A pooler gives each transaction another connection (docs/operating.md, PgBouncer).
    _database.setdefault("DISABLE_SERVER_SIDE_CURSORS", True)
# The role that the product connects as; `migrate` connects as the owner and gives it its rights.
DATABASE_ROLE = env.str("DATABASE_ROLE", default="outreach_app")
DATABASE_ROUTERS = ["accounts.keyring.keystore.KeystoreRouter"]
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
REDIS_URL = env.str("REDIS_URL", default="redis://127.0.0.1:6379/0")
CACHES = {"default": {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": REDIS_URL}}

# "id:base64,id:base64", newest first: the first wraps, the others still unwrap (accounts/keyring/).
KEYS = env.list("KEYS")
KEY_PROVIDER = env.str("KEY_PROVIDER", default="accounts.keyring.providers.LocalKeys")
# A process learns of a new version within the first; an old one is kept for the second after its last use.
KEY_REFRESH_SECONDS = env.float("KEY_REFRESH_SECONDS", default=30.0)
KEY_GRACE_SECONDS = env.float("KEY_GRACE_SECONDS", default=300.0)

# --- people ---------------------------------------------------------------------------------
AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = ["allauth.account.auth_backends.AuthenticationBackend"]
PASSWORD_HASHERS = [f"django.contrib.auth.hashers.{kind}PasswordHasher" for kind in ("Argon2", "PBKDF2")]
_VALIDATORS = "django.contrib.auth.password_validation"
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"{_VALIDATORS}.UserAttributeSimilarityValidator"},
    {"NAME": f"{_VALIDATORS}.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": f"{_VALIDATORS}.CommonPasswordValidator"},
]
ACCOUNT_ADAPTER = "accounts.people.adapter.AccountAdapter"
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*"]
ACCOUNT_SIGNUP_FORM_CLASS = "accounts.forms.SignupForm"
ACCOUNT_FORMS = {
    "login": "accounts.people.entrance.SignInForm",
    "signup": "accounts.people.entrance.AccountSignupForm",
    "reauthenticate": "accounts.people.entrance.PasswordAgainForm",
    "add_email": "accounts.people.entrance.AddressForm",
}
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_EMAIL_VERIFICATION = env.str("ACCOUNT_EMAIL_VERIFICATION", default="mandatory")
ACCOUNT_EMAIL_SUBJECT_PREFIX = ""
ACCOUNT_CONFIRM_EMAIL_ON_GET = False
ACCOUNT_LOGIN_ON_EMAIL_CONFIRMATION = True
ACCOUNT_LOGOUT_ON_PASSWORD_CHANGE = True
ACCOUNT_SESSION_REMEMBER = True
# A change of password, address or factor is told by mail to the person.
ACCOUNT_EMAIL_NOTIFICATIONS = True
ACCOUNT_CHANGE_EMAIL = False
# Tries at a password are counted by accounts/people/entrance_limits.py, before allauth is asked.
ACCOUNT_RATE_LIMITS = {
    "login": None,
    # Codes of the second factor, per person; per address too.
    "login_failed": "10/m/ip,5/5m/key",
    "signup": "20/m/ip",
    "reset_password": "20/m/ip,5/15m/key",
    "reset_password_from_key": "20/m/ip",
    "reauthenticate": "10/m/user",
    "change_password": "5/m/user",
    "manage_email": "10/m/user",
}
MFA_ADAPTER = "accounts.people.factors.MFAAdapter"
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
MFA_PASSKEY_LOGIN_ENABLED = True
MFA_WEBAUTHN_ALLOW_INSECURE_ORIGIN = not PUBLIC_BASE_URL.startswith("https://")
MFA_FORMS = {
    "authenticate": "accounts.people.entrance.CodeForm",
    "reauthenticate": "accounts.people.entrance.CodeAgainForm",
    "activate_totp": "accounts.people.entrance.AppForm",
    "add_webauthn": "accounts.people.passkeys.KeyForm",
    "edit_webauthn": "accounts.people.passkeys.KeyNameForm",
    "authenticate_webauthn": "accounts.people.passkeys.KeyAsFactorForm",
    "login_webauthn": "accounts.people.passkeys.KeyAloneForm",
    "reauthenticate_webauthn": "accounts.people.passkeys.KeyAgainForm",
}
# Sign-in with Google and Microsoft: clients of their own, without any permission for mail. An address opens
# no account (threats T9), and no token is kept.
SOCIALACCOUNT_ADAPTER = "accounts.social.adapter.SocialAdapter"
SOCIALACCOUNT_EMAIL_AUTHENTICATION = False
SOCIALACCOUNT_STORE_TOKENS = False
GOOGLE_SIGN_IN_CLIENT_ID = env.str("GOOGLE_SIGN_IN_CLIENT_ID", default="")
GOOGLE_SIGN_IN_CLIENT_SECRET = env.str("GOOGLE_SIGN_IN_CLIENT_SECRET", default="")
MS_SIGN_IN_CLIENT_ID = env.str("MS_SIGN_IN_CLIENT_ID", default="")
MS_SIGN_IN_CLIENT_SECRET = env.str("MS_SIGN_IN_CLIENT_SECRET", default="")
# How long a sign-in, a password, a code or a key counts as fresh (accounts/people/proof.py).
REAUTHENTICATION_SECONDS = env.int("REAUTHENTICATION_SECONDS", default=300)
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "/"
ACCOUNT_LOGOUT_REDIRECT_URL = "account_login"

# Invitations: how long one is open, and how many may leave in 24 hours.
INVITATION_SECONDS = env.int("INVITATION_SECONDS", default=7 * 86_400)
INVITATIONS_PER_DAY = env.int("INVITATIONS_PER_DAY", default=50)
INVITATIONS_PER_ADDRESS = env.int("INVITATIONS_PER_ADDRESS", default=4)

# --- service mail (verification, invitations, notices): decisions 23 ------------------------
vars().update(env.email_url("EMAIL_URL", default="smtp://localhost:25"))
if env.str("EMAIL_BACKEND", default=""):
    EMAIL_BACKEND = env.str("EMAIL_BACKEND")
DEFAULT_FROM_EMAIL = env.str("DEFAULT_FROM_EMAIL", default="Outreach <no-reply@outreach.example>")

# --- edges ----------------------------------------------------------------------------------
SECURE = PUBLIC_BASE_URL.startswith("https://")
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = SECURE
SESSION_COOKIE_NAME = "__Host-session" if SECURE else "outreach_session"
SESSION_COOKIE_SAMESITE = "Lax"
# A sign-in ends after so long without a visit, and after so long at all (accounts/people/session_limits.py).
SESSION_IDLE_SECONDS = env.int("SESSION_IDLE_SECONDS", default=3 * 86_400)
SESSION_ABSOLUTE_SECONDS = env.int("SESSION_ABSOLUTE_SECONDS", default=14 * 86_400)
SESSION_COOKIE_AGE = SESSION_ABSOLUTE_SECONDS
CSRF_COOKIE_NAME = "__Host-csrf" if SECURE else "outreach_csrf"
# Pages carry the token; no script reads the cookie.
CSRF_COOKIE_HTTPONLY = True
CSRF_COOKIE_SAMESITE = "Lax"
CSRF_FAILURE_VIEW = "accounts.views.csrf_failure"
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if SECURE else None
# So many proxies add a visitor's address to X-Forwarded-For; without one the connection's address counts.
ALLAUTH_TRUSTED_PROXY_COUNT = env.int("TRUSTED_PROXY_COUNT", default=1 if SECURE else 0)
# An MMDB file; without one no country is looked up (decisions 25).
GEOIP_DATABASE = env.str("GEOIP_DATABASE", default="")
SECURE_HSTS_SECONDS = 31_536_000 if SECURE else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = SECURE
SECURE_SSL_REDIRECT = SECURE
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
DATA_UPLOAD_MAX_MEMORY_SIZE = 12 * 1024 * 1024
DATA_UPLOAD_MAX_NUMBER_FIELDS = 20_000
DATA_UPLOAD_MAX_NUMBER_FILES = 10
# A body above this is answered with 413 before it is read; up to it, the form says what is too large.
REQUEST_MAX_BYTES = 64 * 1024 * 1024
# A list of people may have 20 MB (outreach/imports/steps.py); each form says what it takes.
FILE_UPLOAD_MAX_MEMORY_SIZE = 21 * 1024 * 1024
FILE_UPLOAD_HANDLERS = ["config.uploads.BoundedMemoryHandler"]
MESSAGE_STORAGE = "accounts.notice_cookie.NoticeCookie"
# A script runs only with the page's nonce; nothing is loaded from elsewhere, and no page is framed. The one
# frame of ours, an original mail, has a policy of its own (outreach/views/original.py).
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [NONCE, STRICT_DYNAMIC],
        "style-src": [SELF],
        "img-src": [SELF, "data:"],
        "font-src": [SELF],
        "connect-src": [SELF],
        "frame-src": [SELF],
        "manifest-src": [SELF],
        "frame-ancestors": [NONE],
        "object-src": [NONE],
        "base-uri": [NONE],
        "form-action": [SELF],
    }
}

# --- the API: operations name their own policy, limits and shapes (outreach/api/operation.py) ---
# Per credential, and wrong credentials per address, in a minute.
API_REQUESTS_PER_MINUTE = env.int("API_REQUESTS_PER_MINUTE", default=600)
API_GUESSES_PER_MINUTE = env.int("API_GUESSES_PER_MINUTE", default=20)
# What Prometheus sends to /metrics as a bearer token; without one there is no such address.
METRICS_TOKEN = env.str("METRICS_TOKEN", default="")
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["accounts.apikeys.callers.KeyAuthentication"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["rest_framework.parsers.JSONParser"],
    "DEFAULT_SCHEMA_CLASS": "outreach.api.schema.OutreachSchema",
    "EXCEPTION_HANDLER": "outreach.api.problems.handler",
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Outreach",
    "VERSION": "1",
    "DESCRIPTION": "Look at what a workspace holds, add contacts, queue campaigns. A key has one workspace. "
    "What is refused is answered with application/problem+json (RFC 9457).",
    "SERVE_INCLUDE_SCHEMA": False,
    "SCHEMA_PATH_PREFIX": "/api/v1",
    "COMPONENT_SPLIT_REQUEST": True,
    "POSTPROCESSING_HOOKS": [
        "drf_spectacular.hooks.postprocess_schema_enums",
        "outreach.api.schema.tighten",
    ],
    "ENUM_NAME_OVERRIDES": {
        "MailboxState": "mailbox.models.MailboxState",
        "CampaignState": "outreach.models.CampaignState",
        "GroupKind": "outreach.models.GroupKind",
        "MessageState": "outreach.models.MessageState",
    },
}

LANGUAGE_CODE = "en-gb"
USE_I18N = False
USE_TZ = True
TIME_ZONE = "UTC"
STATIC_URL = "/static/"
STATIC_ROOT = Path(env.str("STATIC_ROOT", default=str(BASE_DIR / "staticfiles")))
STATICFILES_DIRS = [BASE_DIR / "static"]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": env.str(
            "STATICFILES_BACKEND", default="whitenoise.storage.CompressedManifestStaticFilesStorage"
        )
    },
}

# --- Celery: ids in, JSON only, acknowledged late because every task can be run twice ----------
CELERY_BROKER_URL = REDIS_URL
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_SERIALIZER = "json"
CELERY_ACCEPT_CONTENT = ["json"]
CELERY_TASK_ACKS_LATE = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_TASK_ALWAYS_EAGER = env.bool("CELERY_TASK_ALWAYS_EAGER", default=False)
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
# A worker keeps its connections from task to task (config/celery.py); Celery by itself opens them anew.
CELERY_DB_REUSE_MAX = 10**12
CELERY_BEAT_SCHEDULE_FILENAME = env.str("CELERY_BEAT_SCHEDULE_FILENAME", default="/tmp/outreach-beat")

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "line": {"()": "config.logs.PlainLines", "format": "%(asctime)s %(levelname)s %(name)s %(message)s"}
    },
    "filters": {"plain": {"()": "config.logs.PlainAddresses"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["console"], "level": env.str("LOG_LEVEL", default="INFO")},
    "loggers": {
        "django.request": {"filters": ["plain"]},
        # At DEBUG these write tokens, bodies and addresses.
        "google.auth": {"level": "WARNING"},
        "googleapiclient": {"level": "WARNING"},
        "httplib2": {"level": "WARNING"},
        "msal": {"level": "WARNING"},
        "oauthlib": {"level": "WARNING"},
        "requests_oauthlib": {"level": "WARNING"},
        "urllib3": {"level": "WARNING"},
    },
}
