"""Where the providers are. No other place names a provider's host (providers.md 2); read when used."""

from config.environment import env

GMAIL_API_BASE = env.str("GMAIL_API_BASE", default="https://gmail.googleapis.com")
GOOGLE_AUTH_URI = env.str("GOOGLE_AUTH_URI", default="https://accounts.google.com/o/oauth2/v2/auth")
GOOGLE_TOKEN_URI = env.str("GOOGLE_TOKEN_URI", default="https://oauth2.googleapis.com/token")
GOOGLE_REVOKE_URI = env.str("GOOGLE_REVOKE_URI", default="https://oauth2.googleapis.com/revoke")
GOOGLE_JWKS_URI = env.str("GOOGLE_JWKS_URI", default="https://www.googleapis.com/oauth2/v3/certs")
GOOGLE_CLIENT_ID = env.str("GOOGLE_CLIENT_ID", default="")
GOOGLE_CLIENT_SECRET = env.str("GOOGLE_CLIENT_SECRET", default="")
GOOGLE_PUSH_TOPIC = env.str("GOOGLE_PUSH_TOPIC", default="")
GOOGLE_PUSH_ACCOUNT = env.str("GOOGLE_PUSH_ACCOUNT", default="")
PUBSUB_AUDIENCE = env.str("PUBSUB_AUDIENCE", default="")
MS_AUTHORITY = env.str("MS_AUTHORITY", default="https://login.microsoftonline.com/common")
MS_INSTANCE_DISCOVERY = env.bool("MS_INSTANCE_DISCOVERY", default=True)
MS_CLIENT_ID = env.str("MS_CLIENT_ID", default="")
MS_CLIENT_SECRET = env.str("MS_CLIENT_SECRET", default="")
MS_ADMIN_CONSENT_URI = env.str(
    "MS_ADMIN_CONSENT_URI", default=f"{MS_AUTHORITY.rpartition('/')[0]}/organizations/adminconsent"
)
# Pages of the providers that we link to: where a person ends a grant, and their privacy policies.
GOOGLE_GRANTS_URL = env.str("GOOGLE_GRANTS_URL", default="https://myaccount.google.com/connections")
MS_GRANTS_URL = env.str("MS_GRANTS_URL", default="https://myapps.microsoft.com/")
MS_CONSUMER_GRANTS_URL = env.str("MS_CONSUMER_GRANTS_URL", default="https://account.live.com/consent/Manage")
GOOGLE_PRIVACY_URL = env.str("GOOGLE_PRIVACY_URL", default="https://policies.google.com/privacy")
MS_PRIVACY_URL = env.str("MS_PRIVACY_URL", default="https://www.microsoft.com/privacy/privacystatement")
GRAPH_BASE = env.str("GRAPH_BASE", default="https://graph.microsoft.com/v1.0")
