"""What each reference file looks like: its columns, its key and what its cells must name."""

from pathlib import Path

from grm.kernel.actor import ROLES
from grm.offices.models import OFFICE_KINDS, PRIORITIES, PROVIDER_KINDS
from grm.offices.reference_files import KIND_COLUMN, Column, Layout, code, one_of, slug, whole_number, words, yes_or_no

_EN, _BN = Column("name_en", words), Column("name_bn", words)
_PLACE = (Column("code", code), _EN, _BN)


def _places(file: str, kind: str, parent: str, *more: Column) -> Layout:
    return Layout(file, (*_PLACE, Column("parent_code", code, parent), *more), ("code",), kind, "place")


CLUSTERS = Layout(
    "clusters.csv",
    (Column("slug", slug), _EN, _BN, Column("coordinator_slug", slug, "ministry", is_optional=True)),
    ("slug",),
    "cluster",
    ignored=("source",),
)
MINISTRIES = Layout(
    "ministries.csv",
    (Column("slug", slug), _EN, _BN, Column("cluster", slug, "cluster")),
    ("slug",),
    "ministry",
    ignored=("workshop_day",),
)
CLUSTER_MINISTRIES = Layout(
    "cluster_ministries.csv",
    (Column("cluster_slug", slug, "cluster"), Column("ministry_slug", slug, "ministry")),
    ("cluster_slug", "ministry_slug"),
    ignored=("source",),
)
DIVISIONS = Layout("divisions.csv", _PLACE, ("code",), "division", "place", ignored=("parent_code",))
DISTRICTS = _places(
    "districts.csv",
    "district",
    "division",
    Column("tile_col", whole_number, is_optional=True),
    Column("tile_row", whole_number, is_optional=True),
)
UPAZILAS = _places("upazilas.csv", "upazila", "district")
CITY_CORPORATIONS = _places("city_corporations.csv", "city_corporation", "district")
PROGRAMMES = Layout(
    "programmes.csv",
    (
        Column("slug", slug),
        _EN,
        _BN,
        Column("ministry_slug", slug, "ministry"),
        Column("lifecycle_stage", slug),
        Column("kind", slug),
    ),
    ("slug",),
    "programme",
)
CATEGORIES = Layout(
    "categories.csv",
    (
        Column("slug", slug),
        _EN,
        _BN,
        Column("description_en", words),
        Column("description_bn", words),
        Column("sensitivity", one_of("normal", "sensitive")),
    ),
    ("slug",),
    "category",
    extra=(Column("priority", one_of(*PRIORITIES)), Column("needs_visit", yes_or_no)),
)
ALIASES = Layout(
    "aliases.csv",
    (
        Column("kind", one_of("place", "programme", "ministry", "category")),
        Column("code", code, KIND_COLUMN),
        Column("name", words),
    ),
    ("kind", "code", "name"),
)
PROVIDERS = Layout(
    "providers.csv",
    (Column("code", slug), _EN, _BN, Column("kind", one_of(*PROVIDER_KINDS))),
    ("code",),
    "provider",
)
OFFICE_PATTERNS = Layout(
    "office_patterns.csv",
    (
        Column("kind", one_of(*OFFICE_KINDS)),
        Column("code", words),
        _EN,
        _BN,
        Column("parent_code", code, is_optional=True),
    ),
    ("kind",),
)
POST_PATTERNS = Layout(
    "post_patterns.csv",
    (
        Column("office_kind", one_of(*OFFICE_KINDS)),
        Column("code", slug),
        Column("role", one_of(*ROLES)),
        Column("rank", whole_number),
        _EN,
        _BN,
    ),
    ("office_kind", "code"),
)

PLACES = (DIVISIONS, DISTRICTS, UPAZILAS, CITY_CORPORATIONS)
"""The files of places, the outer before the inner."""

LAYOUTS = (
    CLUSTERS,
    MINISTRIES,
    CLUSTER_MINISTRIES,
    *PLACES,
    PROGRAMMES,
    CATEGORIES,
    ALIASES,
    PROVIDERS,
    OFFICE_PATTERNS,
    POST_PATTERNS,
)
"""Every file of the directory. A folder may hold some of them only."""

SHIPPED = Path(__file__).parent.parent / "data"
"""The reference data that comes with the product; sources and licences are in its NOTICE."""
