"""The environment that all settings are read from."""

import environ

env = environ.Env()
if env.str("OUTREACH_ENV_FILE", default=""):
    env.read_env(env.str("OUTREACH_ENV_FILE"))
