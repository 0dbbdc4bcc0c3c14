"""What of rights, offers and money is an organisation's own, and of what it shares with another side what it may read.
Importing it is all it takes."""
from sqlalchemy import and_, or_, select, union

from accounts.takeout.tables import PARTS, leave, take
from catalogue.models import Title
from catalogue.takeout import titles
from licensing.after.models import Alert
from licensing.approvals.models import Approval, ApprovalPolicy, Override
from licensing.basket import BasketLine
from licensing.books.models import Row, Upload
from licensing.delivery.models import Material, MaterialStep
from licensing.models import (
    Hold,
    Holdback,
    Licence,
    Line,
    Mandate,
    Offer,
    OfferLine,
    Option,
    Step,
    TermSet,
    TitleEvent,
    Version,
)
from licensing.money.models import Instalment, Payment
from licensing.paper.models import LongFormStep, Memo, Signature
from licensing.refusals.models import Refusal
from licensing.remarks import Attachment, Remark
from licensing.workflow import Side, State
from media.models import Asset
from media.takeout import STORED


def _sold(house):
    return select(Licence.id).where(Licence.organisation_id == house)


def _bought(house):
    return select(Licence.id).where(Licence.licensee_id == house, Licence.organisation_id != house)


def _party(house):
    """Offers of either side, drafts only by who wrote them, as `offers.visible` has it."""
    return or_(*(and_(column == house, or_(Offer.state != State.DRAFT, Offer.started_by == side.value))
                 for side, column in ((Side.SELLER, Offer.seller_id), (Side.BUYER, Offer.buyer_id))))


def _offers(house):
    return select(Offer.id).where(_party(house))


def _selling(house):
    return select(Offer.id).where(Offer.seller_id == house)


def _versions(house):
    return select(Version.id).where(Version.offer_id.in_(_offers(house)))


def _papers(house):
    """Its own, and those that went out."""
    return and_(Attachment.offer_id.in_(_offers(house)),
                or_(Attachment.organisation_id == house, Attachment.step_id.is_not(None)))


# ------------------------------------------------------------------ rights

take(Mandate, lambda house: Mandate.organisation_id == house)
take(Licence, lambda house: Licence.organisation_id == house)
take(Line, lambda house: or_(Line.mandate_id.in_(select(Mandate.id).where(Mandate.organisation_id == house)),
                             Line.licence_id.in_(_sold(house))))
take(Licence, lambda house: Licence.id.in_(_bought(house)), name="licence_bought", without=("external_id",))
take(Line, lambda house: Line.licence_id.in_(_bought(house)), name="line_bought",
     without=("mandate_id", "leaves", "note"))
take(Holdback, lambda house: Holdback.organisation_id == house)
take(Hold, lambda house: Hold.organisation_id == house)
take(Option, lambda house: Option.organisation_id == house)
take(TitleEvent, lambda house: TitleEvent.title_id.in_(titles(house)))

# ------------------------------------------------------------------ offers, what belongs to them, and what follows

take(Offer, _party)
take(Version, lambda house: Version.offer_id.in_(_offers(house)))
take(OfferLine, lambda house: OfferLine.version_id.in_(_versions(house)))
take(Step, lambda house: Step.offer_id.in_(_offers(house)))
take(Remark, lambda house: Remark.organisation_id == house)
take(Attachment, _papers)
take(Asset, lambda house: and_(Asset.title_id.is_(None), Asset.id.in_(
    select(Attachment.asset_id).where(_papers(house)))), name="asset_of_offer", without=STORED)
take(Approval, lambda house: Approval.offer_id.in_(_selling(house)))
take(Override, lambda house: Override.offer_id.in_(_selling(house)))
take(ApprovalPolicy, lambda house: ApprovalPolicy.organisation_id == house)
take(Refusal, lambda house: or_(Refusal.seller_id == house, Refusal.holder_id == house))
take(Memo, lambda house: Memo.offer_id.in_(_offers(house)))
take(Signature, lambda house: Signature.memo_id.in_(select(Memo.id).where(Memo.offer_id.in_(_offers(house)))))
take(LongFormStep, lambda house: LongFormStep.offer_id.in_(_offers(house)))
take(Material, lambda house: Material.offer_id.in_(_offers(house)))
take(MaterialStep, lambda house: MaterialStep.material_id.in_(
    select(Material.id).where(Material.offer_id.in_(_offers(house)))))
take(Instalment, lambda house: or_(Instalment.seller_id == house, Instalment.buyer_id == house))
take(Payment, lambda house: Payment.instalment_id.in_(select(Instalment.id).where(Instalment.seller_id == house)))
take(Payment, lambda house: Payment.instalment_id.in_(select(Instalment.id).where(Instalment.buyer_id == house)),
     name="payment_made", without=("person_id", "undone_by_id"))

# ------------------------------------------------------------------ what it keeps for itself

take(BasketLine, lambda house: BasketLine.organisation_id == house, without=("said",))
take(Alert, lambda house: Alert.organisation_id == house)
take(Upload, lambda house: Upload.organisation_id == house, without=("content",))
take(Row, lambda house: Row.upload_id.in_(select(Upload.id).where(Upload.organisation_id == house)))
leave("It serves the working of Slate.", "saved_ledger", "alert_day")


def _sets(house):
    """The sets of codes that its lines and those it shares are made of."""
    keys = [column for column in ("territories_key", "media_key", "languages_key")]
    return TermSet.key.in_(union(*(select(part.table.c[key]).where(part.own(house))
                                   for part in LINES for key in keys if key in part.table.c)))


LINES = [part for part in PARTS.values() if "territories_key" in part.table.c]
take(TermSet, _sets)
# The titles of others that its offers, licences and basket are about: what they are called, where they may be read of.
take(Title, lambda house: and_(Title.organisation_id != house, Title.id.in_(union(
    select(OfferLine.title_id).where(OfferLine.version_id.in_(_versions(house))),
    select(Line.title_id).where(Line.licence_id.in_(_bought(house)))))),
     name="title_of_others", only=("id", "organisation_id", "kind", "original_title", "year"))
