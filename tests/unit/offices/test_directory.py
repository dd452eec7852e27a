"""The frozen snapshot: look-ups by code, and by what somebody typed."""

from dataclasses import replace
from datetime import date

import pytest

from grm.kernel.errors import NotFound
from grm.offices.demo import slug
from grm.offices.directory import Category, Directory, Ministry, Office, Place, Programme, in_force

SINCE = date(1971, 3, 26)
KHULNA = Place(1, "40", "division", "Khulna", "খুলনা", None, None, SINCE, None)
JASHORE = Place(2, "4041", "district", "Jashore", "যশোর", 1, (2, 6), SINCE, None)
SADAR = Place(3, "404147", "upazila", "Jashore Sadar", "যশোর সদর", 2, None, SINCE, None)
KHULNA_DISTRICT = Place(4, "4047", "district", "Khulna", "খুলনা", 1, (3, 7), SINCE, None)
VWB = Programme(1, "vwb", "Vulnerable Women Benefit", "ভিডব্লিউবি", 1, "working-age", "food", SINCE, None)
KNOWN = Directory(
    edition=1,
    ministries=(Ministry(1, "food", "Ministry of Food", "খাদ্য মন্ত্রণালয়", 11, ("a", "b"), SINCE, None),),
    clusters=(),
    places=(KHULNA, JASHORE, KHULNA_DISTRICT, SADAR),
    offices=(
        Office(10, "cell", "cell", "Cell", "সেল", None, None, None, SINCE, None),
        Office(11, "food", "ministry", "Ministry of Food", "খাদ্য মন্ত্রণালয়", 1, None, 10, SINCE, None),
        Office(12, "dc-4041", "district", "DC Jashore", "ডিসি যশোর", None, 2, 10, SINCE, None),
    ),
    programmes=(VWB, replace(VWB, id=2, slug="old", name_en="Old", name_bn="পুরনো", valid_to=date(2026, 1, 1))),
    categories=(Category(1, "bribe", "Bribe", "ঘুষ", "x", "y", "sensitive", SINCE, None),),
    aliases={("place", "4041"): ("Jessore",), ("programme", "vwb"): ("VGD", "ভিজিডি")},
)


def test_ids_and_codes_lead_to_the_same_entry() -> None:
    assert KNOWN.place(2) is KNOWN.place("4041") is JASHORE
    assert KNOWN.programme("vwb") is KNOWN.programme(1)
    assert KNOWN.category("bribe").is_sensitive
    assert KNOWN.office_of("food").code == KNOWN.office(11).code == "food"
    assert KNOWN.district_office("4041").id == 12
    assert KNOWN.cell.id == 10
    assert KNOWN.ministry("food").primary_cluster == "a"


@pytest.mark.parametrize("kind", ["ministry", "cluster", "place", "office", "programme", "category"])
def test_what_is_not_there_says_what_kind_of_thing(kind: str) -> None:
    for key in ("nowhere", 999):
        with pytest.raises(NotFound) as caught:
            getattr(KNOWN, kind)(key)
        assert caught.value.code == f"no-such-{kind}"


def test_a_district_without_its_office_is_no_other_office() -> None:
    with pytest.raises(NotFound):
        KNOWN.district_office("4047")


def test_places_nest() -> None:
    assert KNOWN.within(SADAR) == (SADAR, JASHORE, KHULNA)
    assert KNOWN.district_of(SADAR) == KNOWN.district_of(JASHORE) == JASHORE
    assert KNOWN.district_of(KHULNA) is None
    assert KNOWN.division_of(SADAR) == KHULNA
    assert KNOWN.children("40") == (JASHORE, KHULNA_DISTRICT)
    assert KNOWN.children(SADAR.id) == ()


@pytest.mark.parametrize("typed", ["Jashore", "  jessore ", "JESSORE", "যশোর", "৪০৪১", "4041", "যশো\u200cর"])
def test_a_place_goes_by_old_and_new_names_in_any_script(typed: str) -> None:
    assert KNOWN.find_places(typed) == (JASHORE,)


def test_kinds_and_surroundings_tell_places_of_one_name_apart() -> None:
    assert KNOWN.find_places("Khulna") == (KHULNA, KHULNA_DISTRICT)
    assert KNOWN.find_places("Khulna", "district") == (KHULNA_DISTRICT,)
    assert KNOWN.find_places("Jashore Sadar", within=KHULNA_DISTRICT) == ()


def test_programmes_categories_and_ministries_go_by_their_names() -> None:
    assert KNOWN.find_programmes("ভিজিডি") == KNOWN.find_programmes("vgd") == (VWB,)
    assert [hit.slug for hit in KNOWN.find_categories("ঘুষ")] == ["bribe"]
    assert [hit.slug for hit in KNOWN.find_ministries("ministry of  FOOD")] == ["food"]
    assert KNOWN.find_programmes("") == KNOWN.find_programmes("rice") == ()


def test_near_names_help_and_stay_within_what_was_asked() -> None:
    assert KNOWN.near_names("place", "Jasore", "district") == ("4041 (Jashore)",)
    assert KNOWN.near_names("place", "sadar", "upazila", within=JASHORE) == ("404147 (Jashore Sadar)",)
    assert KNOWN.near_names("place", "sadar", "upazila", within=KHULNA_DISTRICT) == ()
    assert KNOWN.near_names("programme", "qqqqqq") == ()


def test_only_what_is_in_force_is_offered() -> None:
    assert KNOWN.programmes_on(date(2026, 1, 1)) == (VWB,)
    assert len(KNOWN.programmes_on(date(2025, 12, 31))) == 2
    assert in_force([VWB], date(1971, 3, 25)) == ()


def test_user_names_of_districts() -> None:
    assert [slug(name) for name in ("Dhaka", "Cox's Bazar", "Chapai Nawabganj")] == [
        "dhaka",
        "coxs-bazar",
        "chapai-nawabganj",
    ]
