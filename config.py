"""Settings of the whole system, read from environment variables once, at start.

`load_settings` reports every fault in one go and never repeats a value, because values may be secrets and
faults end up in logs. The variables are listed in grm/kernel/variables.py; `python config.py` prints them as
docs/configuration.md. Standard library only and cheap to import, as the launcher uses it.
"""

import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import combinations
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from grm.kernel.gateways import Description, GatewayFaults, parse_gateways
from grm.kernel.parsers import SmtpServer, parse_smtp_url
from grm.kernel.places import derive_keys, development_secret, embedded_places, home_of, launcher_env
from grm.kernel.variables import VARIABLES, configuration_page

_LOOPBACK = {"127.0.0.1", "::1", "localhost"}
_KEYS = ("SECRET_KEY", "DATA_KEYS", "INDEX_KEY", "TRACKING_KEY")
_REQUIRED_IN_PRODUCTION = ("PUBLIC_URL", "SMS_GATEWAY_URL", "SMS_GATEWAY_PASSWORD", "SMTP_URL", "MAIL_FROM")
_OF_S3 = ("ATTACHMENTS_S3_ENDPOINT", "ATTACHMENTS_S3_KEY", "ATTACHMENTS_S3_SECRET")
_SAID_BY_GATEWAYS_FILE = {"SMS_GATEWAY_URL", "SMS_GATEWAY_PASSWORD"}


class SettingsError(Exception):
    """The environment does not make usable settings; `faults` lists all reasons, without any value."""

    def __init__(self, faults: list[str]) -> None:
        self.faults = faults
        super().__init__("The settings are not usable:\n" + "\n".join(f"  - {fault}" for fault in faults))


@dataclass(frozen=True)
class Settings:
    """What the system was told: each field is the variable of that name in grm/kernel/variables.py."""

    grm_env: str
    grm_home: Path
    grm_allow_embedded: bool
    host: str
    port: int
    public_url: str
    trusted_hosts: tuple[str, ...]
    trusted_proxy_hops: int
    database_url: str = field(repr=False)
    redis_url: str = field(repr=False)
    secret_key: str = field(repr=False)
    secret_key_fallbacks: tuple[str, ...] = field(repr=False)
    data_keys: tuple[bytes, ...] = field(repr=False)
    index_key: bytes = field(repr=False)
    tracking_key: bytes = field(repr=False)
    sms_gateway_url: str
    sms_gateway_user: str
    sms_gateway_password: str = field(repr=False)
    sms_sender: str
    sms_report_url: str
    sms_gateways_file: tuple[Description, ...] = field(repr=False)
    sms_connections: int
    sms_daily_segments: int
    sms_reserved_share: int
    acks_per_recipient: int
    smtp_url: str = field(repr=False)
    mail_from: str
    mail_bounce_to: str
    sweep_period_seconds: float
    delivery_period_seconds: float
    http_timeout_seconds: float
    filings_per_hour: int
    attachments_dir: Path
    attachments_url: str
    attachments_s3_endpoint: str
    attachments_s3_region: str
    attachments_s3_key: str = field(repr=False)
    attachments_s3_secret: str = field(repr=False)
    upload_megabytes_per_day: int
    attachment_megabytes: int
    attachments_per_case: int
    clamav_url: str
    registry_url: str
    registry_token: str = field(repr=False)
    metrics_token: str = field(repr=False)
    watch_mail_to: tuple[str, ...]
    log_level: str
    web_workers: int
    web_threads: int
    web_busy_at: int
    worker_concurrency: int

    @property
    def is_production(self) -> bool:
        """Whether people's real complaints are handled here."""
        return self.grm_env == "production"

    @property
    def is_development(self) -> bool:
        """Whether demo accounts, the message sink and `--as-of` are in order."""
        return self.grm_env == "development"

    @property
    def broker_url(self) -> str:
        """`redis_url` as Celery wants it, which has a spelling of its own for Unix sockets."""
        parts = urlsplit(self.redis_url)
        if parts.scheme != "unix":
            return self.redis_url
        database = parse_qs(parts.query).get("db", ["0"])[0]
        return f"redis+socket://{parts.path}?virtual_host={database}"

    @property
    def smtp(self) -> SmtpServer | None:
        """`smtp_url` taken apart; None when there is no mail server."""
        return parse_smtp_url(self.smtp_url) if self.smtp_url else None


def load_settings(env: Mapping[str, str]) -> Settings:
    """Read and check all variables; an empty one counts as unset.

    In development, what is unset is taken from the running launcher's note, from the secret in GRM_HOME and
    from the defaults, in this order, so that every process and command of one GRM_HOME agrees. Raises
    SettingsError with all faults.
    """
    given = {name: value for name, value in env.items() if value}
    home = home_of(given)
    environment = given.get("GRM_ENV", "development")
    if environment == "development":
        secret = development_secret(home)
        given = {**(derive_keys(secret) if secret else {}), **launcher_env(home), **given}
    given["GRM_HOME"] = str(home)
    unset_engines = [name for name in ("DATABASE_URL", "REDIS_URL") if name not in given]
    places = embedded_places(home)
    texts = {"DATABASE_URL": places.database_url, "REDIS_URL": places.redis_url, **given}

    values, faults = _parse(texts)
    values["SMS_GATEWAYS_FILE"], gateway_faults = _gateways(values.get("SMS_GATEWAYS_FILE"), given)
    faults += gateway_faults
    hint = "; `make run` makes one for development" if environment == "development" else ""
    faults += [f"{name} is not set{hint}" for name in _KEYS if name not in given]
    if "ATTACHMENTS_URL" in given:
        faults += [f"{name} is not set, but ATTACHMENTS_URL is" for name in _OF_S3 if name not in given]
    if environment == "production":
        settled = _SAID_BY_GATEWAYS_FILE if "SMS_GATEWAYS_FILE" in given else set()
        faults += [
            f"{name} is not set" for name in _REQUIRED_IN_PRODUCTION if name not in given and name not in settled
        ]
        if not values.get("GRM_ALLOW_EMBEDDED"):
            faults += [f"{name} is not set: the embedded one is for trying" for name in unset_engines]
        faults += _clear_text_faults(values) + _weak_key_faults(values, home)
    if faults:
        raise SettingsError(faults)
    return Settings(**{name.lower(): value for name, value in _with_addresses(values).items()})


def _parse(texts: Mapping[str, str]) -> tuple[dict[str, Any], list[str]]:
    values: dict[str, Any] = {}
    faults = []
    for variable in VARIABLES:
        text = texts.get(variable.name, variable.default)
        try:
            values[variable.name] = variable.parse(text) if text else ""
        except ValueError:
            faults.append(f"{variable.name} must {variable.must}")
    for name in ("TRUSTED_HOSTS", "SECRET_KEY_FALLBACKS", "WATCH_MAIL_TO"):
        values[name] = values.get(name) or ()
    return values, faults


def _gateways(path: str | None, env: Mapping[str, str]) -> tuple[tuple[Description, ...], list[str]]:
    """The gateways that the file describes, and what is wrong with it."""
    if not path:
        return (), []
    try:
        text = Path(path).read_text(encoding="utf-8")
        return parse_gateways(text, env, is_production=env.get("GRM_ENV") == "production"), []
    except (OSError, UnicodeDecodeError):
        return (), ["SMS_GATEWAYS_FILE must be a file that can be read"]
    except GatewayFaults as error:
        return (), [f"SMS_GATEWAYS_FILE: {fault}" for fault in error.faults]


def _with_addresses(values: dict[str, Any]) -> dict[str, Any]:
    """Fill in the addresses that follow from others."""
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(values["HOST"], values["HOST"])
    host = f"[{host}]" if ":" in host else host
    values["PUBLIC_URL"] = values["PUBLIC_URL"] or f"http://{host}:{values['PORT']}"
    values["SMS_REPORT_URL"] = values["SMS_REPORT_URL"] or values["PUBLIC_URL"]
    values["ATTACHMENTS_DIR"] = values["ATTACHMENTS_DIR"] or values["GRM_HOME"] / "attachments"
    if not values["TRUSTED_HOSTS"]:
        own = urlsplit(values["PUBLIC_URL"]).hostname or ""
        local = () if values["GRM_ENV"] == "production" else ("localhost", "127.0.0.1", "[::1]")
        values["TRUSTED_HOSTS"] = tuple(dict.fromkeys((own, *local)))
    return values


def _clear_text_faults(values: Mapping[str, Any]) -> list[str]:
    """Nothing leaves the machine unencrypted in production, and no broker is open to everybody."""
    faults = []
    if (url := values.get("PUBLIC_URL")) and urlsplit(url).scheme != "https":
        faults.append("PUBLIC_URL must begin with https:// in production")
    if url := values.get("SMS_GATEWAY_URL"):
        parts = urlsplit(url)
        if parts.scheme != "https" and parts.hostname not in _LOOPBACK:
            faults.append("SMS_GATEWAY_URL must be https, or on this machine, in production")
    if url := values.get("ATTACHMENTS_S3_ENDPOINT"):
        parts = urlsplit(url)
        if parts.scheme != "https" and parts.hostname not in _LOOPBACK:
            faults.append("ATTACHMENTS_S3_ENDPOINT must be https, or on this machine, in production")
    if url := values.get("REGISTRY_URL"):
        parts = urlsplit(url)
        if parts.scheme != "https" and parts.hostname not in _LOOPBACK:
            faults.append("REGISTRY_URL must be https, or on this machine, in production")
    if url := values.get("SMTP_URL"):
        server = parse_smtp_url(url)
        if server.tls == "none" and server.host not in _LOOPBACK:
            faults.append("SMTP_URL must use TLS (starttls=1 or smtps:), or be on this machine")
    if url := values.get("REDIS_URL"):
        parts = urlsplit(url)
        if parts.scheme != "unix" and not parts.password:
            faults.append("REDIS_URL must have a password in production")
    return faults


def _weak_key_faults(values: Mapping[str, Any], home: Path) -> list[str]:
    keys: dict[str, bytes] = {"SECRET_KEY": (values.get("SECRET_KEY") or "").encode()}
    keys |= {name: values.get(name) or b"" for name in ("INDEX_KEY", "TRACKING_KEY")}
    keys |= {f"DATA_KEYS, number {n}": key for n, key in enumerate(values.get("DATA_KEYS") or (), 1)}
    keys = {name: key for name, key in keys.items() if key}
    faults = []
    if 0 < len(keys.get("SECRET_KEY", b"")) < 32:
        faults.append("SECRET_KEY must have at least 32 characters in production")
    faults += [f"{name} is not random" for name, key in keys.items() if len(set(key)) < 10]
    faults += [
        f"{second} equals {first}: each purpose needs a key of its own"
        for (first, one), (second, other) in combinations(keys.items(), 2)
        if one == other
    ]
    if secret := development_secret(home):
        known, _ = _parse(derive_keys(secret))
        derived = {known["INDEX_KEY"], known["TRACKING_KEY"], *known["DATA_KEYS"]}
        derived.add(known["SECRET_KEY"].encode())
        faults += [f"{name} is a development key" for name, key in keys.items() if key in derived]
    return faults


if __name__ == "__main__":
    sys.stdout.write(configuration_page())
