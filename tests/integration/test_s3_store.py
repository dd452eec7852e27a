"""Files in an S3-compatible store (moto's server, on this machine): the same promises as with a folder."""

import logging
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from flask import Flask
from moto.server import ThreadedMotoServer
from sqlalchemy import select
from sqlalchemy.orm import Session

from grm.cases import attachment_care, attachment_serving, attachments
from grm.cases.attachment_models import Attachment, DraftFile
from grm.cases.attachments import Upload
from grm.cli import register
from grm.files.store import FolderStore, Store, StoreAway, new_name
from grm.files.store_s3 import S3Store
from grm.intake import draft_files
from grm.intake.service import new_token
from grm.kernel.db import db
from grm.kernel.errors import Unavailable
from tests.support import build, files
from tests.support.mailbox import free_port

GRO = "gro.social-welfare"


@pytest.fixture(scope="module")
def endpoint() -> Iterator[str]:
    """An empty store with one bucket."""
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = ThreadedMotoServer("127.0.0.1", port=0, verbose=False)
    server.start()
    address = "http://{}:{}".format(*server.get_host_and_port())
    urllib.request.urlopen(urllib.request.Request(f"{address}/files", method="PUT")).close()
    yield address
    server.stop()


@pytest.fixture(params=["folder", "bucket", "bucket without a prefix"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Store:
    if request.param == "folder":
        return FolderStore(tmp_path)
    url = "s3://files/a/b" if request.param == "bucket" else "s3://files"
    return S3Store(url, request.getfixturevalue("endpoint"), "us-east-1", "key", "secret")


def test_both_stores_keep_the_same_promises(place: Store) -> None:
    name, other = new_name(), new_name()
    place.put(name, b"content")
    assert place.read(name) == b"content" and list(place.names()) == [name]
    assert place.unsettled(-60) == [name] and place.unsettled(60) == [] and -60 < place.age_seconds(name) < 60
    place.settle(name)
    place.settle(name)
    assert place.unsettled(-60) == []
    place.unsettle(name)
    place.unsettle(name)
    assert place.unsettled(-60) == [name] and place.unsettled(60) == [], "it is young again"
    assert place.age_seconds(other) == 0
    with pytest.raises(FileNotFoundError):
        place.read(other)
    place.remove(name)
    place.remove(name)
    assert place.unsettled(-60) == [] and list(place.names()) == []
    for wrong in ("../x", "x" * 32, name.upper(), f"{name}/"):
        with pytest.raises(ValueError, match="no name"):
            place.read(wrong)


def test_a_store_that_is_away_is_no_missing_file(endpoint: str) -> None:
    for url, address in (("s3://files", f"http://127.0.0.1:{free_port()}"), ("s3://nowhere", endpoint)):
        away = S3Store(url, address, "us-east-1", "key", "verysecret")
        assert "verysecret" not in repr(away)
        for call in (lambda: away.put(new_name(), b"x"), lambda: away.unsettled(0), lambda: list(away.names())):  # noqa: B023
            with pytest.raises(StoreAway) as said:
                call()
            assert "127.0.0.1" not in str(said.value)


def test_files_of_cases_and_forms_in_a_bucket(
    make_app: Callable[..., Flask], session: Session, endpoint: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    number = build.case(session, assignee=build.officer_id(session, GRO)).tracking_number
    session.commit()
    told = {"attachments_url": "s3://files/of/cases", "attachments_s3_endpoint": endpoint, "attachments_s3_key": "k"}
    app = make_app(**told, attachments_s3_secret="s")
    with app.app_context():
        who, inside, bucket = build.actor(db.session(), GRO), db.session(), attachments.store()
        given = [Upload("a.png", files.png()), Upload("b.amr", files.amr())]
        attachments.attach_files(who, number, given, "দুটি ফাইল")
        token = new_token()
        assert draft_files.take(token, [Upload("c.wav", files.wav())], is_anonymous=False).taken == 1
        first, second = inside.scalars(select(Attachment).order_by(Attachment.id)).all()
        _, served = attachment_serving.file_of(inside, who, number, first.id)
        assert served.data == bucket.read(first.stored_name) and bucket.unsettled(-60) == []

        bucket.put(new_name(), b"of an act that was killed")
        (drafted,) = inside.scalars(select(DraftFile.stored_name)).all()
        bucket.unsettle(drafted)
        monkeypatch.setattr(attachment_care, "ORPHAN_SECONDS", -60.0)
        assert attachment_care.sweep_orphans(-60) == 1 and bucket.unsettled(-60) == []
        bucket.remove(first.stored_name)
        bucket.put(second.stored_name, b"changed")
        bucket.settle(second.stored_name)
        lines: list[str] = []
        found = attachment_care.reconcile(lines.append, delete_unknown=True)
        assert [(what, each) for what, _, each in found.faults] == [("missing", first.id), ("changed", second.id)]
        assert (found.rows, found.orphans, found.unknown) == (3, 0, 0)
        assert draft_files.remove(token) == 1 and list(bucket.names()) == [second.stored_name]

    away = make_app(**told | {"attachments_s3_endpoint": f"http://127.0.0.1:{free_port()}"}, attachments_s3_secret="s")
    with away.app_context():
        with pytest.raises(Unavailable) as refused:
            attachments.attach_files(build.actor(db.session(), GRO), number, [Upload("c.pdf", files.pdf())], "x")
        assert (refused.value.code, refused.value.params["file_name"]) == ("attachments-away", "c.pdf")
        assert attachment_care.scan_waiting() == 0
        monkeypatch.setattr(S3Store, "unsettled", lambda *_: [])  # it goes away later
        done = register(away).test_cli_runner().invoke(args=["attachments", "reconcile"])
    assert done.exit_code == 1 and done.output == "BAD  the store of files does not answer; nothing was marked\n"
    states = session.scalars(select(Attachment.state).order_by(Attachment.id)).all()
    assert states == ["missing", "missing"], "as the bucket said, and not one more"
