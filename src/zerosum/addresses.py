"""Addresses of data on other machines, as https://host/cats-pack or s3://bucket/cats-pack."""

import re
from urllib.parse import urlsplit

SCHEMES = "http", "https", "s3"
ADDRESS = re.compile(r"[a-z][a-z0-9+.-]+://", re.IGNORECASE)


def is_address(data: str) -> bool:
    """Return whether what the user typed is an address rather than a path or a name."""
    return ADDRESS.match(data) is not None


def find_fault(data: str) -> str:
    """Say why an address cannot be used, without the secrets in it; return nothing if it can."""
    try:
        parts = urlsplit(data)
        host, secret = parts.hostname, parts.username or parts.password
    except ValueError:
        return "an address of data cannot be read: write https://HOST/PACK or s3://BUCKET/PACK"
    if parts.scheme not in SCHEMES:
        return f"{parts.scheme}:// is not read; packs are read over {', '.join(SCHEMES[:-1])} and {SCHEMES[-1]}"
    if not host:
        return f"an address of data names no host: write {parts.scheme}://HOST/PACK"
    if secret is not None:
        return (
            f"the address of data at {host} has credentials in it, which would be seen: put them into ~/.netrc for "
            "http(s), or where AWS's tools look for s3, and leave them out"
        )
    if parts.query or parts.fragment:
        return f"the address of data at {host} has a '?' or '#': a pack is a folder; write its address up to there"
    return ""
