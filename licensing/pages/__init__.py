"""Pages of titles, offers and the seller's slate: one blueprint, its views by noun."""
from flask import Blueprint

bp = Blueprint("licensing_pages", __name__)
ON_A_PAGE = 50
