"""Settings: all faults at once, no value echoed, production stricter, all processes of one home agree."""

import base64
import dataclasses
import os
import secrets
from pathlib import Path

import pytest

from config import Settings, SettingsError, load_settings
from grm.kernel.parsers import parse_smtp_url
from grm.kernel.places import derive_keys, development_secret, embedded_places, launcher_env_file
from grm.kernel.variables import VARIABLES


def random_key() -> str:
    return base64.b64encode(secrets.token_bytes(32)).decode()


@pytest.fixture
def home(tmp_path: Path) -> Path:
    development_secret(tmp_path, create=True)
    return tmp_path


@pytest.fixture
def production(tmp_path: Path) -> dict[str, str]:
    return {
        "GRM_ENV": "production",
        "GRM_HOME": str(tmp_path),
        "DATABASE_URL": "postgresql://grm:pw@db.example/grm",
        "REDIS_URL": "rediss://:pw@redis.example:6380/1",
        "SECRET_KEY": secrets.token_hex(32),
        "DATA_KEYS": f"k2:{random_key()},k1:{random_key()}",
        "INDEX_KEY": random_key(),
        "TRACKING_KEY": random_key(),
        "PUBLIC_URL": "https://grs.example.gov.bd/",
        "SMS_GATEWAY_URL": "https://sms.example/cgi-bin/sendsms",
        "SMS_GATEWAY_PASSWORD": "pw",
        "SMTP_URL": "smtp://grm:p%40ss@mail.example:587?starttls=1",
        "MAIL_FROM": "GRM <grm@example.gov.bd>",
    }


def faults(env: dict[str, str]) -> list[str]:
    with pytest.raises(SettingsError) as caught:
        load_settings(env)
    return caught.value.faults


def test_every_variable_is_a_field_and_every_field_a_variable() -> None:
    fields = {field.name for field in dataclasses.fields(Settings)}
    assert fields == {variable.name.lower() for variable in VARIABLES}


def test_development_needs_nothing_but_the_launchers_secret(home: Path) -> None:
    settings = load_settings({"GRM_HOME": str(home)})
    assert (settings.host, settings.port, settings.public_url) == ("127.0.0.1", 8000, "http://127.0.0.1:8000")
    assert settings.is_development and not settings.is_production
    assert settings.database_url == embedded_places(home).database_url
    assert settings.redis_url == embedded_places(home).redis_url
    assert settings.trusted_hosts == ("127.0.0.1", "localhost", "[::1]")
    assert len({settings.data_keys[0], settings.index_key, settings.tracking_key}) == 3


def test_without_the_secret_it_says_what_makes_one(tmp_path: Path) -> None:
    assert faults({"GRM_HOME": str(tmp_path)}) == [
        f"{name} is not set; `make run` makes one for development"
        for name in ("SECRET_KEY", "DATA_KEYS", "INDEX_KEY", "TRACKING_KEY")
    ]


def test_the_secret_is_private_and_never_replaced(home: Path) -> None:
    first = development_secret(home)
    assert os.stat(home / "secret").st_mode & 0o777 == 0o600
    assert development_secret(home, create=True) == first


def test_what_the_launcher_noted_holds_until_the_environment_says_otherwise(home: Path) -> None:
    note = launcher_env_file(home)
    note.parent.mkdir()
    note.write_text("PORT=8123\nSMTP_URL=smtp://127.0.0.1:2525\nREDIS_URL=redis://:a=b@127.0.0.1:6380/1\n")
    settings = load_settings({"GRM_HOME": str(home)})
    assert (settings.port, settings.public_url) == (8123, "http://127.0.0.1:8123")
    assert settings.smtp_url == "smtp://127.0.0.1:2525"
    assert settings.redis_url == "redis://:a=b@127.0.0.1:6380/1"
    assert load_settings({"GRM_HOME": str(home), "PORT": "9000"}).port == 9000


def test_production_ignores_the_launchers_note_and_secret(production: dict[str, str], home: Path) -> None:
    production |= {"GRM_HOME": str(home)}
    del production["SECRET_KEY"]
    launcher_env_file(home).parent.mkdir()
    launcher_env_file(home).write_text(f"SECRET_KEY={secrets.token_hex(32)}\n")
    assert faults(production) == ["SECRET_KEY is not set"]


def test_all_faults_at_once_and_never_a_value(home: Path) -> None:
    wrong = {
        "PORT": "৮০০০",
        "DATABASE_URL": "mysql://canary@db/grm",
        "INDEX_KEY": "canary",
        "DATA_KEYS": "a:" + base64.b64encode(b"canary").decode(),
        "LOG_LEVEL": "canary",
        "SWEEP_PERIOD_SECONDS": "nan",
        "SMTP_URL": "smtp://canary:canary@host:port",
        "MAIL_FROM": "canary",
        "PUBLIC_URL": "ftp://canary",
        "TRUSTED_PROXY_HOPS": "-1",
    }
    found = faults({"GRM_HOME": str(home), **wrong})
    assert [fault.split(" must ")[0] for fault in found] == [v.name for v in VARIABLES if v.name in wrong]
    assert "canary" not in str(found) and "৮০০০" not in str(found)


def test_an_empty_variable_counts_as_unset(home: Path) -> None:
    assert load_settings({"GRM_HOME": str(home), "PORT": "", "DATABASE_URL": ""}).port == 8000


def test_settings_are_frozen_and_do_not_print_secrets(home: Path) -> None:
    settings = load_settings(
        {"GRM_HOME": str(home), "DATABASE_URL": "postgresql://u:canary@h/d", "SMS_GATEWAY_PASSWORD": "canary"}
    )
    assert "canary" not in repr(settings) and settings.secret_key not in repr(settings)
    with pytest.raises(dataclasses.FrozenInstanceError):
        settings.port = 1  # type: ignore[misc]


def test_a_complete_production_environment_is_accepted(production: dict[str, str]) -> None:
    settings = load_settings(production)
    assert settings.is_production
    assert len(settings.data_keys) == 2
    assert settings.trusted_hosts == ("grs.example.gov.bd",)
    assert settings.sms_report_url == settings.public_url == "https://grs.example.gov.bd"
    assert settings.broker_url == production["REDIS_URL"]


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ({"DATABASE_URL": ""}, "DATABASE_URL is not set: the embedded one is for trying"),
        ({"REDIS_URL": ""}, "REDIS_URL is not set: the embedded one is for trying"),
        ({"SECRET_KEY": "abcdefghijklmnop"}, "SECRET_KEY must have at least 32 characters in production"),
        ({"SECRET_KEY": "a" * 40}, "SECRET_KEY is not random"),
        ({"INDEX_KEY": base64.b64encode(bytes(32)).decode()}, "INDEX_KEY is not random"),
        ({"PUBLIC_URL": "http://grs.example"}, "PUBLIC_URL must begin with https:// in production"),
        (
            {"SMTP_URL": "smtp://mail.example"},
            "SMTP_URL must use TLS (starttls=1 or smtps:), or be on this machine",
        ),
        ({"REDIS_URL": "redis://redis.example/1"}, "REDIS_URL must have a password in production"),
        (
            {"SMS_GATEWAY_URL": "http://sms.example/cgi-bin/sendsms"},
            "SMS_GATEWAY_URL must be https, or on this machine, in production",
        ),
        ({"MAIL_FROM": ""}, "MAIL_FROM is not set"),
    ],
)
def test_production_refuses(production: dict[str, str], change: dict[str, str], fault: str) -> None:
    assert faults({**production, **change}) == [fault]


def test_a_bucket_needs_its_address_and_key_and_tls_in_production(production: dict[str, str]) -> None:
    bucket = {"ATTACHMENTS_URL": "s3://grm/files"}
    names = ("ATTACHMENTS_S3_ENDPOINT", "ATTACHMENTS_S3_KEY", "ATTACHMENTS_S3_SECRET")
    assert faults({**production, **bucket}) == [f"{name} is not set, but ATTACHMENTS_URL is" for name in names]
    bucket |= dict(zip(names, ("https://s3.example", "key", "very secret"), strict=True))
    settings = load_settings({**production, **bucket})
    assert settings.attachments_url == "s3://grm/files" and "very secret" not in repr(settings)
    bucket["ATTACHMENTS_S3_ENDPOINT"] = "http://s3.example"
    assert faults({**production, **bucket}) == [
        "ATTACHMENTS_S3_ENDPOINT must be https, or on this machine, in production"
    ]


def test_production_refuses_equal_keys(production: dict[str, str]) -> None:
    production["TRACKING_KEY"] = production["INDEX_KEY"]
    assert faults(production) == ["TRACKING_KEY equals INDEX_KEY: each purpose needs a key of its own"]


@pytest.mark.parametrize("name", ["SECRET_KEY", "DATA_KEYS", "INDEX_KEY", "TRACKING_KEY"])
def test_production_refuses_each_development_key(production: dict[str, str], home: Path, name: str) -> None:
    secret = development_secret(home)
    assert secret
    production |= {"GRM_HOME": str(home), name: derive_keys(secret)[name]}
    assert len(found := faults(production)) == 1
    assert found[0].startswith(name) and found[0].endswith("is a development key")


def test_production_may_be_allowed_the_embedded_engines(production: dict[str, str]) -> None:
    del production["DATABASE_URL"], production["REDIS_URL"]
    settings = load_settings({**production, "GRM_ALLOW_EMBEDDED": "1"})
    assert settings.redis_url.startswith("unix:///tmp/grm-")


def test_the_broker_address_is_spelt_celerys_way(home: Path) -> None:
    settings = load_settings({"GRM_HOME": str(home), "REDIS_URL": "unix:///run/v/valkey.sock?db=3"})
    assert settings.broker_url == "redis+socket:///run/v/valkey.sock?virtual_host=3"


@pytest.mark.parametrize(
    ("url", "tls", "port"),
    [
        ("smtp://u:p%40ss@h", "none", 25),
        ("smtp://u:p%40ss@h?starttls=1", "starttls", 587),
        ("smtps://u:p%40ss@h", "implicit", 465),
        ("smtp://u:p%40ss@h:2525", "none", 2525),
    ],
)
def test_mail_server_addresses(url: str, tls: str, port: int) -> None:
    server = parse_smtp_url(url)
    assert (server.host, server.user, server.password, server.tls, server.port) == (
        "h",
        "u",
        "p@ss",
        tls,
        port,
    )
    assert "p@ss" not in repr(server)


def test_socket_paths_fit_and_differ_between_homes(tmp_path: Path) -> None:
    deep = tmp_path / ("x" * 200)
    assert len(os.fsencode(embedded_places(deep).postgres / ".s.PGSQL.5432.lock")) <= 107
    assert embedded_places(deep) != embedded_places(tmp_path)
