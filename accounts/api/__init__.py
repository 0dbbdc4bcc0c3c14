"""Who am I, who else is there, and what I am told: one blueprint, its routes by noun."""
from core.http import Blueprint

bp = Blueprint("accounts", __name__, url_prefix="/api/v1", description="People and organisations")
