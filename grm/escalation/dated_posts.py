"""Who sat in the posts of the ladder on any past day, by dated postings and leaves: read once, then asked without a statement.

That an officer is deactivated today says nothing about a day on which he held the post; so it is not asked here.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date

from sqlalchemy import select
from sqlalchemy.orm import Session

from grm.escalation.posts import Posts
from grm.offices.models import Leave, Post, Posting
from grm.offices.queries import PostHolder, StaffedPost


@dataclass(frozen=True, slots=True)
class _Held:
    officer_id: int
    is_alternate: bool
    starts_on: date
    ends_on: date | None
    leaves: tuple[tuple[date, date], ...] = ()

    def on(self, day: date) -> bool:
        return self.starts_on <= day and (self.ends_on is None or day < self.ends_on)


@dataclass(frozen=True, slots=True)
class _DatedPost:
    id: int
    office_id: int
    code: str
    role: str
    rank: int
    name_en: str
    name_bn: str
    valid_from: date
    valid_to: date | None
    postings: tuple[_Held, ...]

    def on(self, day: date) -> StaffedPost | None:
        """The post with its holders on a day; None where it did not exist."""
        if day < self.valid_from or (self.valid_to is not None and day >= self.valid_to):
            return None
        held = [_holder(each, day) for each in self.postings if each.on(day)]
        return StaffedPost(
            self.id,
            self.office_id,
            self.code,
            self.role,
            self.rank,
            self.name_en,
            self.name_bn,
            next((each for each in held if not each.is_alternate), None),
            tuple(each for each in held if each.is_alternate),
        )


def _holder(held: _Held, day: date) -> PostHolder:
    """An officer by id: names and addresses are not asked for here."""
    is_on_leave = any(starts_on <= day < ends_on for starts_on, ends_on in held.leaves)
    return PostHolder(held.officer_id, "", "", None, None, "bn", held.is_alternate, is_on_leave)


@dataclass
class DatedPosts:
    """All posts, postings and leaves of all times (three statements)."""

    _by_office: dict[int, list[_DatedPost]] = field(default_factory=dict)
    _days: dict[date, "_PostsOfDay"] = field(default_factory=dict)

    @classmethod
    def read(cls, session: Session) -> "DatedPosts":
        """Read them as they are known now."""
        held: dict[int, list[_Held]] = {}
        away: dict[int, tuple[tuple[date, date], ...]] = {}
        for officer_id, *span in session.execute(select(Leave.officer_id, Leave.starts_on, Leave.ends_on)):
            away[officer_id] = (*away.get(officer_id, ()), (span[0], span[1]))
        postings = select(
            Posting.post_id, Posting.officer_id, Posting.is_alternate, Posting.starts_on, Posting.ends_on
        ).order_by(Posting.is_alternate, Posting.starts_on, Posting.id)
        for post_id, officer_id, is_alternate, starts_on, ends_on in session.execute(postings):
            leaves = away.get(officer_id, ())
            held.setdefault(post_id, []).append(_Held(officer_id, is_alternate, starts_on, ends_on, leaves))
        found: dict[int, list[_DatedPost]] = {}
        names = (Post.id, Post.office_id, Post.code, Post.role, Post.rank, Post.name_en, Post.name_bn)
        rows = session.execute(
            select(*names, Post.valid_from, Post.valid_to).order_by(Post.office_id, Post.rank.desc(), Post.id)
        )
        for row in rows:
            post = _DatedPost(*row, postings=tuple(held.get(row.id, ())))
            found.setdefault(post.office_id, []).append(post)
        return cls(found)

    def of(self, session: Session, day: date, office_id: int) -> Posts:
        """The posts of a day, with those of the office and of all above it."""
        posts = self._days.get(day)
        if posts is None:
            posts = self._days[day] = _PostsOfDay(day, dated=self._by_office)
        posts.read(session, (office_id,))
        return posts


@dataclass
class _PostsOfDay(Posts):
    dated: dict[int, list[_DatedPost]] = field(default_factory=dict)

    def _staffed(self, session: Session, office_ids: Iterable[int]) -> Iterable[StaffedPost]:
        for office_id in office_ids:
            for post in self.dated.get(office_id, ()):
                staffed = post.on(self.on)
                if staffed is not None:
                    yield staffed
