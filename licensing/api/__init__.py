"""Rights, promises, availability and offers over the API: one blueprint, its routes by noun."""
from core.http import Blueprint

bp = Blueprint("licensing", __name__, url_prefix="/api/v1", description="Who may show it, where, how, when")
