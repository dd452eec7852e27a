"""The ways out: for each channel the configured providers in order of preference, ready for use."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta

from config import Settings
from grm.kernel.gateways import DEFAULT_NAME, Description, Found, HttpDescription, KannelDescription
from grm.notifications import receipts
from grm.notifications.catalogue import Channel
from grm.notifications.channels.contract import Transport, Witness
from grm.notifications.channels.sms_http import HttpGateway
from grm.notifications.channels.sms_kannel import KannelGateway
from grm.notifications.channels.smtp import MailServer

LONGEST_TIMEOUT_SECONDS = 10.0
"""A call takes at most four timeouts, and a task may live 45 seconds (see grm/worker.py)."""
LEASE_TIMEOUTS = 4
MAIL_SERVER = "smtp"
"""What the mail server is called beside the gateways."""


@dataclass(frozen=True, slots=True)
class Post:
    """A channel ready for use: its provider, how long a claim on it lasts, and who else may be tried (`others`, in order).

    `connections` is how many messages are handed over at the same time.
    """

    channel: Channel
    transport: Transport
    lease: timedelta
    name: str = DEFAULT_NAME
    connections: int = 1
    witness: Witness | None = None
    others: tuple["Post", ...] = ()

    @property
    def ways(self) -> dict[str, "Post"]:
        """All providers of the channel by name, the preferred one first."""
        return {each.name: each for each in (self, *self.others)}

    @property
    def can_ask(self) -> frozenset[str]:
        """The providers that can be asked for a message."""
        return frozenset(name for name, each in self.ways.items() if each.witness is not None)


def post_for(channel: Channel, settings: Settings) -> Post | None:
    """The configured way out for a channel; None where none is configured (messages then wait until they expire)."""
    timeout = min(settings.http_timeout_seconds, LONGEST_TIMEOUT_SECONDS)
    lease = timedelta(seconds=LEASE_TIMEOUTS * timeout)
    if channel == "email":
        server = settings.smtp
        return Post(channel, MailServer(server, settings.mail_from, timeout), lease, MAIL_SERVER) if server else None
    posts = [_gateway_post(about, settings, timeout, lease) for about in _gateways(settings)]
    return replace(posts[0], others=tuple(posts[1:])) if posts else None


def _gateways(settings: Settings) -> tuple[Description, ...]:
    """The gateways of the file, or else the one of SMS_GATEWAY_URL."""
    if settings.sms_gateways_file or not settings.sms_gateway_url:
        return settings.sms_gateways_file
    user, password = settings.sms_gateway_user, settings.sms_gateway_password
    return (KannelDescription(DEFAULT_NAME, settings.sms_gateway_url, user, password, settings.sms_sender),)


def gateway_names(settings: Settings) -> dict[Channel, tuple[str, ...]]:
    """The providers of each channel, the preferred one first."""
    mail = (MAIL_SERVER,) if settings.smtp_url else ()
    return {"sms": tuple(about.name for about in _gateways(settings)), "email": mail}


def _gateway_post(about: Description, settings: Settings, timeout: float, lease: timedelta) -> Post:
    if isinstance(about, KannelDescription):
        kannel = KannelGateway(about.url, about.user, about.password, about.sender, timeout)
        return Post("sms", kannel, lease, about.name, settings.sms_connections)
    gateway = HttpGateway(about, timeout)
    witness = gateway if about.look_up is not None else None
    return Post("sms", gateway, lease, about.name, settings.sms_connections, witness)


def report_words(settings: Settings) -> dict[str, Mapping[str, Found]]:
    """What the words in each described gateway's reports mean."""
    described = (about for about in settings.sms_gateways_file if isinstance(about, HttpDescription))
    return {about.name: about.reports.words for about in described if about.reports is not None}


def report_url_of(settings: Settings) -> Callable[[int, str], str | None]:
    """A function that gives the address for the reports on a message (by its id) from a gateway; None where it has none."""
    described = {about.name: about for about in settings.sms_gateways_file if isinstance(about, HttpDescription)}

    def url(message_id: int, gateway: str) -> str | None:
        about = described.get(gateway)
        if about is None:
            return receipts.report_url(settings.sms_report_url, settings.secret_key, message_id)
        if about.reports is None:
            return None
        return receipts.gateway_report_url(settings.sms_report_url, settings.secret_key, message_id, gateway)

    return url
