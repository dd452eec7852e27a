"""The table of environment variables: name, default, how it is read, what it must be and what it is for.

`config.load_settings` reads by it and docs/configuration.md is printed from it. Standard library only.
"""

from collections.abc import Callable
from dataclasses import dataclass

from grm.kernel import parsers


@dataclass(frozen=True)
class Variable:
    """One row. When `parse` raises ValueError, `must` completes "NAME must …" without the value."""

    name: str
    parse: Callable[[str], object]
    must: str
    meaning: str
    default: str = ""
    secret: bool = False
    production: str = ""


_A_KEY = f"be the base64 form of {parsers.KEY_BYTES} random bytes"
_A_WEB_ADDRESS = "be an http or https address"

VARIABLES = (
    Variable(
        "GRM_ENV",
        parsers.choice("development", "production", "test"),
        "be development, production or test",
        "What the system is for.",
        default="development",
    ),
    Variable(
        "GRM_HOME",
        parsers.directory,
        "be a directory",
        "Everything the system writes: database files, logs, the development outbox and secret.",
        default="./var",
    ),
    Variable(
        "GRM_ALLOW_EMBEDDED",
        parsers.flag,
        "be 0 or 1",
        "1 lets a production system use the embedded PostgreSQL and Valkey: for one small office at most.",
        default="0",
    ),
    Variable("HOST", parsers.plain, "be an address", "Address the web server listens on.", default="127.0.0.1"),
    Variable(
        "PORT",
        parsers.number(1, 65535),
        "be a number from 1 to 65535",
        "Port the web server listens on.",
        default="8000",
    ),
    Variable(
        "PUBLIC_URL",
        parsers.url("http", "https"),
        _A_WEB_ADDRESS,
        "Address people use; links in messages begin with it. Unset: http://HOST:PORT.",
        production="required, https",
    ),
    Variable(
        "TRUSTED_HOSTS",
        parsers.names,
        "be names separated by commas",
        "Host names the web server answers to. Unset: the one in PUBLIC_URL; in development also localhost.",
    ),
    Variable(
        "TRUSTED_PROXY_HOPS",
        parsers.number(0, 5),
        "be a number from 0 to 5",
        "How many reverse proxies stand in front and are believed about where a request came from.",
        default="0",
    ),
    Variable(
        "DATABASE_URL",
        parsers.url("postgresql", "postgresql+psycopg"),
        "be a postgresql:// address",
        "PostgreSQL 15 or newer. Unset: the embedded one, started by `make run`.",
        secret=True,
        production="required",
    ),
    Variable(
        "REDIS_URL",
        parsers.url("redis", "rediss", "unix"),
        "be a redis://, rediss:// or unix:// address",
        "Valkey or Redis with `maxmemory-policy noeviction`. Unset: the embedded one, started by `make run`.",
        secret=True,
        production="required; with a password, or a unix:// socket",
    ),
    Variable(
        "SECRET_KEY",
        parsers.plain,
        "be plain text",
        "Signs cookies and form tokens.",
        secret=True,
        production="required, at least 32 characters",
    ),
    Variable(
        "SECRET_KEY_FALLBACKS",
        parsers.names,
        "be keys separated by commas",
        "Former SECRET_KEYs that still verify while the key is being changed.",
        secret=True,
    ),
    Variable(
        "DATA_KEYS",
        parsers.keys,
        f"be name:key,name:key,… with different names, where each key must {_A_KEY}",
        "Seal personal data at rest. The first one seals, all open; to change keys, put a new one first.",
        secret=True,
        production="required",
    ),
    Variable(
        "INDEX_KEY",
        parsers.key,
        _A_KEY,
        "Makes a telephone number findable without storing it in clear.",
        secret=True,
        production="required",
    ),
    Variable(
        "TRACKING_KEY",
        parsers.key,
        _A_KEY,
        "Derives and verifies complainants' tracking secrets; receipts are worthless once it is lost.",
        secret=True,
        production="required",
    ),
    Variable(
        "SMS_GATEWAY_URL",
        parsers.url("http", "https"),
        _A_WEB_ADDRESS,
        "Full address of a Kannel-style sendsms service, such as `http://127.0.0.1:13013/cgi-bin/sendsms`. "
        "Unset in development: a sink on this machine, shown at `/dev/outbox`.",
        production="required without a gateways file; https, or on this machine",
    ),
    Variable("SMS_GATEWAY_USER", parsers.plain, "be plain text", "User name at the SMS gateway.", default="grm"),
    Variable(
        "SMS_GATEWAY_PASSWORD",
        parsers.plain,
        "be plain text",
        "Password at the SMS gateway.",
        secret=True,
        production="required without a gateways file",
    ),
    Variable(
        "SMS_SENDER",
        parsers.plain,
        "be plain text",
        "Sender shown on an SMS: a short code or a masked name.",
        default="16122",
    ),
    Variable(
        "SMS_REPORT_URL",
        parsers.url("http", "https"),
        _A_WEB_ADDRESS,
        "Address under which the SMS gateway reaches this system with delivery reports. Unset: PUBLIC_URL.",
    ),
    Variable(
        "SMS_GATEWAYS_FILE",
        parsers.plain,
        "be the path of a gateways file",
        "TOML file that describes one SMS gateway or several in order of preference, see docs/gateways.md. Unset: the one at "
        "SMS_GATEWAY_URL.",
    ),
    Variable(
        "SMS_CONNECTIONS",
        parsers.number(1, 64),
        "be a number from 1 to 64",
        "How many SMS one worker hands over at the same time, each over a kept connection.",
        default="4",
    ),
    Variable(
        "SMS_DAILY_SEGMENTS",
        parsers.number(0, 100_000_000),
        "be a number from 0 to 100000000",
        "The most SMS parts that may be handed over in one day in Dhaka; what is above waits for the next day. 0: no limit.",
        default="0",
    ),
    Variable(
        "SMS_RESERVED_SHARE",
        parsers.number(0, 100),
        "be a number from 0 to 100",
        "Percent of SMS_DAILY_SEGMENTS that only acknowledgements and one-time codes may use.",
        default="20",
    ),
    Variable(
        "ACKS_PER_RECIPIENT",
        parsers.number(0, 1000),
        "be a number from 0 to 1000",
        "The most acknowledgements that one telephone number or e-mail address gets in a day, and three times as many late "
        "notices; more wait for the next. 0 lifts this and the watch over numbers next to one another.",
        default="10",
    ),
    Variable(
        "SMTP_URL",
        parsers.smtp_url,
        "be an smtp:// or smtps:// address",
        "Mail server: `smtp://user:password@host:587?starttls=1` or `smtps://user:password@host`. "
        "Unset in development: a sink on this machine, shown at `/dev/outbox`.",
        secret=True,
        production="required; with TLS, or on this machine",
    ),
    Variable(
        "MAIL_FROM",
        parsers.mailbox,
        "be an e-mail address",
        "Sender of e-mail, with a name if wanted.",
        default="Grievance Redress <grm@localhost>",
        production="required",
    ),
    Variable(
        "MAIL_BOUNCE_TO",
        parsers.mailbox,
        "be an e-mail address",
        "Mailbox for mail that comes back. Each message leaves with a return address of its own below it "
        "(`bounces+…@host`), so the mailbox must take such extensions. Unset: mail comes back to MAIL_FROM, unread.",
    ),
    Variable(
        "SWEEP_PERIOD_SECONDS",
        parsers.seconds(0.1, 3600),
        "be from 0.1 to 3600",
        "How often missed deadlines are looked for.",
        default="5",
    ),
    Variable(
        "DELIVERY_PERIOD_SECONDS",
        parsers.seconds(0.1, 3600),
        "be from 0.1 to 3600",
        "How often messages to send are looked for.",
        default="2",
    ),
    Variable(
        "HTTP_TIMEOUT_SECONDS",
        parsers.seconds(0.1, 60),
        "be from 0.1 to 60",
        "How long the SMS gateway and the mail server may take to answer.",
        default="10",
    ),
    Variable(
        "FILINGS_PER_HOUR",
        parsers.number(0, 1_000_000),
        "be a number from 0 to 1000000",
        "Complaints that one source address may file in an hour by the public form without being asked to wait; eight times as "
        "many are the end for a day. 0 lifts the limit. Mobile operators put thousands of people behind one address, so do not "
        "go low.",
        default="300",
    ),
    Variable(
        "ATTACHMENTS_DIR",
        parsers.directory,
        "be a directory",
        "Where files that people hand in are stored; it must lie outside everything that is served. Unset: GRM_HOME/attachments.",
    ),
    Variable(
        "ATTACHMENTS_URL",
        parsers.url("s3"),
        "be an s3://bucket/prefix address",
        "Bucket of an S3-compatible store for files that people hand in, with a prefix if wanted: `s3://bucket/grm`. Unset: "
        "files lie in ATTACHMENTS_DIR.",
    ),
    Variable(
        "ATTACHMENTS_S3_ENDPOINT",
        parsers.url("http", "https"),
        _A_WEB_ADDRESS,
        "Address of the S3-compatible store, such as `https://s3.example.gov.bd`.",
        production="required with ATTACHMENTS_URL; https, or on this machine",
    ),
    Variable("ATTACHMENTS_S3_REGION", parsers.plain, "be plain text", "Region the store goes by.", default="us-east-1"),
    Variable(
        "ATTACHMENTS_S3_KEY",
        parsers.plain,
        "be plain text",
        "Access key at the S3-compatible store; it needs to list, read, write and delete below the prefix.",
        secret=True,
        production="required with ATTACHMENTS_URL",
    ),
    Variable(
        "ATTACHMENTS_S3_SECRET",
        parsers.plain,
        "be plain text",
        "Secret of that access key.",
        secret=True,
        production="required with ATTACHMENTS_URL",
    ),
    Variable(
        "UPLOAD_MEGABYTES_PER_DAY",
        parsers.number(0, 1_000_000),
        "be a number from 0 to 1000000",
        "How much one source address may hand in within a day with forms that are not filed yet; 0 lifts the limit. Mobile "
        "operators put thousands of people behind one address, so do not go low.",
        default="2000",
    ),
    Variable(
        "ATTACHMENT_MEGABYTES",
        parsers.number(1, 50),
        "be a number from 1 to 50",
        "The largest file that is taken. One post may bring twice as much; the limit of a proxy in front must be above that.",
        default="10",
    ),
    Variable(
        "ATTACHMENTS_PER_CASE",
        parsers.number(1, 1000),
        "be a number from 1 to 1000",
        "How many files one case may have.",
        default="50",
    ),
    Variable(
        "CLAMAV_URL",
        parsers.url("unix", "tcp"),
        "be a unix:///path or tcp://host:port address",
        "Where clamd listens. Files are then served only when it has found them clean; while it is away they wait. Unset: files "
        "are marked as not scanned.",
    ),
    Variable(
        "REGISTRY_URL",
        parsers.url("http", "https"),
        _A_WEB_ADDRESS,
        "Where a beneficiary registry of another system answers, see docs/registry.md. Unset: the registry loaded with "
        "`flask registry import`, if there is one.",
        production="https, or on this machine",
    ),
    Variable(
        "REGISTRY_TOKEN",
        parsers.plain,
        "be plain text",
        "Sent to that registry as `Authorization: Bearer …`.",
        secret=True,
    ),
    Variable(
        "METRICS_TOKEN",
        parsers.plain,
        "be plain text",
        "Who asks for /metrics must send it as `Authorization: Bearer …`. Unset: open in development, closed in production.",
        secret=True,
    ),
    Variable(
        "WATCH_MAIL_TO",
        parsers.mailboxes,
        "be e-mail addresses separated by commas",
        "Operators whom `flask watch` tells when something stops working and when it works again.",
    ),
    Variable(
        "LOG_LEVEL",
        parsers.choice("DEBUG", "INFO", "WARNING", "ERROR"),
        "be DEBUG, INFO, WARNING or ERROR",
        "The least important lines that are logged.",
        default="INFO",
    ),
    Variable("WEB_WORKERS", parsers.number(1, 64), "be a number from 1 to 64", "Web server processes.", default="2"),
    Variable(
        "WEB_THREADS",
        parsers.number(1, 64),
        "be a number from 1 to 64",
        "Threads of each web server process.",
        default="4",
    ),
    Variable(
        "WEB_BUSY_AT",
        parsers.number(0, 10_000),
        "be a number from 0 to 10000",
        "When more requests than this wait in a web server process, whoever opens a public page is asked to come back in some "
        "seconds; what is sent in, and officers' pages, are served as ever. 0: nobody is asked.",
        default="200",
    ),
    Variable(
        "WORKER_CONCURRENCY",
        parsers.number(1, 64),
        "be a number from 1 to 64",
        "Background worker processes.",
        default="2",
    ),
)


def configuration_page() -> str:
    """docs/configuration.md: the table for people."""
    lines = [
        "# Configuration",
        "",
        "Generated from `grm/kernel/variables.py` by `python config.py > docs/configuration.md`;",
        "a test keeps it current.",
        "",
        "All settings are environment variables; an empty one counts as unset. At start all faults are",
        "reported together, and no value is ever repeated. Variables marked † are secrets: they belong in",
        "the environment of the service or in a file that only it can read. In development nothing",
        "need be set: the keys are derived from `GRM_HOME/secret`, which `make run` creates, and",
        "`.venv/bin/flask --app wsgi …` finds the system that `make run` started in the same `GRM_HOME`.",
        "",
        "| variable | default | meaning | in production |",
        "|---|---|---|---|",
    ]
    for variable in VARIABLES:
        mark = " †" if variable.secret else ""
        default = f"`{variable.default}`" if variable.default else ""
        lines.append(f"| `{variable.name}`{mark} | {default} | {variable.meaning} | {variable.production} |")
    lines += [
        "",
        "A key:",
        "",
        "```sh",
        "python3 -c 'import base64, secrets; print(base64.b64encode(secrets.token_bytes(32)).decode())'",
        "```",
        "",
        "`GRM_ENV=production` refuses to start with development keys, with short, equal or visibly",
        "not random keys, with the embedded engines (unless `GRM_ALLOW_EMBEDDED=1`), or lacking what is required.",
    ]
    return "\n".join(lines) + "\n"
