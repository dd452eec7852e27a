"""What happens in the demo: for each number one story of a case, drawn from the seed. Pure: nothing is filed here.

A story is the filled form and the acts that follow, each with its instant; those still to come on the reference day have
not happened. The first stories make sure that every programme, ministry, district, category and kind of fate occurs
even in a small demo; the others are drawn at random, in proportion to the programmes' size.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from random import Random
from typing import Any

from grm.deadlines.calendar import DHAKA, Calendar, dhaka_midnight
from grm.demo import people, wording
from grm.demo.wording import Matter
from grm.kernel.tracking_number import RANDOM_BITS, new_tracking_number
from grm.offices.directory import Category, Directory, Ministry, Place, Programme

DAYS = 365
RESOLVE_WORKING_DAYS = 30
"""Roughly when a case is due; the true date comes from the policies when the story is filed."""

_CATEGORY_WEIGHTS = {
    "exclusion-error": 17,
    "inclusion-error": 4,
    "payment-not-received": 21,
    "payment-short-or-late": 9,
    "payment-account": 10,
    "food-entitlement": 30,
    "work-wage": 30,
    "application-delay": 8,
    "eligibility-appeal": 4,
    "data-correction": 7,
    "bribe-demand": 4,
    "fraud-diversion": 3,
    "staff-conduct": 2,
    "abuse-safeguarding": 1,
    "access-service-quality": 5,
}
_ONLY_FOR = {
    "exclusion-error": {"cash", "stipend", "food", "work", "service"},
    "inclusion-error": {"cash", "stipend", "food", "work", "service"},
    "payment-not-received": {"cash", "stipend", "work", "insurance"},
    "payment-short-or-late": {"cash", "stipend", "insurance"},
    "payment-account": {"cash", "stipend", "insurance"},
    "food-entitlement": {"food"},
    "work-wage": {"work"},
}
_TRIAGE_CATEGORIES = ("access-service-quality", "application-delay", "staff-conduct")
_CHANNELS = {
    "web": 52,
    "assisted": 17,
    "call_centre": 13,
    "paper": 6,
    "letter": 6,
    "email": 4,
    "suo_motu": 2,
}
_YEAR = 240
_FATES = {
    # fate: (weight, least and most working days since the filing). The usual limit is 30 of them, the ladder 27, 30, 35, 40.
    "prompt": (34, 30, _YEAR),  # answered well in time, closed after the window
    "asked": (9, 34, _YEAR),  # with a question to the complainant on the way
    "referred": (6, 34, _YEAR),  # to another ministry, which answers
    "late_1": (7, 48, _YEAR),  # answered, but late
    "late_2": (5, 52, _YEAR),
    "late_3": (4, 80, _YEAR),
    "declined": (6, 10, _YEAR),
    "withdrawn": (4, 12, _YEAR),
    "fresh": (4, 1, 3),  # nobody has looked yet
    "looked_at": (3, 2, 9),
    "in_progress": (7, 6, 25),
    "waiting": (3, 7, 14),
    "moving": (1, 6, 14),  # referred, and not yet taken up
    "resolved": (4, 14, 24),  # answered, the window to object still open
    "warned": (2, 28, 30),
    "stuck_1": (3, 31, 35),  # taken, but late
    "stuck_2": (2, 36, 40),
    "stuck_3": (3, 41, 75),
    "unclaimed": (4, 31, 80),  # nobody ever looked
}
ALIKE = {"programme": "old-age-allowance", "category": "payment-not-received", "district": "5549"}
"""Of what many complain in the last days, and where: so that an alarm has something to tell."""
_ACCUSED_ABOVE = ("ministry", "appeal-officer", "gro", "field-office")
_RARELY_CLOSED = 0.12
_RATED, _APPEALED = 0.3, 0.07
_HOURS = (time(9, 5), time(16, 55))


@dataclass(frozen=True, slots=True)
class Act:
    """Something that follows the filing: what, when, and with which words; `by` officer or complainant."""

    at: datetime
    what: str
    values: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Story:
    """One case from its filing to the reference day."""

    number: int
    tracking_number: str
    token: str
    filed_at: datetime
    channel: str
    filling: Mapping[str, str]
    language: str
    acts: tuple[Act, ...]
    fate: str


class Teller:
    """Tells the stories of one seed on one reference day."""

    def __init__(self, book: Directory, calendar: Calendar, today: date, seed: int) -> None:
        self._book = book
        self._calendar = calendar
        self._today = today
        self._seed = seed
        weights = wording.weights()
        self._programmes = [(each, weights.get(each.slug, 5)) for each in book.programmes_on(today)]
        with_programme = {each.ministry_id for each, _ in self._programmes}
        self._without = [each for each in book.ministries_on(today) if each.id not in with_programme]
        self._programmes_first = sorted((p for p, _ in self._programmes), key=lambda p: self._rank(p))
        self._covered = len(self._programmes_first) + len(self._without)
        """So many stories it takes to reach every programme and every ministry."""
        self._end = dhaka_midnight(today)

    def tell(self, number: int) -> Story:
        """The story of this number: the same on the same day for the same seed, whatever other stories are told."""
        rng = Random(f"grm demo {self._seed} {number}")  # noqa: S311 - made-up cases need no secret randomness
        tracking_number = new_tracking_number(rng.getrandbits(RANDOM_BITS))
        token = f"demo-{self._seed}-{number}"
        programme, ministry = self._subject(rng, number)
        fate = self._fate(rng, number)
        category = self._category(rng, number, programme)
        district, place = self._where(rng, number, programme)
        language = "en" if rng.random() < 0.04 else "bn"
        channel = _weighted(rng, _CHANNELS)
        if is_one_of_many_alike(number):
            programme = self._book.programme(ALIKE["programme"])
            ministry = self._book.ministry(programme.ministry_id)
            category, fate = self._book.category(ALIKE["category"]), "fresh"
            district = self._book.place(ALIKE["district"])
            place = rng.choice(self._book.children(district.id))
        filed_on = self._filed_on(rng, fate, channel)
        filed_at = self._instant(rng, filed_on, channel)
        matter = Matter(
            language=language,
            programme=programme.slug if programme else None,
            group=wording.group_of(programme.slug) if programme else "",
            kind=programme.kind if programme else "",
            stage=programme.lifecycle_stage if programme else "",
            category=category.slug,
            ministry=ministry.slug,
            district=district.name_bn if language == "bn" else district.name_en,
            upazila=place.name_bn if language == "bn" else place.name_en,
            is_city=place.kind == "city_corporation",
            is_sensitive=category.is_sensitive,
        )
        filling = self._filling(rng, matter, channel, filed_on, district, place)
        if number < self._covered and filling["about"] != "field-office":
            filling["about"] = "none"  # else the cell would have it, not the ministry it is here for
        elif is_one_of_many_alike(number):
            filling["about"] = "none"
        elif programme is not None and 0 <= number - self._covered < len(_ACCUSED_ABOVE):
            filling["about"] = _ACCUSED_ABOVE[number - self._covered]
        acts = self._acts(rng, matter, fate, filed_at, ministry, is_triage=programme is None, filling=filling)
        happened = tuple(act for act in acts if act.at < self._end)
        return Story(number, tracking_number, token, filed_at, channel, filling, language, happened, fate)

    # The subject ------------------------------------------------------------------------------------------------------

    def _rank(self, programme: Programme) -> tuple[int, int]:
        """One programme of every ministry first, so that a demo of some dozens already reaches them all."""
        same = [p for p, _ in self._programmes if p.ministry_id == programme.ministry_id]
        return same.index(programme), programme.ministry_id

    def _subject(self, rng: Random, number: int) -> tuple[Programme | None, Ministry]:
        first = self._programmes_first
        if number < len(first):
            programme: Programme | None = first[number]
        elif number < len(first) + len(self._without):
            return None, self._without[number - len(first)]
        elif self._without and rng.random() < 0.03:
            return None, rng.choice(self._without)
        else:
            programme = rng.choices([p for p, _ in self._programmes], [weight for _, weight in self._programmes])[0]
        assert programme is not None
        return programme, self._book.ministry(programme.ministry_id)

    def _category(self, rng: Random, number: int, programme: Programme | None) -> Category:
        if programme is None:
            return self._book.category(rng.choice(_TRIAGE_CATEGORIES[:2] if rng.random() < 0.8 else _TRIAGE_CATEGORIES))
        fitting = {
            slug: weight
            for slug, weight in _CATEGORY_WEIGHTS.items()
            if slug not in _ONLY_FOR or programme.kind in _ONLY_FOR[slug]
        }
        wanted = list(_CATEGORY_WEIGHTS)[number % len(_CATEGORY_WEIGHTS)]
        is_forced = number < 5 * len(_CATEGORY_WEIGHTS) and wanted in fitting
        return self._book.category(wanted if is_forced else _weighted(rng, fitting))

    def _where(self, rng: Random, number: int, programme: Programme | None) -> tuple[Place, Place]:
        districts = self._book.districts
        if programme is not None and programme.slug == "hill-tracts-food-assistance":
            districts = tuple(d for d in districts if d.code in ("2003", "2046", "2084"))
        sizes = [len(self._book.children(each.id)) + (6 if each.code in ("3026", "2015") else 0) for each in districts]
        district = districts[number % len(districts)] if number < 64 else rng.choices(districts, sizes)[0]
        children = self._book.children(district.id)
        return district, rng.choice(children) if children else district

    # When -------------------------------------------------------------------------------------------------------------

    def _fate(self, rng: Random, number: int) -> str:
        if number < 4 * len(_FATES):
            forced = list(_FATES)[number % len(_FATES)]
            is_for_ministry = len(self._programmes_first) <= number < self._covered
            return "in_progress" if is_for_ministry and forced in ("fresh", "unclaimed") else forced
        return _weighted(rng, {fate: weight for fate, (weight, _, _) in _FATES.items()})

    def _filed_on(self, rng: Random, fate: str, channel: str) -> date:
        """More of late than a year ago, as the system became known; by the web also on days off."""
        _, least, most = _FATES[fate]
        day = self._calendar.add_working_days(self._today, -(least + int((most - least + 1) * rng.random() ** 1.25)))
        while channel == "web" and rng.random() < 0.4 and not self._calendar.is_working_day(day - timedelta(days=1)):
            day -= timedelta(days=1)
        return max(day, self._today - timedelta(days=DAYS - 1))

    def _instant(self, rng: Random, day: date, channel: str) -> datetime:
        if channel != "web":
            return self._at_work(rng, day)
        hour = rng.choices(range(24), (1, 1, 0, 0, 0, 1, 2, 4, 6, 9, 11, 12, 10, 7, 6, 7, 8, 7, 6, 7, 9, 9, 6, 3))[0]
        return datetime.combine(day, time(hour, rng.randrange(60), rng.randrange(60)), DHAKA).astimezone(UTC)

    def _at_work(self, rng: Random, day: date) -> datetime:
        start = datetime.combine(day, _HOURS[0], DHAKA)
        length = datetime.combine(day, _HOURS[1], DHAKA) - start
        return (start + timedelta(seconds=rng.randrange(int(length.total_seconds())))).astimezone(UTC)

    # The form ---------------------------------------------------------------------------------------------------------

    def _filling(
        self, rng: Random, matter: Matter, channel: str, filed_on: date, district: Place, place: Place
    ) -> dict[str, str]:
        is_anonymous = channel != "suo_motu" and rng.random() < (0.3 if matter.is_sensitive else 0.06)
        is_on_behalf = not is_anonymous and channel != "suo_motu" and rng.random() < 0.12
        someone = people.person(rng, matter.language)
        values = {
            "programme": matter.programme or "unknown",
            "category": matter.category,
            "district": district.code,
            "upazila": place.code if place.kind in ("upazila", "city_corporation") else "",
            "place": rng.choice(("", "", *_PLACES[matter.language])),
            "details": wording.complaint(rng, matter, channel, is_anonymous=is_anonymous, is_on_behalf=is_on_behalf),
            "about": self._about(rng, matter),
            "incident_on": (filed_on - timedelta(days=rng.randint(1, 150))).isoformat() if rng.random() < 0.5 else "",
            "language": matter.language,
            "age_group": rng.choice(("18_35", "36_59", "60_plus")) if matter.stage != "old-age" else "60_plus",
            "disability": "yes" if matter.stage == "disability" or rng.random() < 0.06 else "no",
        }
        if channel == "web":
            values["declaration"] = "1"
        else:
            values["medium"] = channel if channel != "suo_motu" else "letter"
            days_before = rng.randint(0, 6) if channel in ("paper", "letter") else 0
            values["received_on"] = (filed_on - timedelta(days=days_before)).isoformat()
        if channel == "suo_motu":
            return values | {"preferred_channel": "none"}
        if is_anonymous:
            return values | {"anonymous": "1", "sex": rng.choice(("", "female", "male"))}
        values |= {"name": someone.name, "sex": someone.sex, "phone": someone.phone, "email": someone.email}
        values["preferred_channel"] = "email" if someone.email and rng.random() < 0.7 else "sms"
        if is_on_behalf:
            helper = people.person(rng, matter.language)
            values |= {"on_behalf": "1", "relation": rng.choice(("family", "family", "neighbour", "representative"))}
            values["representative_name"] = helper.name
        return values

    def _about(self, rng: Random, matter: Matter) -> str:
        draw = rng.random()
        if matter.programme is None:
            return "none"
        limits = ((0.012, "gro"), (0.019, "appeal-officer"), (0.025, "ministry"))
        for limit, about in limits:
            if draw < limit:
                return about
        return "field-office" if draw < (0.35 if matter.is_sensitive else 0.1) else "none"

    # What follows -----------------------------------------------------------------------------------------------------

    def _acts(
        self,
        rng: Random,
        matter: Matter,
        fate: str,
        filed_at: datetime,
        ministry: Ministry,
        *,
        is_triage: bool,
        filling: Mapping[str, str],
    ) -> list[Act]:
        course = _Course(self, rng, matter, filed_at, is_anonymous="anonymous" in filling)
        if is_triage and fate not in ("fresh", "unclaimed"):
            course.officer("refer", rng.randint(1, 3), to_ministry=ministry.slug, variant="triage")
        if fate == "unclaimed" and is_triage:
            course.officer("refer", rng.randint(1, 5), to_ministry=ministry.slug, variant="triage")
        course.live(fate, self._other_ministry(rng, ministry))
        return course.acts

    def _other_ministry(self, rng: Random, ministry: Ministry) -> str:
        others = [each.slug for each in self._book.ministries_on(self._today) if each.id != ministry.id]
        return rng.choice(others)

    def working_instant(self, rng: Random, after: datetime, working_days: int) -> datetime:
        """An instant in office hours so many working days after another instant, and always later than it."""
        day = self._calendar.add_working_days(after.astimezone(DHAKA).date(), working_days)
        at = self._at_work(rng, self._calendar.next_working_day(day))
        if at <= after:
            at = self._at_work(rng, self._calendar.add_working_days(day, 1))
        return at


class _Course:
    """The acts of one story, one after the other in time."""

    def __init__(self, teller: Teller, rng: Random, matter: Matter, filed_at: datetime, *, is_anonymous: bool) -> None:
        self._teller = teller
        self._rng = rng
        self._matter = matter
        self._filed_at = filed_at
        self._last_at = filed_at
        self._is_anonymous = is_anonymous
        self.acts: list[Act] = []

    def live(self, fate: str, other_ministry: str) -> None:
        """Add the acts of a fate."""
        rng = self._rng
        if fate in ("fresh", "unclaimed"):
            return
        if fate == "withdrawn":
            if rng.random() < 0.6:
                self._begin(rng.randint(0, 3))
            self.complainant("withdraw", rng.randint(1, 12))
            return
        self._begin(rng.randint(0, 3) if rng.random() < 0.85 else rng.randint(4, 9), only_look=fate == "looked_at")
        if fate == "declined":
            self._decline()
        elif fate in ("asked", "waiting"):
            self._note()
            self.officer("ask", rng.randint(1, 6))
            if fate == "asked":
                if rng.random() < 0.8:
                    self.complainant("answer", rng.randint(1, 8))
                    self._resolve(rng.randint(3, 14))
                else:
                    self._resolve(rng.randint(16, 24))  # the wait runs out by itself
        elif fate in ("referred", "moving"):
            self.officer("refer", rng.randint(1, 5), to_ministry=other_ministry, variant="any")
            if fate == "referred":
                self._begin(rng.randint(1, 4))
                self._note()
                self._resolve(rng.randint(5, 15))
        elif fate in ("prompt", "resolved"):
            self._note()
            self._resolve(rng.randint(2, 16) if fate == "prompt" else rng.randint(2, 8))
        elif fate.startswith("late_"):
            self._note()
            earliest, latest = {"late_1": (31, 34), "late_2": (36, 39), "late_3": (41, 70)}[fate]
            self._resolve_by(rng.randint(earliest, latest))
        else:
            self._note()

    def officer(self, what: str, working_days: int, **values: Any) -> None:
        """An act of whoever holds the case, so many working days after the one before."""
        self._add(self._teller.working_instant(self._rng, self._last_at, working_days), what, values)

    def complainant(self, what: str, days: int, **values: Any) -> None:
        """An act of the complainant, any day of the week, in the daytime."""
        rng = self._rng
        day = (self._last_at + timedelta(days=days)).astimezone(DHAKA).date()
        at = datetime.combine(day, time(rng.randint(7, 21), rng.randrange(60), rng.randrange(60)), DHAKA)
        at = max(at.astimezone(UTC), self._last_at + timedelta(minutes=7))
        self._add(at, what, values or {"text": wording.said(rng, self._matter, what)})

    def _add(self, at: datetime, what: str, values: Mapping[str, Any]) -> None:
        if what in ("note", "ask", "refer"):
            name = {"note": "note", "ask": "question", "refer": "refer"}[what]
            values = {**values, "text": wording.said(self._rng, self._matter, name, values.get("variant", "any"))}
        self.acts.append(Act(at, what, values))
        self._last_at = at

    def _begin(self, working_days: int, *, only_look: bool = False) -> None:
        """First look, then somebody to do it."""
        rng = self._rng
        is_looked_at = any(act.what != "information" for act in self.acts)  # a referral is a look, too
        if not is_looked_at and (only_look or rng.random() < 0.5):
            self.officer("acknowledge", working_days)
            working_days = rng.randint(0, 2)
        if not only_look:
            self.officer("assign", working_days)

    def _note(self) -> None:
        for _ in range(self._rng.choice((0, 0, 1, 1, 2))):
            self.officer("note", self._rng.randint(0, 4))
        if self._rng.random() < 0.08:
            self.complainant("information", self._rng.randint(1, 5))

    def _decline(self) -> None:
        rng = self._rng
        code = rng.choice(
            ("time_not_run_out", "time_not_run_out", "not_a_grievance", "before_court", "right_to_information",
             "statutory_appeal")
        )  # fmt: skip
        self.officer("decline", rng.randint(1, 5), code=code, text=wording.said(rng, self._matter, "decline", code))

    def _resolve_by(self, working_days_after_filing: int) -> None:
        at = self._teller.working_instant(self._rng, self._filed_at, working_days_after_filing)
        self._finish(max(at, self._last_at + timedelta(minutes=11)))

    def _resolve(self, working_days: int) -> None:
        self._finish(self._teller.working_instant(self._rng, self._last_at, working_days))

    def _finish(self, at: datetime) -> None:
        """Answer, and mostly close: early with the complainant's word, else when the window to object is over."""
        rng, matter = self._rng, self._matter
        if matter.is_sensitive:
            weights = {"proved": 4, "partly_proved": 3, "unfounded": 5, "instruction_executed": 2}
        else:
            weights = {
                "service_given": 10,
                "answered": 6,
                "instruction_executed": 4,
                "partly_proved": 1,
                "unfounded": 2,
            }
        outcome = _weighted(rng, weights)
        contact = (
            "could_not_reach" if self._is_anonymous or rng.random() < 0.08 else rng.choice(("spoke", "spoke", "wrote"))
        )
        self._add(
            at,
            "resolve",
            {
                "outcome": outcome,
                "contact": contact,
                "reply": wording.said(rng, matter, "reply", outcome),
                "root_cause": wording.said(rng, matter, "root_cause"),
                "prevention": wording.said(rng, matter, "prevention"),
                "reason": _contact_note(rng, matter, contact, is_anonymous=self._is_anonymous),
            },
        )
        if not self._is_anonymous and self._is_appealed(outcome):
            return
        draw = rng.random()
        if draw < _RARELY_CLOSED:
            return
        if draw < 0.25 and not self._is_anonymous:
            self.officer("close", rng.randint(1, 6), text=wording.said(rng, matter, "close", "early"))
        else:
            self.officer("close", rng.randint(11, 14), text="")

    def _is_appealed(self, outcome: str) -> bool:
        """What the complainant thinks of the answer: some give stars, a few appeal; then the appeal officer decides."""
        rng, matter = self._rng, self._matter
        if rng.random() < _RATED:
            helped = outcome in ("service_given", "instruction_executed", "proved")
            weights = {5: 6, 4: 5, 3: 2, 2: 1, 1: 1} if helped else {5: 1, 4: 2, 3: 3, 2: 3, 1: 4}
            stars = rng.choices(list(weights), list(weights.values()))[0]
            self.complainant("rate", rng.randint(0, 2), stars=stars)
        if matter.is_sensitive or rng.random() >= _APPEALED:
            return False
        self.complainant("appeal", rng.randint(2, 9))
        self.officer("appeal-assign", rng.randint(0, 2))
        upheld = rng.random() < 0.4
        self.officer(
            "appeal-resolve",
            rng.randint(3, 17),
            outcome="service_given" if upheld else "unfounded",
            contact="spoke",
            reply=wording.said(rng, matter, "reply", "service_given" if upheld else "unfounded"),
            root_cause=wording.said(rng, matter, "root_cause"),
            prevention=wording.said(rng, matter, "prevention"),
            reason=_contact_note(rng, matter, "spoke", is_anonymous=False),
        )
        return True


_PLACES = {
    "bn": ("বাজারের পাশে", "প্রাথমিক বিদ্যালয়ের পেছনে", "পুরান মসজিদের কাছে", "খেয়াঘাট", "বাঁধের মাথা"),
    "en": ("near the bazaar", "behind the primary school"),
}


def _contact_note(rng: Random, matter: Matter, contact: str, *, is_anonymous: bool) -> str:
    if contact != "could_not_reach":
        return ""
    notes = wording.officer_lines(matter.language, "contact_note", "could_not_reach")
    return notes[-1] if is_anonymous else notes[0]


def is_one_of_many_alike(number: int) -> bool:
    """Whether a story is part of the surge of the last days, which a demo of some hundred cases and more has."""
    return number >= 200 and number % 30 == 0


def _weighted(rng: Random, weights: Mapping[str, int]) -> str:
    return rng.choices(list(weights), list(weights.values()))[0]
