"""A buyer's basket: what is in it, by seller, and sending it."""
import re
from functools import cache

from flask import flash, redirect, render_template, request, url_for

from accounts import permissions, security
from catalogue import titles
from core import http
from core.database import db
from core.errors import Conflict, Invalid, NotSignedIn
from licensing import asking, basket, terms
from licensing.pages import bp
from licensing.schemas import LineSchema, load
from licensing.schemas.basket import BasketSendingSchema

LATER = "later"  # beside the ways of `basket.WAYS`: this seller's lines stay where they are


@bp.app_context_processor
def basket_words():
    """Whether the viewer has a basket, and how many lines are in it."""
    @cache
    def counted():
        try:
            viewer = security.viewer()
        except NotSignedIn:
            return None
        return basket.size(viewer) if viewer.buys and permissions.allows(viewer, "basket.keep") else None
    return {"basket_size": counted}


@bp.get("/basket")
@security.permit("basket.keep")
def show_basket():
    """The basket, by seller."""
    return _basket_page()


def _basket_page(problem=None, status=200):
    viewer = security.viewer()
    some = basket.lines(viewer)
    return render_template(
        "licensing/basket.html", groups=basket.by_seller(some), answers=basket.answers(some, viewer),
        gone=basket.size(viewer) - len(some), errors=problem.errors if problem else {}, problem=problem,
        typed=request.form, line_url=_line_url), status


def _line_url(line):
    return url_for(".title", title_id=line.title_id, **asking.address(terms.of_row(line).as_typed()))


@bp.post("/basket")
@security.permit("basket.keep")
@http.writes
def put_into_basket():
    """Put a title and the line that was asked into the basket, and go back to where that was."""
    viewer = security.viewer()
    title = titles.get(_number(request.form.get("title_id", "")), viewer)
    line = asking.line(request.form)
    basket.add(title, terms.read(load(LineSchema(), {**line, "languages": line["languages"] or ["*"]})), viewer)
    count = basket.size(viewer)
    flash(f"It is in your basket, with {count - 1} more." if count > 1 else "It is in your basket.")
    return redirect(local(request.form.get("back", ""), url_for(".show_basket")))


def local(path: str, otherwise: str) -> str:
    """A path of this site as a form sent it, or `otherwise`: a form can name any address."""
    return path if re.fullmatch(r"/(?![/\\])[^\x00-\x20\\]*", path) else otherwise


def _number(said) -> int:
    return int(said) if re.fullmatch("[0-9]{1,9}", said) else 0


@bp.post("/basket/taking-out")
@security.permit("basket.keep")
@http.writes
def take_out_of_basket():
    """Take one line out, or all whose titles are not on sale any more."""
    viewer = security.viewer()
    if request.form.get("line") == "gone":
        basket.tidy(viewer)
    else:
        basket.remove(viewer, _number(request.form.get("line", "")))
    return redirect(url_for(".show_basket"))


@bp.post("/basket/sending")
@security.permit("basket.keep")
@http.writes
def send_basket():
    """Send what was chosen: one offer for each seller, all of them or none."""
    try:
        data = {"offers": [part for part in map(_part, request.form.getlist("seller")) if part["as"] != LATER]}
        if not data["offers"]:
            raise Invalid({"": ["Choose for one seller at least what to send."]})
        sent = basket.send(security.viewer(), load(BasketSendingSchema(), data)["offers"])
    except (Invalid, Conflict) as problem:
        db.session.rollback()
        invalid = problem if isinstance(problem, Invalid) else Invalid({"": [problem.detail]})
        return _basket_page(_by_seller(invalid), problem.status)
    flash(f"Sent to {len(sent)} seller{'s' if len(sent) != 1 else ''}: you find each as an offer of its own.")
    return redirect(url_for(".list_offers"))


def _part(seller) -> dict:
    form = {name: request.form.get(f"{name}-{seller}", "").strip()
            for name in ("as", "currency", "valid_until", "note", "price_of_all")}
    ids = request.form.getlist(f"line-{seller}")
    return {"seller": seller, "as": form["as"], "currency": form["currency"].upper(),
            "valid_until": form["valid_until"] or None, "note": form["note"] or None,
            "price_of_all": form["price_of_all"].replace(",", "") or None,
            "lines": [{"id": each, "price": request.form.get(f"price-{each}", "").replace(",", "").strip() or None}
                      for each in ids]}


def _by_seller(problem: Invalid) -> Invalid:
    """Errors of shape stand under the place of a part; for the page they stand under its seller."""
    sent = [seller for seller in request.form.getlist("seller") if request.form.get(f"as-{seller}") != LATER]
    parts = problem.errors.get("offers")
    if not isinstance(parts, dict):
        return problem
    return Invalid({sent[int(place)]: said for place, said in parts.items() if str(place).isdecimal()})
