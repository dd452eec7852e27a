"""Where a request comes from, for counting: one subscriber is one source.

Whoever has IPv6 at home is given a network of 2^64 addresses, so its first 64 bits count; an IPv4 address counts whole, also when
written as IPv6. The address itself is never kept: what counts sees a keyed hash of this text that changes with the day.
"""

from ipaddress import IPv6Address, ip_address, ip_network

from flask import request
from flask_login import current_user

_IPV6_BITS = 64


def source_of(address: str) -> str:
    """The source that an address belongs to; what is no address (a socket of this machine) is a source of its own."""
    try:
        parsed = ip_address(address.partition("%")[0])
    except ValueError:
        return address[:64]
    if isinstance(parsed, IPv6Address):
        if parsed.ipv4_mapped is not None:
            return str(parsed.ipv4_mapped)
        return str(ip_network((parsed, _IPV6_BITS), strict=False))
    return str(parsed)


def request_source() -> str:
    """The source of the request under way, as far as TRUSTED_PROXY_HOPS lets anybody say."""
    return source_of(request.remote_addr or "")


def limited_source() -> str | None:
    """The source to count a public request against; None for an officer who is signed in: a whole office has one address."""
    return None if current_user.is_authenticated else request_source()
