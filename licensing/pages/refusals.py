"""First negotiation and refusal: the holder's page, and the franchise with who must be asked."""
from flask import flash, redirect, render_template, request, url_for
from sqlalchemy import select

from accounts import people, permissions, security
from accounts.permissions import Relation
from catalogue import links, titles
from catalogue.models import LinkKind, Title
from catalogue.schemas import LinkSchema
from core import clock, http
from core.database import db
from core.errors import Conflict, Invalid, NotSignedIn
from licensing import asking, avails, promises, terms
from licensing.pages import ON_A_PAGE, bp
from licensing.refusals import asked, franchise
from licensing.rights import media
from licensing.schemas import load
from licensing.schemas.promises import OptionSchema
from licensing.schemas.refusals import RefusalAnswerSchema

KINDS = {"first_negotiation": "First negotiation", "first_refusal": "First refusal", "last_refusal": "Last refusal"}
STANDS = {"asked": "not answered yet", "taken": "taken", "licensed": "licensed", "passed": "passed",
          "lapsed": "let lapse"}
MOST_CHOICES = 500  # titles to link to, in a list; others are linked by their number


@bp.app_context_processor
def refusals_on_pages():
    """For the masthead: how many questions wait for the viewer. For other pages: the words of first words."""
    def waiting():
        try:
            return asked.count(security.viewer())
        except NotSignedIn:
            return None
    return {"refusals_waiting": waiting, "word_kinds": KINDS, "word_stands": STANDS, "word_place": asked.place}


# ------------------------------------------------------------------ the holder

@bp.get("/refusals")
@security.permit("refusal.see")
def refusals():
    """What you are asked first, with the days you have; for a seller, what was asked of others."""
    return _refusals_page()


def _refusals_page(errors=None, failed=None, status=200):
    viewer, page = security.viewer(), http.page_asked()
    shown = db.session.scalars(asked.listing(viewer).limit(ON_A_PAGE + 1).offset((page - 1) * ON_A_PAGE)).unique().all()
    seen = titles.seen([each.title_id for each in shown], viewer)
    rows = [{"each": each, "stands": asked.standing(each), "mine": each.holder_id == viewer.organisation_id,
             "place": asked.place(each.option), "actions": asked.actions(each, viewer, seen),
             "seen": each.title_id in seen,
             "left": (each.answer_by - clock.today()).days} for each in shown[:ON_A_PAGE]]
    waits = [row for row in rows if row["mine"] and row["stands"] == "asked"]
    return render_template("licensing/refusals.html", waits=waits, others=[row for row in rows if row not in waits],
                           page=page, more=len(shown) > ON_A_PAGE, errors=errors or {}, failed=failed), status


@bp.post("/refusals/<id:refusal_id>/answer")
@security.permit("refusal.answer")
@http.writes
def answer_refusal(refusal_id):
    """Take it or pass, from the holder's page."""
    viewer = security.viewer()
    found = asked.lock(refusal_id, viewer)
    try:
        data = load(RefusalAnswerSchema(), {"answer": request.form.get("answer", ""),
                                            "note": request.form.get("note") or None})
        asked.answer(found, viewer, data["answer"], data["note"])
    except Invalid as problem:
        db.session.rollback()
        return _refusals_page(problem.errors, refusal_id, 422)
    if data["answer"] == "take":
        flash(f"Taken: here is your draft. Send it by {found.answer_by:%-d %b %Y}, and the first word stays yours.")
        return redirect(url_for(".offer", offer_id=found.offer_id))
    flash(f"You passed. {found.seller.name} may go on without you.")
    return redirect(url_for(".refusals"))


# ------------------------------------------------------------------ the franchise

@bp.get("/titles/<id:title_id>/franchise")
@security.permit("title.see")
def franchise_page(title_id):
    """The linked titles in order; for their seller also who must be asked, where, until when."""
    return _franchise_page(titles.get(title_id, security.viewer()))


def _franchise_page(shown: Title, errors=None, form=None, typed=None, status=200):
    viewer = security.viewer()
    members, among = links.franchise(shown, viewer)
    titles.complete(members)
    own = avails.owns(shown, viewer)
    words = franchise.to_mind(members, among, viewer.organisation_id) if own else {}
    carried = franchise.carried(members, viewer.organisation_id) if own else {}
    may_link = own and permissions.allows(viewer, "title.link", Relation.OWN)
    choice = db.session.execute(select(Title.id, Title.original_title, Title.original_language, Title.year).where(
        titles.visible(viewer, "title.link"), Title.id != shown.id).order_by(Title.id.desc())
        .limit(MOST_CHOICES)).all() if may_link else []
    return render_template(
        "licensing/franchise.html", title=shown, members=members, links=among, own=own, words=words, carried=carried,
        open_words=[word for some in words.values() for word in some if word.standing in ("asked", "taken")
                    or word.refusal is None], may_link=may_link, kinds=list(LinkKind),
        choice=choice, media_tree=media.vocabulary(),
        holders=[each for each in people.organisations("buyer") if each.id != viewer.organisation_id] if own else [],
        errors=errors or {}, form=form, typed=typed or {}), status


@bp.post("/titles/<id:title_id>/links")
@security.permit("title.link")
@http.writes
def link_title(title_id):
    """Say what this title follows, and read at once who must be asked about it."""
    viewer = security.viewer()
    shown = titles.get(title_id, viewer, "title.link")
    typed = {"kind": request.form.get("kind", ""),
             "title_id": request.form.get("number", "").strip() or request.form.get("target", "")}
    try:
        data = load(LinkSchema(), typed)
        target = titles.find(data["title_id"], viewer)
        if target is None:
            raise Invalid({"title_id": ["There is no such title that you may see."]})
        links.create(shown, data["kind"], target)
    except (Invalid, Conflict) as problem:
        db.session.rollback()
        shown = titles.get(title_id, viewer)
        errors = problem.errors if isinstance(problem, Invalid) else {"": [problem.detail]}
        return _franchise_page(shown, errors, "link", typed, problem.status)
    flash(_who_is_asked(shown, viewer))
    return redirect(url_for(".franchise_page", title_id=title_id))


def _who_is_asked(shown, viewer) -> str:
    words = franchise.to_mind(*links.franchise(shown, viewer), viewer.organisation_id)
    names = dict.fromkeys(word.option.holder.name for some in words.values() for word in some
                          if word.standing in (franchise.TO_ASK, franchise.UNSHOWN))
    return f"Linked. To be asked first: {', '.join(names)}." if names else "Linked. Nobody has to be asked."


@bp.post("/titles/<id:title_id>/options")
@security.permit("mandate.record")
@http.writes
def give_option(title_id):
    """Record who has the first or the last word on what will follow this title."""
    viewer = security.viewer()
    shown = titles.get(title_id, viewer, "mandate.record")
    days = request.form.get("days", "").strip()
    typed = {"kind": request.form.get("kind", ""), "organisation": request.form.get("organisation", ""),
             "territories": asking.names(request.form, "territories"), "media": asking.names(request.form, "media"),
             "days": int(days) if days.isdecimal() else days}
    try:
        data = load(OptionSchema(), typed)
        said = terms.read({**data, "languages": ["*"], "starts_on": terms.FIRST_DAY, "ends_on": None})
        made = promises.option(shown, said, kind=data["kind"], organisation_id=data["organisation"], days=data["days"])
    except Invalid as problem:
        db.session.rollback()
        return _franchise_page(titles.get(title_id, viewer), problem.errors, "option", typed, 422)
    flash(f"Recorded: {made.holder.name} is asked about what follows this title.")
    return redirect(url_for(".franchise_page", title_id=title_id))
