"""What an amended deal costs: what was earned before counts towards it, and the rest is planned anew."""
from decimal import Decimal

import pytest

from core.database import db
from licensing.models import Offer
from licensing.money import checks
from tests.conftest import both
from tests.licensing.deals import BUYER, MANAGER
from tests.licensing.test_after import advance, said, settle
from tests.licensing.test_money import THIRDS, deal, owed, pay

HALVES = {"days": 10, "instalments": [{"on": "signature", "percent": "50"}, {"on": "acceptance", "percent": "50"}]}


def amended(offer_id, price, **more):
    offer = db.session.get(Offer, offer_id)
    film = offer.current.lines[0].title
    settle(advance(offer, BUYER, "amend", lines=[said(film, "2031-12-31", price=price)], **more).amendment)
    db.session.commit()
    return [(each.number, each.trigger, each.amount, bool(each.cancelled_on)) for each in owed(offer_id)]


@both
@pytest.mark.parametrize(("price", "payment", "after"), [
    ("1500", None, [(4, "signature", "388.86", False), (5, "delivery", "388.86", False),
                    (6, "acceptance", "388.98", False)]),
    ("1500", HALVES, [(4, "signature", "583.35", False), (5, "acceptance", "583.35", False)]),
    ("333.30", None, []), ("100", None, [])])
def test_what_was_earned_counts_towards_the_amended_price(world, price, payment, after):
    with world.app_context():
        offer_id = deal(THIRDS, price="1000")
        stands = amended(offer_id, price, payment=payment)
        assert stands[:3] == [(1, "signature", Decimal("333.30"), False), (2, "delivery", Decimal("333.30"), True),
                              (3, "acceptance", Decimal("333.40"), True)]
        assert stands[3:] == [(number, trigger, Decimal(amount), off) for number, trigger, amount, off in after]
        assert checks.differences() == []


def test_what_was_paid_ahead_counts_as_well(world):
    with world.app_context():
        offer_id = deal(THIRDS, price="1000")
        pay(owed(offer_id)[1].id, amount="100")
        db.session.commit()
        stands = amended(offer_id, "1000")
        assert sum(amount for _, _, amount, off in stands if not off) == 900
        assert checks.differences() == []
        advance(db.session.get(Offer, offer_id), MANAGER, "terminate", note="Ended.")
        assert checks.differences() == [], "of a deal that was ended the rest is owed no more"
