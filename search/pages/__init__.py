"""The pages of searching: the search itself, searches that were saved, briefs of buyers."""
from flask import Blueprint

bp = Blueprint("search_pages", __name__)
ON_A_PAGE = 20
