"""Where a client may put its write key: HTTP Basic with the key as user, Bearer, or `writeKey` in the body."""

import base64
import binascii

HOW = "a write key is needed: as user name of HTTP Basic (password empty), as Bearer token, or as writeKey in the body"


def secret(authorization: str | None) -> str | None:
    """The key in an Authorization header, None when there is none or it cannot be read."""
    scheme, _, value = (authorization or "").strip().partition(" ")
    match scheme.lower():
        case "bearer":
            return value.strip() or None
        case "basic":
            return _user(value.strip())
    return None


def _user(encoded: str) -> str | None:
    try:
        return base64.b64decode(encoded, validate=True).decode().partition(":")[0] or None
    except (binascii.Error, UnicodeDecodeError):
        return None
