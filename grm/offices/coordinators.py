"""The post of a cluster's coordinator. No pattern makes it: it stands in the few offices whose ministry coordinates a cluster."""

from datetime import date

from sqlalchemy import select
from sqlalchemy.orm import Session

from grm.kernel.errors import NotFound
from grm.offices.directory import Directory
from grm.offices.models import Post
from grm.offices.overseeing import ROLE

CODE = "coordinator"
_RANK = 65
"""Between the appeal officer and the GRO: an Additional Secretary's, as the clusters have it."""


def coordinators_post(session: Session, book: Directory, office_id: int, on: date | None = None) -> Post:
    """The coordinator's post of an office, made where it is missing (`on` is since when there is it); the caller commits.

    Raises `NotFound` `no-such-post` for an office whose ministry coordinates no cluster: such a seat would oversee nothing.
    """
    office = book.office(office_id)
    found = session.scalars(
        select(Post).where(Post.office_id == office_id, Post.role == ROLE).order_by(Post.id)
    ).first()
    if found is not None:
        return found
    coordinating = {cluster.coordinator_ministry_id for cluster in book.clusters} - {None}
    if office.kind != "ministry" or office.ministry_id not in coordinating:
        raise NotFound("no-such-post", office=office.code, role=ROLE)
    post = Post(
        office_id=office_id,
        code=CODE,
        role=ROLE,
        rank=_RANK,
        name_en="Cluster Coordinator (Additional Secretary)",
        name_bn="ক্লাস্টার সমন্বয়ক (অতিরিক্ত সচিব)",
        **({"valid_from": on} if on else {}),
    )
    session.add(post)
    session.flush()
    return post
