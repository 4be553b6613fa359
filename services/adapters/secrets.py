"""Secrets that no one can guess."""

import secrets

BYTES = 32


def fresh_secret() -> str:
    """256 random bits as 43 characters that are safe in a URL."""
    return secrets.token_urlsafe(BYTES)
