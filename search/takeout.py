"""What people keep of searches and briefs, as their organisation's own. Importing it is all it takes."""
from sqlalchemy import select

from accounts.takeout.tables import members, take
from search.models import Brief, News, SavedSearch

take(SavedSearch, lambda house: SavedSearch.person_id.in_(members(house)), without=("known", "place"))
take(News, lambda house: News.search_id.in_(select(SavedSearch.id).where(SavedSearch.person_id.in_(members(house)))))
take(Brief, lambda house: Brief.organisation_id == house, without=("token",))
