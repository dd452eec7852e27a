"""What the broker does when its memory is full."""

from typing import Any

from redis import Redis
from redis.exceptions import RedisError

from grm.kernel.errors import Misconfigured


def eviction_policy(url: str) -> str | None:
    """The broker's maxmemory-policy; None where it does not answer or does not say."""
    broker = Redis.from_url(url, socket_timeout=2, socket_connect_timeout=2)
    try:
        memory: Any = broker.info("memory")
        found = memory.get("maxmemory_policy")
        return str(found) if found else None
    except RedisError:
        return None
    finally:
        broker.close()


def require_no_eviction(url: str) -> None:
    """Raise Misconfigured `broker-evicts` for a broker that throws keys away when it is full: it would lose ticks in silence.

    One that does not answer now, or says nothing of its memory, is no reason: it may come back, and nothing is kept there.
    """
    policy = eviction_policy(url)
    if policy not in (None, "noeviction"):
        raise Misconfigured("broker-evicts", policy=policy)
