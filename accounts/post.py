"""Mail, by the worker: the letters of notices, invitations and applications, after the commit that promised them."""
from accounts import applications, invitations, notices
from core import mail, outbox

TOPICS = {notices.TOPIC: notices.post, invitations.TOPIC: invitations.post, applications.TOPIC: applications.post}


def deliver(mailer: mail.Mailer, site: str) -> int:
    """Send what waits, letter by letter. Returns how many rows of the outbox were handled; raises mail.Away."""
    return sum(_deliver(topic, post, mailer, site) for topic, post in TOPICS.items())


def _deliver(topic, post, mailer, site):
    done = 0
    while outbox.drain(topic, lambda ids: post(ids, mailer, site), limit=1, passing=(mail.Away,)):
        done += 1
    return done


def work(mailer: mail.Mailer, site: str, say=print):
    """Send mail until the process ends."""
    outbox.forever("Mail waits", say, lambda: deliver(mailer, site), passing=(mail.Away,))
