"""One's account, what one is told, and leaving: one blueprint, its views by noun."""
from flask import Blueprint

bp = Blueprint("accounts_pages", __name__)
