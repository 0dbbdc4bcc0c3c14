"""What of titles is an organisation's own. Importing it is all it takes."""
from sqlalchemy import select

from accounts.takeout.tables import leave, take
from catalogue.audiences import Audience, Chosen
from catalogue.models import Credit, Franchise, Link, Name, Synopsis, Title


def titles(organisation_id: int):
    """The ids of its titles."""
    return select(Title.id).where(Title.organisation_id == organisation_id)


def audiences(organisation_id: int):
    """The numbers of the audiences that its titles are shown to; each may be another organisation's, too, and says
    nothing of it."""
    return select(Title.audience_id).where(Title.organisation_id == organisation_id, Title.audience_id.is_not(None))


take(Franchise, lambda house: Franchise.organisation_id == house)
take(Title, lambda house: Title.organisation_id == house)
take(Audience, lambda house: Audience.id.in_(audiences(house)), without=("key",))
take(Chosen, lambda house: Chosen.audience_id.in_(audiences(house)))
take(Name, lambda house: Name.title_id.in_(titles(house)))
take(Synopsis, lambda house: Synopsis.title_id.in_(titles(house)))
take(Credit, lambda house: Credit.title_id.in_(titles(house)))
take(Link, lambda house: Link.title_id.in_(titles(house)))
leave("It serves the working of Slate: locks, and a log of what changed.", "rights_clock", "change")
