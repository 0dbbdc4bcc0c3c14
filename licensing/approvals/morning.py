"""The rights manager's morning: what waits for approval, what blocks first."""
from sqlalchemy import func, select

from accounts.permissions import Viewer
from core.database import db
from licensing import offers
from licensing.approvals import cases
from licensing.approvals.cases import Case
from licensing.models import Offer
from licensing.workflow import State

MOST_CASES = 200
GROUPS = ("blocked", "decide", "clear")


def waiting(viewer: Viewer):
    """A query for the offers that wait for the approval of the viewer's organisation, the oldest first."""
    return (select(Offer).where(offers.visible(viewer), Offer.state == State.PENDING_APPROVAL,
                                Offer.seller_id == viewer.organisation_id)
            .order_by(Offer.updated_at, Offer.id).options(*offers.WHOLE))


def groups(viewer: Viewer) -> tuple[dict[str, list[Case]], int]:
    """({group: cases}, how many wait in all): at most MOST_CASES are judged at once, the oldest."""
    total = db.session.scalar(select(func.count()).select_from(waiting(viewer).order_by(None).subquery()))
    found = {group: [] for group in GROUPS}
    for case in cases.look(db.session.scalars(waiting(viewer).limit(MOST_CASES)).unique().all()):
        found[case.group].append(case)
    return found, total
