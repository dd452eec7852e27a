"""`flask exports make`: one file, in a process of its own. The worker starts it; nobody needs to type it."""

import click
from flask.cli import AppGroup

from grm.exports import making
from grm.exports.jobs import Claimed

group = AppGroup("exports", help="Files that are prepared in the background.")


@group.command("make")
@click.argument("job_id", type=int)
@click.argument("claim")
def make(job_id: int, claim: str) -> None:
    """Make the file JOB_ID under CLAIM. Without a good claim nothing happens."""
    making.lower_priority()
    making.make(Claimed(job_id, claim))
