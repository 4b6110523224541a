"""Template tags of the sign-in with a provider."""
