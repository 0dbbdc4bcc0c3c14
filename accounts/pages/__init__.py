"""One's account, what one is told, and leaving: one blueprint, its views by noun."""
from flask import Blueprint, request

bp = Blueprint("accounts_pages", __name__)


def number(name: str) -> int:
    """An id that a form sends; 0, which nothing has, where it sends none."""
    text = request.form.get(name, "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else 0
