"""The seller's own titles."""
import re
from datetime import date

from flask import flash, redirect, render_template, request, url_for

from accounts import people, security
from catalogue import titles
from catalogue.models import Kind
from catalogue.schemas import TitleSchema
from core import clock, http
from core.database import db
from core.errors import Invalid
from licensing import asking, counting, drafts, outlook
from licensing.pages import ON_A_PAGE, bp
from licensing.rights import media
from licensing.schemas import load
from licensing.schemas.offers import OfferSchema


@bp.get("/slate")
@security.permit("mandate.see")
def slate():
    """The seller's own titles."""
    return _slate_page()


def _slate_page(errors=None, typed=None, status=200, proposing=False):
    viewer = security.viewer()
    page = http.page_asked()
    query = titles.listing(viewer, own=True)
    total = db.session.scalar(db.select(db.func.count()).select_from(query.order_by(None).subquery()))
    shown = titles.told(db.session.scalars(query.limit(ON_A_PAGE).offset((page - 1) * ON_A_PAGE)).all(), viewer)
    looks = {title_id: outlook.of(shares, clock.today()) for title_id, shares in counting.shares(
        db.session, [each.id for each in shown], claims=False).items()}
    return render_template("licensing/slate.html", titles=shown, total=total, page=page, pages=-(-total // ON_A_PAGE),
                           looks=looks, spark=_spark, years=(clock.today().year, _last_year()), errors=errors or {},
                           typed=typed or {}, kinds=list(Kind), media_tree=media.vocabulary(), proposing=proposing,
                           buyers=[each for each in people.organisations("buyer") if each.id != viewer.organisation_id],
                           ticked=_ticked()), status


def _ticked() -> list[int]:
    return [int(each) for each in request.form.getlist("title_id") if re.fullmatch("[0-9]{1,9}", each)]


@bp.post("/slate/proposals")
@security.permit("offer.draft")
@http.writes
def propose_titles():
    """Titles that were ticked, proposed to one buyer: a draft with one line for each."""
    viewer = security.viewer()
    line = {**asking.line(request.form, "p-"), "price": None}
    try:
        ticked = _ticked()
        if not ticked:
            raise Invalid({"": ["Tick the titles that you propose."]})
        said = {name: request.form.get(name, "") for name in ("buyer", "currency")}
        data = load(OfferSchema(), {**said, "lines": [{**line, "title_id": str(each)} for each in ticked]})
        offer = drafts.create(viewer, currency=data["currency"], lines=data["lines"], buyer_id=data["buyer"])
    except Invalid as problem:
        db.session.rollback()
        typed = {**line, **{name: request.form.get(name, "") for name in ("buyer", "currency")}}
        return _slate_page(problem.errors, typed, 422, proposing=True)
    flash("Drafted. Name the prices, then send it.")
    return redirect(url_for(".offer", offer_id=offer.id))


def _spark(free: list[float]) -> str:
    """The path of the share still free: a step for each quarter, 5 wide and 24 high."""
    return "M0 24" + "".join(f"V{24 - 24 * share:.1f}H{5 * place}" for place, share in enumerate(free, 1)) + "V24Z"


def _last_year() -> int:
    return date.fromordinal(outlook.quarters(clock.today())[-1][1] - 1).year


@bp.post("/slate")
@security.permit("title.create")
@http.writes
def create_title():
    """List a title."""
    typed = {name: value.strip() for name, value in request.form.items() if value.strip() and name != "csrf_token"}
    try:
        data = load(TitleSchema(), _title_data(typed))
        made = titles.create(security.viewer().organisation_id, titles=data.pop("names", ()), **data)
    except Invalid as problem:
        db.session.rollback()
        return _slate_page(problem.errors, typed, 422)
    flash("Listed as a draft. Record what you may sell of it, then publish it.")
    return redirect(url_for(".rights", title_id=made.id))


def _title_data(typed):
    """The fields of the short form, as TitleSchema wants them."""
    data = {name: typed[name] for name in ("kind", "original_title", "original_language") if name in typed}
    for name in ("year", "runtime_minutes"):
        if name in typed:
            data[name] = int(typed[name]) if re.fullmatch("[0-9]{1,6}", typed[name]) else typed[name]
    for name in ("countries", "genres"):
        if name in typed:
            parts = [part.strip() for part in typed[name].split(",") if part.strip()]
            data[name] = [part.upper() for part in parts] if name == "countries" else parts
    if "english_title" in typed:
        data["titles"] = [{"language": "en", "value": typed["english_title"], "kind": "translated"}]
    if "synopsis" in typed:
        data["synopsis"] = {"en": typed["synopsis"]}
    return data
