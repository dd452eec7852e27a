"""The directory in a real database: imported twice it is the same, a fault writes nothing, posts are held by the day."""

import threading
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import event, func, select, text
from sqlalchemy.orm import Session

from grm.accounts.models import Officer
from grm.accounts.passwords import verify
from grm.cli import register, set_up
from grm.kernel import clock
from grm.kernel.actor import SYSTEM
from grm.kernel.contact import is_sendable_mobile, parse_email
from grm.kernel.db import db
from grm.kernel.errors import Conflict, InvalidInput, Misconfigured, NotFound
from grm.kernel.transaction import transaction
from grm.offices import demo, edition
from grm.offices.models import Alias, Category, ClusterMinistry, Office, Place, Post, Posting, ReferenceEdition
from grm.offices.queries import directory, holders, vacant_posts
from grm.offices.reference_files import BadFiles
from grm.offices.service import end_posting, import_reference_data, post_of, post_officer
from grm.offices.signed_in import actor_of

TODAY = date(2026, 3, 1)
UPAZILAS = "code,name_en,name_bn,parent_code\n"


@pytest.fixture
def statements(session: Session) -> Iterator[list[str]]:
    """The SQL the test sends from here on."""
    sent: list[str] = []

    def note(_c: object, _cursor: object, statement: str, *_: object) -> None:
        sent.append(statement)

    event.listen(db.engine, "before_cursor_execute", note)
    yield sent
    event.remove(db.engine, "before_cursor_execute", note)


def upazilas(folder: Path, *lines: str) -> Path:
    (folder / "upazilas.csv").write_text(UPAZILAS + "".join(line + "\n" for line in lines), encoding="utf-8")
    return folder


def count(session: Session, model: type) -> int:
    return session.scalar(select(func.count()).select_from(model)) or 0


# --- what is there --------------------------------------------------------------------------------------------------


def test_the_shipped_directory_is_whole(session: Session) -> None:
    known = directory(session)
    assert (len(known.ministries), len(known.clusters), len(known.programmes), len(known.categories)) == (39, 6, 58, 15)
    assert (len(known.divisions), len(known.districts), len(known.places)) == (8, 64, 8 + 64 + 495 + 12)
    assert {kind: sum(o.kind == kind for o in known.offices) for kind in ("ministry", "cell", "district")} == {
        "ministry": 39,
        "cell": 1,
        "district": 64,
    }
    assert [category.slug for category in known.categories][:2] == ["exclusion-error", "inclusion-error"]
    assert all(category.description_bn for category in known.categories)
    assert known.cell.id != known.office_of("cabinet").id
    assert all(office.parent_id == known.cell.id for office in known.offices if office.kind != "cell")


def test_a_ministry_is_in_several_clusters_one_of_them_primary(session: Session) -> None:
    known = directory(session)
    assert known.ministry("labour-employment").cluster_slugs == (
        "social-insurance",
        "social-allowance",
        "labour-livelihood",
    )
    primary = session.execute(
        select(ClusterMinistry.ministry_id, func.count()).where(ClusterMinistry.is_primary).group_by("ministry_id")
    ).all()
    assert [n for _, n in primary] == [1] * 39
    assert known.cluster("human-development").coordinator_ministry_id == known.ministry("primary-mass-education").id


def test_every_district_has_its_upazilas_and_its_office(session: Session) -> None:
    known = directory(session)
    for district in known.districts:
        assert known.children(district.id), district
        assert known.district_office(district.code).code == f"dc-{district.code}"
        assert known.division_of(district)


@pytest.mark.parametrize(
    ("typed", "slug"),
    [
        ("VGD", "vwb"),
        ("widow allowance", "widow-allowance"),
        ("SSK", "health-protection-scheme"),
        ("kabikha", "work-for-food-money"),
        ("10 taka rice", "food-friendly-programme"),
        ("১০ টাকার চাল", "food-friendly-programme"),
        ("বয়স্কভাতা", "old-age-allowance"),
        ("বয়স্ক  ভাতা", "old-age-allowance"),
        ("ব\u09df\u09b8্ক ভাতা", "old-age-allowance"),  # the one-character form of য়
    ],
)
def test_programmes_go_by_popular_names(session: Session, typed: str, slug: str) -> None:
    assert [hit.slug for hit in directory(session).find_programmes(typed)] == [slug]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("Barisal", "Barishal"),
        ("Bogra", "Bogura"),
        ("Chittagong", "Chattogram"),
        ("Comilla", "Cumilla"),
        ("Jessore", "Jashore"),
    ],
)
def test_districts_go_by_their_names_before_2018(session: Session, old: str, new: str) -> None:
    known = directory(session)
    assert known.find_places(old, "district") == known.find_places(new, "district")
    assert len(known.find_places(old, "district")) == 1


def test_every_ministry_has_its_desks_and_officers(session: Session) -> None:
    known = directory(session)
    offices = [known.office_of(ministry.id).id for ministry in known.ministries]
    posts = holders(session, offices, TODAY)
    for ministry in known.ministries:
        held = {post.code: post for post in posts if post.office_id == ministry.office_id}
        assert set(held) - {"coordinator"} == {"gro", "appeal", "officer", "head"}
        assert all(held[code].regular for code in ("gro", "appeal", "officer")), ministry.slug
        assert held["appeal"].rank > held["gro"].rank > held["officer"].rank
    without_programmes = {m.id for m in known.ministries} - {p.ministry_id for p in known.programmes}
    assert len(without_programmes) == 10


# --- the import -----------------------------------------------------------------------------------------------------


def test_importing_the_same_again_changes_nothing(session: Session) -> None:
    before = edition.current(session)
    with transaction() as act:
        report = import_reference_data(act.session, act.now)
    assert not report.is_change
    assert report.unlisted == ()
    assert all(tally.unchanged and not tally.created and not tally.changed for tally in report.tallies.values())
    assert report.edition == edition.current(session) == before


def test_a_new_name_is_changed_in_place_and_seen_at_once(session: Session, tmp_path: Path) -> None:
    before = directory(session)
    dhamrai = before.find_places("Dhamrai")[0]
    with transaction() as act:
        report = import_reference_data(
            act.session, act.now, upazilas(tmp_path, f"{dhamrai.code},Dhamrai New,ধামরাই,3026", "302699,Added,নতুন,3026")
        )
    assert (report.tallies["upazila"].created, report.tallies["upazila"].changed) == (1, 1)
    assert ("upazila", "302638") in report.unlisted and len(report.unlisted) == 494
    after = directory(session)
    assert after.edition == report.edition > before.edition
    assert after.place(dhamrai.id).name_en == "Dhamrai New"
    assert after.district_of(after.place("302699")) == after.place("3026")
    assert before.place(dhamrai.id).name_en == "Dhamrai"
    assert count(session, Place) == 580


def test_a_file_without_priorities_leaves_them_as_they_are(session: Session, tmp_path: Path) -> None:
    row = "payment-not-received,Payment not received,টাকা পাইনি,d,d,normal"
    names = "slug,name_en,name_bn,description_en,description_bn,sensitivity"
    for content, expected in ((f"{names},priority\n{row},urgent\n", "urgent"), (f"{names}\n{row}\n", "urgent")):
        (tmp_path / "categories.csv").write_text(content, encoding="utf-8")
        with transaction() as act:
            import_reference_data(act.session, act.now, tmp_path)
        assert directory(session).category("payment-not-received").priority == expected
    (tmp_path / "categories.csv").write_text(f"{names},priority\n{row},soon\n", encoding="utf-8")
    with pytest.raises(BadFiles, match="priority"), transaction() as act:
        import_reference_data(act.session, act.now, tmp_path)


def test_an_end_date_takes_a_programme_out_of_the_form_and_leaves_it_to_its_cases(
    session: Session, tmp_path: Path
) -> None:
    (tmp_path / "programmes.csv").write_text(
        "slug,name_en,name_bn,ministry_slug,lifecycle_stage,kind,valid_to\n"
        "oms,Open Market Sale,ওএমএস,food,all-ages,food,2026-07-01\n"
    )
    with transaction() as act:
        import_reference_data(act.session, act.now, tmp_path)
    known = directory(session)
    assert "oms" in {p.slug for p in known.programmes_on(date(2026, 6, 30))}
    assert "oms" not in {p.slug for p in known.programmes_on(date(2026, 7, 1))}
    assert known.programme("oms").name_en == "Open Market Sale"
    with transaction() as act:  # a file without dates does not bring it back
        import_reference_data(act.session, act.now)
    assert directory(session).programme("oms").valid_to == date(2026, 7, 1)


def test_a_new_ministry_gets_its_office_and_posts(session: Session, tmp_path: Path) -> None:
    (tmp_path / "ministries.csv").write_text(
        "slug,name_en,name_bn,cluster\nrailways,Ministry of Railways,রেলপথ,crosscutting\n"
    )
    with transaction() as act:
        import_reference_data(act.session, act.now, tmp_path)
    known = directory(session)
    office = known.office_of("railways")
    assert office.name_bn == "রেলপথ"
    assert {post.code for post in holders(session, [office.id], TODAY)} == {"gro", "appeal", "officer", "head"}
    assert known.ministry("railways").cluster_slugs == ("crosscutting",)


def test_a_fault_anywhere_writes_nothing(session: Session, tmp_path: Path) -> None:
    upazilas(tmp_path, "302699,Added,নতুন,3026")
    (tmp_path / "aliases.csv").write_text("kind,code,name\nplace,302699,Good\nplace,nowhere,Bad\n")
    before = (count(session, Place), count(session, Alias), edition.current(session))
    with pytest.raises(BadFiles) as caught, transaction() as act:
        import_reference_data(act.session, act.now, tmp_path)
    assert [str(fault) for fault in caught.value.faults] == ["aliases.csv:3: code names no place that exists: nowhere"]
    assert (count(session, Place), count(session, Alias), edition.current(session)) == before


def test_the_import_command_reports_faults_and_changes(app: Flask, session: Session, tmp_path: Path) -> None:
    runner = register(app).test_cli_runner()
    upazilas(tmp_path, "302699,Added,,3026", "302698,Other,অন্য,77")
    bad = runner.invoke(args=["offices", "import", str(tmp_path)])
    assert bad.exit_code == 1
    assert "upazilas.csv:2: name_bn is blank" in bad.output
    assert "upazilas.csv:3: parent_code names no district that exists: 77" in bad.output
    assert "2 faults; nothing was written." in bad.output
    upazilas(tmp_path, "302699,Added,নতুন,3026")
    good = runner.invoke(args=["offices", "import", str(tmp_path)])
    assert good.exit_code == 0, good.output
    assert "upazila               1 new     0 changed     0 unchanged" in good.output
    assert "and 485 more" in good.output
    session.expire_all()
    assert session.scalar(select(Place.name_bn).where(Place.code == "302699")) == "নতুন"


# --- the cache ------------------------------------------------------------------------------------------------------


def test_the_snapshot_is_read_once(session: Session, statements: list[str]) -> None:
    directory(session)
    edition_checks = len(statements)
    assert directory(session) is directory(session)
    assert len(statements) == edition_checks
    edition.forget()
    directory(session)
    assert len(statements) - edition_checks <= 10


def test_what_is_rolled_back_was_never_in_the_cache(session: Session, tmp_path: Path) -> None:
    folder = upazilas(tmp_path, "302699,Ghost,ভূত,3026")
    with pytest.raises(ZeroDivisionError), transaction() as act:
        import_reference_data(act.session, act.now, folder)
        assert directory(act.session).find_places("Ghost"), "the transaction sees its own change"
        assert 1 / 0
    assert directory(session).find_places("Ghost") == ()


def test_another_connections_change_is_seen_after_the_check(
    app: Flask, session: Session, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    directory(session)
    session.rollback()
    with db.engine.begin() as other:
        other.execute(text("UPDATE place SET name_en = 'Renamed' WHERE code = '3026'"))
        other.execute(text("UPDATE reference_edition SET edition = edition + 1"))
    assert directory(session).place("3026").name_en == "Dhaka", "checked at most every two seconds"
    monkeypatch.setattr(edition, "CHECK_EVERY_SECONDS", 0.0)
    assert directory(session).place("3026").name_en == "Renamed"


def test_editions_only_rise(session: Session) -> None:
    with transaction() as act:
        first, second = edition.bump(act.session), edition.bump(act.session)
    assert second > first
    assert session.scalar(select(ReferenceEdition.edition)) == second


# --- postings -------------------------------------------------------------------------------------------------------


def officer(session: Session, name: str) -> int:
    return session.scalars(select(Officer.id).where(Officer.username == name)).one()


def test_a_posting_ends_and_another_begins_on_that_day(session: Session) -> None:
    now = clock.now(session)
    post = post_of(session, "food", "gro")
    held = session.scalars(select(Posting).where(Posting.post_id == post.id)).one()
    successor = officer(session, "gro.land")
    with pytest.raises(Conflict, match="post-is-held"):
        post_officer(session, now, successor, post.id, TODAY)
    end_posting(session, now, held.id, TODAY)
    gap = [p for p in vacant_posts(session, TODAY) if p.post_id == post.id]
    assert len(gap) == 1 and gap[0].is_vacant
    assert not [p for p in vacant_posts(session, date(2026, 2, 28)) if p.post_id == post.id]
    post_officer(session, now, successor, post.id, TODAY)
    before, after = (
        next(p for p in holders(session, [post.office_id], day) if p.post_id == post.id).regular
        for day in (date(2026, 2, 28), TODAY)
    )
    assert before and before.officer_id == held.officer_id
    assert after and after.officer_id == successor
    assert vacant_posts(session, TODAY) == ()


def test_an_alternate_acts_while_the_post_is_empty(session: Session) -> None:
    now = clock.now(session)
    post = post_of(session, "food", "appeal_officer")
    alternate = officer(session, "gro.food")
    post_officer(session, now, alternate, post.id, TODAY, is_alternate=True)
    with pytest.raises(Conflict):
        post_officer(session, now, alternate, post.id, TODAY, is_alternate=True)
    held = next(p for p in holders(session, [post.office_id], TODAY) if p.post_id == post.id)
    assert held.regular and held.acting == held.regular and [a.officer_id for a in held.alternates] == [alternate]
    end_posting(
        session,
        now,
        session.scalars(select(Posting.id).where(Posting.officer_id == held.regular.officer_id)).one(),
        TODAY,
    )
    (empty,) = vacant_posts(session, TODAY)
    assert not empty.is_vacant and empty.acting and empty.acting.officer_id == alternate


def test_a_deactivated_officer_holds_nothing(session: Session) -> None:
    session.execute(text("UPDATE officer SET is_active = false WHERE username = 'gro.food'"))
    assert [(p.code, p.regular) for p in vacant_posts(session, TODAY)] == [("gro", None)]


def test_postings_that_make_no_sense_are_refused(session: Session) -> None:
    now, post = clock.now(session), post_of(session, "food", "head")
    someone = officer(session, "gro.food")
    with pytest.raises(InvalidInput):
        post_officer(session, now, someone, post.id, TODAY, ends_on=TODAY)
    with pytest.raises(NotFound):
        post_officer(session, now, 10**9, post.id, TODAY)
    with pytest.raises(NotFound):
        post_officer(session, now, someone, 10**9, TODAY)
    with pytest.raises(NotFound):
        post_of(session, "food", "cell_officer")
    posting = post_officer(session, now, someone, post.id, TODAY, ends_on=date(2026, 4, 1))
    with pytest.raises(Conflict):
        end_posting(session, now, posting.id, date(2026, 5, 1))
    with pytest.raises(InvalidInput):
        end_posting(session, now, posting.id, TODAY)


def test_two_appointments_at_once_give_one_holder(app: Flask, session: Session) -> None:
    post, someone = post_of(session, "food", "head").id, officer(session, "gro.food")
    session.commit()
    outcomes: list[str] = []

    def appoint() -> None:
        with app.app_context():
            try:
                with transaction() as act:
                    post_officer(act.session, act.now, someone, post, TODAY)
                outcomes.append("posted")
            except Conflict:
                outcomes.append("held")
            finally:
                db.session.remove()

    threads = [threading.Thread(target=appoint) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["held", "held", "held", "posted"]


def test_holders_of_all_offices_take_one_statement(session: Session, statements: list[str]) -> None:
    offices = list(session.scalars(select(Office.id)))
    statements.clear()
    assert len(holders(session, offices, TODAY)) == count(session, Post)
    assert len(statements) == 2  # the other one counts
    assert holders(session, [], TODAY) == ()


# --- demo accounts and set-up ---------------------------------------------------------------------------------------


def test_demo_officers_sit_where_their_names_say(session: Session) -> None:
    known = directory(session)
    seats = {
        name: actor_of(session, session.scalars(select(Officer).where(Officer.username == name)).one(), TODAY)
        for name in ("cabinet", "gro.social-welfare", "officer.social-welfare", "appeal.social-welfare", "desk.dhaka")
    }
    roles = {name: [(seat.office_id, seat.role) for seat in actor.seats] for name, actor in seats.items()}
    welfare = known.office_of("social-welfare").id
    assert roles == {
        "cabinet": [(known.cell.id, "cell_officer")],
        "gro.social-welfare": [(welfare, "gro")],
        "officer.social-welfare": [(welfare, "case_officer")],
        "appeal.social-welfare": [(welfare, "appeal_officer")],
        "desk.dhaka": [(known.district_office("3026").id, "desk_officer")],
    }
    admin = session.scalars(select(Officer).where(Officer.username == "admin")).one()
    assert admin.is_admin and actor_of(session, admin, TODAY).seats == ()
    assert sum(o.is_admin for o in session.scalars(select(Officer))) == 1


def test_demo_officers_can_be_written_to_and_told_apart(session: Session) -> None:
    officers = session.scalars(select(Officer)).all()
    assert len(officers) == 3 * 39 + 64 + 15 + 2 + 2
    assert len({o.phone for o in officers}) == len(officers)
    assert all(
        o.is_demo and is_sendable_mobile(o.phone or "") and parse_email(o.email or "") == o.email for o in officers
    )
    assert all(str(o.email).endswith("@grm.example") for o in officers), "a reserved domain (RFC 2606)"
    assert len({o.name_bn for o in officers}) == len({o.name_en for o in officers}) == len(officers)
    assert len({o.password_hash for o in officers}) == 1
    assert verify(officers[0].password_hash, "demo")


def test_seeding_demo_accounts_again_leaves_them_as_they_are(session: Session) -> None:
    session.execute(text("UPDATE officer SET is_active = false WHERE username = 'gro.food'"))
    assert demo.seed(session, clock.now(session)) == 0
    assert session.scalar(text("SELECT is_active FROM officer WHERE username = 'gro.food'")) is False


def test_a_real_account_is_never_taken_for_a_demo_one(session: Session) -> None:
    session.execute(text("UPDATE officer SET is_demo = false WHERE username = 'gro.food'"))
    with pytest.raises(Misconfigured, match="demo-name-taken"):
        demo.seed(session, clock.now(session))


def test_setting_up_again_finds_nothing_to_do(app: Flask, session: Session) -> None:
    said: list[str] = []
    set_up(app, demo=True, say=said.append)
    assert said[0].startswith("Database: at revision")
    assert said[1] == "Reference data: unchanged"


def test_setting_up_mends_what_the_shipped_data_knows_better(app: Flask, session: Session) -> None:
    session.execute(text("UPDATE reference_edition SET source_hash = 'older release'"))
    session.execute(text("UPDATE category SET name_bn = 'x' WHERE slug = 'bribe-demand'"))
    session.commit()
    set_up(app, demo=True)
    assert session.scalar(select(Category.name_bn).where(Category.slug == "bribe-demand")) == "ঘুষ বা অর্থ দাবি"


def test_production_refuses_demo_accounts(make_app, session: Session) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(Misconfigured, match="demo-in-production"):
        set_up(make_app(grm_env="production"), demo=True)


# --- accounts -------------------------------------------------------------------------------------------------------

ACCOUNT = ["accounts", "create", "Head.Food", "--name-bn", "রহিমা", "--name-en", "Rahima", "--role", "head"]
GOOD = ["--password", "three green boats"]


def test_an_account_is_created_and_posted(app: Flask, session: Session) -> None:
    runner = register(app).test_cli_runner()
    done = runner.invoke(args=[*ACCOUNT, "--office", "খাদ্য মন্ত্রণালয়", "--phone", "০১৭১২৩৪৫৬৭৮", *GOOD])
    assert (done.exit_code, done.output) == (0, "Account head.food created: Head of Office (Secretary), food.\n")
    made = session.scalars(select(Officer).where(Officer.username == "head.food")).one()
    assert made.phone == "+8801712345678" and not made.is_demo and not made.is_admin
    assert verify(made.password_hash, "three green boats")
    today = clock.dhaka_date(clock.now(session))
    assert [seat.role for seat in actor_of(session, made, today).seats] == ["head"]
    again = runner.invoke(args=[*ACCOUNT, "--office", "food", *GOOD])
    assert "There is an account head.food already." in again.output and again.exit_code == 1


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--office", "food", "--password", "short"], "at least 12 characters"),
        (["--office", "food", "--password", "password1234"], "too common"),
        (["--office", "fod", *GOOD], "Did you mean food (Ministry of Food)"),
        (["--office", "cell", *GOOD, "--role", "gro"], "has no post with the role gro"),
        (["--office", "food", *GOOD, "--role", "gro"], "is held; end that posting first"),
        (GOOD, "Every role but admin needs --office"),
        (["--office", "food", *GOOD, "--role", "admin"], "Every role but admin needs --office"),
        (["--office", "food", *GOOD, "--phone", "02 9123456"], "phone-"),
        (["--office", "food", *GOOD, "--name-bn", "\u200b"], "must not be blank"),
    ],
)
def test_an_account_that_cannot_be_made(app: Flask, session: Session, arguments: list[str], sentence: str) -> None:
    before = count(session, Officer)
    done = register(app).test_cli_runner().invoke(args=[*ACCOUNT, *arguments])
    assert done.exit_code == 1 and sentence in done.output
    assert count(session, Officer) == before


def test_a_second_case_officer_gets_a_post_of_his_own(app: Flask, session: Session) -> None:
    arguments = ["accounts", "create", "o2.food", "--name-bn", "ক", "--name-en", "K", "--role", "case_officer"]
    done = register(app).test_cli_runner().invoke(args=[*arguments, "--office", "food", *GOOD])
    assert done.exit_code == 0, done.output
    today = clock.dhaka_date(clock.now(session))
    office = directory(session).office_of("food").id
    held = [p for p in holders(session, [office], today) if p.role == "case_officer"]
    assert [(p.code, p.regular is not None) for p in held] == [("officer", True), ("officer-2", True)]


def test_changes_of_the_directory_are_on_record(session: Session, tmp_path: Path) -> None:
    with transaction() as act:
        import_reference_data(act.session, act.now, upazilas(tmp_path, "302699,Added,নতুন,3026"), SYSTEM)
    kind, data = session.execute(
        text("SELECT kind, data FROM audit_entry WHERE stream = 'directory' ORDER BY seq DESC LIMIT 1")
    ).one()
    assert (kind, data) == ("reference-data-imported", {"changes": {"upazila": [1, 0]}})
