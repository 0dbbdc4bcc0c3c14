"""What of pictures, films and papers is an organisation's own: their rows. The files are fetched one by one, by their
addresses. Importing it is all it takes."""
from sqlalchemy import select

from accounts.takeout.tables import take
from catalogue.takeout import titles
from media.models import Asset, Grant, Play, Rendition, ScreenerRequest

STORED = ("key", "upload_id", "swept_at")  # where the store keeps it


def assets(organisation_id: int):
    """The ids of the files of its titles."""
    return select(Asset.id).where(Asset.title_id.in_(titles(organisation_id)))


take(Asset, lambda house: Asset.id.in_(assets(house)), without=STORED)
take(Rendition, lambda house: Rendition.asset_id.in_(assets(house)))
take(Grant, lambda house: Grant.asset_id.in_(assets(house)), without=("acting_for_id",))  # who has an address
take(Grant, lambda house: Grant.organisation_id == house, name="asset_grant_received",
     without=("by_id", "person_id", "views"))
take(Play, lambda house: Play.asset_id.in_(assets(house)))
take(ScreenerRequest, lambda house: ScreenerRequest.seller_id == house, name="screener_request_received")
take(ScreenerRequest, lambda house: ScreenerRequest.organisation_id == house, without=("by_id",))
