"""Celery entries: delivery. Ticks without arguments; any number of them at once, or none for a while, ends the same."""

from celery import shared_task

from grm.kernel import context
from grm.notifications import calendar_alarm, delivery, undelivered
from grm.notifications.catalogue import Channel


@shared_task(name="notifications.deliver-sms")
def deliver_sms() -> None:
    """Hand due SMS to the gateway."""
    _deliver("sms")


@shared_task(name="notifications.deliver-email")
def deliver_email() -> None:
    """Hand due e-mail to the mail server."""
    _deliver("email")


@shared_task(name="notifications.expire-messages")
def expire_messages() -> None:
    """End messages that are too old to be of use."""
    delivery.end_overdue()


@shared_task(name="notifications.follow-up")
def follow_up() -> None:
    """See what became of the messages that complainants had to get."""
    undelivered.follow_up()


def _deliver(channel: Channel) -> None:
    post = delivery.post_for(channel, context.settings())
    if post is not None:
        delivery.deliver_due(post)


@shared_task(name="notifications.remind-of-calendar")
def remind_of_calendar() -> None:
    """Remind the administrators once a day while the list of holidays runs out."""
    calendar_alarm.tell_administrators()
