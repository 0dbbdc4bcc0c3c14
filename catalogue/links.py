"""Links between titles of equal rank, and the franchise they make."""
from collections import defaultdict

from sqlalchemy import or_, select, text

from accounts.permissions import Viewer
from catalogue import changes, titles
from catalogue.models import Kind, Link, LinkKind, Title
from core import clock, outbox
from core.database import db
from core.errors import Conflict

STORY = (LinkKind.SEQUEL, LinkKind.PREQUEL)
RANK = {Kind.SEASON: 1, Kind.EPISODE: 2}  # all others stand alone
MOST_LINKED = 500  # a franchise larger than this is shown in part


def create(title: Title, kind: str, target: Title) -> Link:
    """Say that `title` is the sequel (remake …) of `target`.

    Raises Conflict for a link to itself, for one that is there already and for one that closes a circle.
    Sequels and prequels make one order (A sequel of B says the same as B prequel of A); what is derived
    from what makes another, so a prequel that is also a spin-off is no contradiction.
    """
    kind = LinkKind(kind)
    if RANK.get(title.kind) != RANK.get(target.kind):
        raise Conflict("Only titles of equal rank are linked: seasons with seasons, episodes with episodes.")
    _one_at_a_time()
    if title.id == target.id:
        raise Conflict("A title cannot be linked to itself.")
    if db.session.scalar(select(Link.id).where(Link.title_id == title.id, Link.kind == kind.value,
                                               Link.target_id == target.id)):
        raise Conflict("These two titles are already linked in this way.")
    later, earlier = _order(title.id, kind, target.id)
    if later in _before(earlier, story=kind in STORY):
        raise Conflict(f"This would close a circle: {target.original_title} already follows "
                       f"{title.original_title} by other links.")
    link = Link(title_id=title.id, kind=kind.value, target_id=target.id, created_at=clock.now())
    db.session.add(link)
    db.session.flush()
    changes.note(title.id, target.id)
    outbox.put("title", title.id)
    outbox.put("title", target.id)
    return link


def _one_at_a_time():
    """Links are written one after another, so that two at once cannot close a circle. SQLite has one writer anyway."""
    if db.session.get_bind().dialect.name == "postgresql":
        db.session.execute(text("LOCK TABLE title_link IN SHARE ROW EXCLUSIVE MODE"))


def _order(title_id, kind, target_id):
    """(later, earlier) of one link, in its own order."""
    return (target_id, title_id) if kind == LinkKind.PREQUEL else (title_id, target_id)


def _before(title_id, story):
    """Everything that comes before a title in the story (or in derivation), itself included."""
    kinds = [kind.value for kind in LinkKind if (kind in STORY) == story]
    found, layer = {title_id}, {title_id}
    while layer:
        rows = db.session.scalars(select(Link).where(
            Link.kind.in_(kinds), or_(Link.title_id.in_(layer), Link.target_id.in_(layer)))).all()
        pairs = [_order(link.title_id, LinkKind(link.kind), link.target_id) for link in rows]
        layer = {earlier for later, earlier in pairs if later in layer} - found
        found |= layer
    return found


def franchise(title: Title, viewer: Viewer) -> tuple[list[Title], list[Link]]:
    """The titles joined to this one by links or by name, in order, and the links among them.

    Only what the viewer may see, and what is joined through it; the title alone where nothing is linked.
    Order: what a story or derivation says comes first, then the year, then the name. Only the titles' own rows are
    read: whoever shows more of them asks `titles.complete`.
    """
    found, layer, links = {title.id: title}, {title.id}, {}
    while layer and len(found) < MOST_LINKED:
        for link in db.session.scalars(select(Link).where(
                or_(Link.title_id.in_(layer), Link.target_id.in_(layer)))):
            links[link.id] = link
        near = {end for link in links.values() for end in (link.title_id, link.target_id)} - found.keys()
        groups = {found[each].franchise_id for each in layer} - {None}
        fresh = db.session.scalars(select(Title).where(
            or_(Title.id.in_(near), Title.franchise_id.in_(groups)), Title.id.not_in(found.keys()),
            titles.visible(viewer)).limit(MOST_LINKED)).all()
        found.update((each.id, each) for each in fresh)
        layer = {each.id for each in fresh}
    shown = [link for link in links.values() if link.title_id in found and link.target_id in found]
    return _sorted(list(found.values()), shown), sorted(shown, key=lambda link: link.id)


def _sorted(members, links):
    """Kahn's order over the links, the year deciding where they leave it open; circles across orders broken by it."""
    earlier_of = defaultdict(set)
    for link in links:
        later, earlier = _order(link.title_id, LinkKind(link.kind), link.target_id)
        earlier_of[later].add(earlier)
    rest = sorted(members, key=lambda title: (title.year or 9999, title.original_title, title.id))
    ordered = []
    while rest:
        left = {title.id for title in rest}
        chosen = next((title for title in rest if not earlier_of[title.id] & left), rest[0])
        rest.remove(chosen)
        ordered.append(chosen)
    return ordered
