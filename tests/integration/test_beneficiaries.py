"""Beneficiary numbers: loaded from a file, or not at all; and what complaints look like beside them."""

from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session

from grm.cli import register
from grm.kernel import clock
from grm.kernel.audit import AuditEntry
from grm.offices.queries import directory
from grm.reports.beneficiaries import numbers_for
from grm.reports.models import BeneficiaryCount
from grm.reports.overview import asked_from, overview
from grm.tallies.scope import scopes_of
from tests.support import build
from tests.support.reporting import filed, officer, sign_in

HEADER = "programme,district,fiscal_year,people,source\n"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Where the file of a test goes."""
    return tmp_path / "numbers.csv"


def run(app: Flask, *arguments: str) -> tuple[int, str]:
    """Run the command; its exit code and all that it said."""
    result = register(app).test_cli_runner().invoke(args=["reports", "beneficiaries", *arguments])
    return result.exit_code, result.output


def test_numbers_are_loaded_whole_or_not_at_all(app: Flask, session: Session, file: Path) -> None:
    file.write_text(HEADER + "old-age-allowance,,2025-26,6100000,b\nvwb,,2025-26,x,b\nnothing,,2025-26,1,b\n", "utf-8")
    code, said = run(app, "import", str(file))
    assert code == 1, said
    assert "line 3: people" in said and "line 4: there is no programme nothing" in said
    assert session.scalars(select(BeneficiaryCount)).all() == []
    file.write_text(HEADER + "old-age-allowance,,2025-26,6100000,budget\nvwb,1004,2025-26,4000,department\n", "utf-8")
    assert run(app, "import", str(file), "--dry-run") == (
        0,
        "Dry run: nothing was written.\n2 new, 0 changed, 0 unchanged.\n",
    )
    session.rollback()
    assert session.scalars(select(BeneficiaryCount)).all() == []
    assert run(app, "import", str(file))[1] == "2 new, 0 changed, 0 unchanged.\n"
    assert run(app, "import", str(file))[1] == "0 new, 0 changed, 2 unchanged.\n"
    file.write_text(HEADER + "vwb,1004,2025-26,5000,department\n", "utf-8")
    assert run(app, "import", str(file))[1] == "0 new, 1 changed, 0 unchanged.\n"
    session.rollback()
    found = session.execute(select(BeneficiaryCount.people).order_by(BeneficiaryCount.people)).scalars().all()
    assert found == [5000, 6_100_000]
    assert "2 programmes" in run(app, "list")[1]
    entries = session.scalars(select(AuditEntry.data).where(AuditEntry.stream == "beneficiaries")).all()
    assert [(each["added"], each["changed"]) for each in entries] == [(2, 0), (0, 1)]


def test_complaints_are_measured_against_those_who_are_served(app: Flask, session: Session, file: Path) -> None:
    now = clock.now(session)
    for _ in range(3):
        filed(now)
    file.write_text(
        HEADER + "old-age-allowance,,2025-26,6000,budget\nold-age-allowance,3026,2025-26,1500,budget\n"
        "widow-allowance,,2025-26,2500,budget\nvgf,,2024-25,7,budget\n",
        "utf-8",
    )
    assert run(app, "import", str(file))[0] == 0
    session.rollback()
    book, cell = directory(session), officer(session, "cabinet")
    (scope,) = scopes_of(cell, book)
    numbers = numbers_for(session, "2026-27")
    assert numbers is not None and numbers.fiscal_year == "2025-26"

    def people(**query: str) -> dict[str, int | None]:
        found = overview(session, cell, book, asked_from(book, scope, query), "this_fiscal_year", now)
        return {row.code: row.people for row in found.rows} | {"": found.people}

    assert people(by="programme") == {"old-age-allowance": 6000, "": 8500}
    assert people(by="ministry") == {"social-welfare": 8500, "": 8500}
    assert people(by="district") == {"3026": 1500, "": 8500}
    assert people(by="district", only="programme:old-age-allowance") == {"3026": 1500, "": 6000}
    assert people(by="sex")["unknown"] is None
    silent = overview(session, cell, book, asked_from(book, scope, {"by": "programme"}), "this_month", now).silent
    assert (silent[0].code, silent[0].people) == ("widow-allowance", 2500)
    text = sign_in(app.test_client(), "cabinet").get("/reports?by=programme").text
    assert "০.৫০" in text and "২,৫০০" in text  # three of six thousand, and who is silent


def test_no_other_officer_is_told_of_more(app: Flask, session: Session) -> None:
    filed(clock.now(session))
    book = directory(session)
    gro = build.actor(session, "gro.food")
    (scope,) = scopes_of(gro, book)
    found = overview(session, gro, book, asked_from(book, scope, {}), "this_month", clock.now(session))
    theirs = {each.slug for each in book.programmes if book.ministry(each.ministry_id).office_id in gro.office_ids()}
    assert found.is_empty and {each.code for each in found.silent} == theirs
