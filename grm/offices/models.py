"""The directory: ministries and divisions, offices, posts and postings, places, programmes and categories.

Everything is dated (``valid_from`` inclusive, ``valid_to`` exclusive, NULL while in force): names, boundaries and
ministries change, and a case keeps what was true when it was filed.
"""

from datetime import date, datetime, timedelta
from typing import Annotated

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from grm.kernel.actor import ROLES
from grm.kernel.db import Id, Model, Small, one_of

OFFICE_KINDS = ("ministry", "cell", "district", "provider")
PROVIDER_KINDS = ("wallet", "agent_bank", "bank", "post_office")
"""How a payment provider brings an allowance to somebody: mobile wallet, agent bank, bank branch, post office."""
PRIORITIES = ("normal", "urgent")
"""How pressing what a category is about is; deadline policies may name it."""
PLACE_KINDS = ("division", "district", "upazila", "city_corporation")
EPOCH = date(1971, 3, 26)

ValidFrom = Annotated[date, mapped_column(default=EPOCH)]


class Cluster(Model):
    """A thematic cluster of ministries under the National Social Security Strategy."""

    __tablename__ = "cluster"

    id: Mapped[Id]
    slug: Mapped[str] = mapped_column(unique=True)
    name_en: Mapped[str]
    name_bn: Mapped[str]
    coordinator_ministry_id: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("ministry.id"))
    valid_from: Mapped[ValidFrom]
    valid_to: Mapped[date | None]


class Ministry(Model):
    """A ministry or division of the government."""

    __tablename__ = "ministry"

    id: Mapped[Id]
    slug: Mapped[str] = mapped_column(unique=True)
    name_en: Mapped[str]
    name_bn: Mapped[str]
    valid_from: Mapped[ValidFrom]
    valid_to: Mapped[date | None]


class ClusterMinistry(Model):
    """Membership of a ministry in a cluster; a ministry may be in several."""

    __tablename__ = "cluster_ministry"
    __table_args__ = (UniqueConstraint("cluster_id", "ministry_id", "valid_from"),)

    id: Mapped[Id]
    cluster_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("cluster.id"))
    ministry_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("ministry.id"))
    is_primary: Mapped[bool]
    valid_from: Mapped[ValidFrom]
    valid_to: Mapped[date | None]


class Place(Model):
    """A division, district, upazila or city corporation. Codes are opaque strings and may be replaced; ids stay."""

    __tablename__ = "place"
    __table_args__ = (CheckConstraint(one_of("kind", PLACE_KINDS), "kind_known"), Index(None, "parent_id"))

    id: Mapped[Id]
    code: Mapped[str] = mapped_column(unique=True)
    kind: Mapped[str]
    name_en: Mapped[str]
    name_bn: Mapped[str]
    parent_id: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("place.id"))
    tile_col: Mapped[int | None]
    tile_row: Mapped[int | None]
    valid_from: Mapped[ValidFrom]
    valid_to: Mapped[date | None]


class Office(Model):
    """An office that holds cases or files them: a ministry's, the Cabinet Division cell, a district office (DC), or the
    grievance desk of a payment provider, to which no rule routes a case: it is referred to, or sent a part."""

    __tablename__ = "office"
    __table_args__ = (
        CheckConstraint(one_of("kind", OFFICE_KINDS), "kind_known"),
        CheckConstraint(one_of("provider_kind", PROVIDER_KINDS), "provider_kind_known"),
        CheckConstraint("kind = 'provider' OR provider_kind IS NULL", "only_providers_pay"),
    )

    id: Mapped[Id]
    code: Mapped[str] = mapped_column(unique=True)
    kind: Mapped[str]
    name_en: Mapped[str]
    name_bn: Mapped[str]
    ministry_id: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("ministry.id"))
    district_id: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("place.id"))
    parent_id: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("office.id"))
    valid_from: Mapped[ValidFrom]
    valid_to: Mapped[date | None]
    provider_kind: Mapped[str | None]


class Post(Model):
    """A seat in an office: duties belong to posts, not to persons."""

    __tablename__ = "post"
    __table_args__ = (
        CheckConstraint(one_of("role", ROLES), "role_known"),
        UniqueConstraint("office_id", "code"),
    )

    id: Mapped[Id]
    office_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("office.id"))
    code: Mapped[str]
    role: Mapped[str]
    name_en: Mapped[str]
    name_bn: Mapped[str]
    rank: Mapped[Small]
    valid_from: Mapped[ValidFrom]
    valid_to: Mapped[date | None]


class Posting(Model):
    """An officer's dated appointment to a post, regular or as alternate (বিকল্প) who acts in absence.

    ``leaving_on`` announces an end: nothing but reminders hangs on it. ``ends_on`` is the end itself, and the database
    refuses it while open cases are assigned to the officer there (ADR 0026); a posting that ends on its first day was never
    in force.
    """

    __tablename__ = "posting"
    __table_args__ = (
        CheckConstraint("ends_on IS NULL OR ends_on >= starts_on", "ends_after_start"),
        CheckConstraint("leaving_on IS NULL OR leaving_on > starts_on", "leaves_after_start"),
        Index(None, "post_id"),
        Index(None, "officer_id"),
    )

    id: Mapped[Id]
    post_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("post.id"))
    officer_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("officer.id"))
    is_alternate: Mapped[bool] = mapped_column(default=False, server_default="false")
    starts_on: Mapped[date]
    ends_on: Mapped[date | None]
    leaving_on: Mapped[date | None]


class Leave(Model):
    """A stretch in which an officer is absent (``ends_on`` is the day of return). Posts are kept; their alternates are told in
    the officer's stead, and nobody gives the officer a case."""

    __tablename__ = "leave"
    __table_args__ = (
        CheckConstraint("ends_on > starts_on", "ends_after_start"),
        Index(None, "officer_id", "ends_on"),
    )

    id: Mapped[Id]
    officer_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("officer.id"))
    starts_on: Mapped[date]
    ends_on: Mapped[date]
    entered_by_id: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("officer.id"))
    entered_at: Mapped[datetime]

    @property
    def last_on(self) -> date:
        """The last day of absence."""
        return self.ends_on - timedelta(days=1)


class Programme(Model):
    """A social security programme that a citizen would name."""

    __tablename__ = "programme"

    id: Mapped[Id]
    slug: Mapped[str] = mapped_column(unique=True)
    name_en: Mapped[str]
    name_bn: Mapped[str]
    ministry_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("ministry.id"))
    lifecycle_stage: Mapped[str]
    kind: Mapped[str]
    valid_from: Mapped[ValidFrom]
    valid_to: Mapped[date | None]


class Category(Model):
    """What a grievance is about. Sensitive categories are routed upward and seen by named roles only. A case takes its
    ``priority`` with it when it is filed. ``needs_visit``: it cannot be answered from the desk; somebody has to go and see."""

    __tablename__ = "category"
    __table_args__ = (
        CheckConstraint(one_of("sensitivity", ("normal", "sensitive")), "sensitivity_known"),
        CheckConstraint(one_of("priority", PRIORITIES), "priority_known"),
    )

    id: Mapped[Id]
    slug: Mapped[str] = mapped_column(unique=True)
    name_en: Mapped[str]
    name_bn: Mapped[str]
    description_en: Mapped[str]
    description_bn: Mapped[str]
    sensitivity: Mapped[str]
    priority: Mapped[str] = mapped_column(default="normal", server_default="normal")
    needs_visit: Mapped[bool] = mapped_column(default=False, server_default="false")
    position: Mapped[Small]
    valid_from: Mapped[ValidFrom]
    valid_to: Mapped[date | None]


class Alias(Model):
    """A former, popular or differently spelt name (Barisal, VGD), found by search and import."""

    __tablename__ = "alias"
    __table_args__ = (UniqueConstraint("kind", "code", "search_key"), Index(None, "search_key"))

    id: Mapped[Id]
    kind: Mapped[str]
    code: Mapped[str]
    name: Mapped[str]
    search_key: Mapped[str]
    valid_from: Mapped[ValidFrom]
    valid_to: Mapped[date | None]


class ReferenceEdition(Model):
    """The number of the present edition of all reference data (one row); caches are good for one edition."""

    __tablename__ = "reference_edition"
    __table_args__ = (CheckConstraint("id = 1", "single_row"),)

    id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    edition: Mapped[int] = mapped_column(BigInteger)
    source_hash: Mapped[str | None]
