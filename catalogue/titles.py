"""Titles: listing them, revising them, who may see them, and the lock on their rights."""
from sqlalchemy import or_, select, update
from sqlalchemy.orm import attributes, selectinload

from accounts import permissions
from accounts.permissions import Relation, Viewer
from catalogue import audiences, changes
from catalogue.models import PARENTS, Credit, Kind, Name, NameKind, RightsClock, Status, Synopsis, Title
from core import audit, clock, outbox
from core.database import db
from core.errors import Invalid, NotAllowed, NotFound

PLAIN = ("kind", "status", "original_title", "original_language", "year", "runtime_minutes", "number",
         "external_id", "countries", "genres", "languages", "tags", "identifiers", "episodes")
WHOLE = (selectinload(Title.names), selectinload(Title.synopses), selectinload(Title.credits),
         selectinload(Title.seller))


def visible(viewer: Viewer, action: str = "title.see"):
    """The condition under which this viewer may do `action`: the start of every query for titles."""
    held = permissions.relations(viewer, action)
    ways = [condition for relation, condition in (
        (Relation.OWN, Title.organisation_id == viewer.organisation_id),
        (Relation.PUBLISHED, audiences.shown_to(viewer.organisation_id))) if relation in held]
    return or_(False, *ways)


def find(title_id: int, viewer: Viewer, action: str = "title.see") -> Title | None:
    """A title this viewer may do `action` on, or None."""
    return db.session.scalar(select(Title).where(Title.id == title_id, visible(viewer, action)).options(*WHOLE))


def get(title_id: int, viewer: Viewer, action: str = "title.see") -> Title:
    """The same, or NotFound where it may not be seen, NotAllowed where it may be seen but no more."""
    if title := find(title_id, viewer, action):
        return title
    if action != "title.see" and find(title_id, viewer):
        raise NotAllowed("Only the seller that lists this title may do that, with the role it needs.")
    raise NotFound()


def seen(title_ids, viewer: Viewer) -> set[int]:
    """Which of these titles the viewer may see: of those a record of theirs names, which have a page for them."""
    wanted = set(title_ids)
    return set(db.session.scalars(select(Title.id).where(Title.id.in_(wanted), visible(viewer)))) if wanted else set()


def told(some: list[Title], viewer: Viewer) -> list[Title]:
    """The titles, and on those of the viewer's own house whom each is shown to: nobody else may know."""
    own = [each for each in some if audiences.tells(each, viewer)]
    known = audiences.said(own)
    for each in own:
        each.audience = known[each.id]
    return some


def complete(some):
    """Read the names, synopses, credits and sellers of titles that came without them."""
    db.session.scalars(select(Title).where(Title.id.in_([each.id for each in some])).options(*WHOLE)).all()


def listing(viewer: Viewer, own: bool = False):
    """A query for the titles this viewer may see, newest first; their own only, if asked."""
    query = select(Title).where(visible(viewer)).order_by(Title.id.desc()).options(*WHOLE)
    return query.where(Title.organisation_id == viewer.organisation_id) if own else query


def create(organisation_id: int, *, original_title: str, kind: str, parent: Title | None = None,
           franchise_id: int | None = None, titles=(), synopsis=None, credits=(), audience=None, **rest) -> Title:
    """List a title for an organisation.

    `titles` are [{language, value, kind}], `synopsis` {language: text}, `credits` [{role, name}], `audience` is what
    `audiences.named` takes, that of the parent where nothing is said; the rest are the plain fields of the record.
    Raises Invalid where the external id is taken, the parent unfit, or the audience unknown.
    """
    if parent:  # what is licensed of the parent, and of which children, must not change meanwhile
        lock([parent.id])
    title = Title(organisation_id=organisation_id, kind=kind, original_title=original_title,
                  franchise_id=franchise_id, created_at=clock.now(), updated_at=clock.now(),
                  **{name: value for name, value in rest.items() if name in PLAIN and value is not None})
    _check_external_id(title, title.external_id)
    _write_parts(title, titles, synopsis, credits)
    _check_parent(title, parent)
    title.parent = parent
    if audience is not None:
        title.audience_id = audiences.named(audience, organisation_id)
    elif parent:
        title.audience_id = parent.audience_id
    if parent:
        title.root_id = parent.root_id
        title.succeeds_id = _succeeded(parent)
    db.session.add(title)
    db.session.flush()
    if not parent:  # its own root: written past the ORM, so that a new title is at revision 1
        db.session.execute(update(Title).where(Title.id == title.id).values(root_id=title.id))
        attributes.set_committed_value(title, "root_id", title.id)
        db.session.execute(RightsClock.__table__.insert().values(root_id=title.id, version=0))
    touch(title, rights=parent is not None)  # what is free of the parent hangs on it, too
    if title.status == Status.PUBLISHED:
        changes.announce(changes.PUBLISHED, [title.id])
    return title


def revise(title: Title, *, parent: Title | None | bool = False, titles=None, synopsis=None, credits=None,
           audience=None, **rest):
    """Change what is given. A new parent moves the whole subtree, under the locks of both roots."""
    before = title.status, title.audience_id
    if audience is not None:
        _name_audience(title, audience)
    if "external_id" in rest and rest["external_id"] != title.external_id:
        _check_external_id(title, rest["external_id"])
    if "kind" in rest and rest["kind"] != title.kind:
        if db.session.scalar(select(Title.id).where(Title.parent_id == title.id).limit(1)):
            raise Invalid({"kind": ["A title with children keeps its kind."]})
        title.kind = rest["kind"]
        _check_parent(title, title.parent if parent is False else parent)
    if parent is not False and parent is not title.parent:
        lock([title.id] + ([parent.id] if parent else []))
        _check_parent(title, parent)
        _move(title, parent)
    for name, value in rest.items():
        if name in PLAIN:
            setattr(title, name, value)
    _write_parts(title, titles, synopsis, credits)
    title.updated_at = clock.now()
    db.session.flush()
    touch(title)
    if title.status == Status.PUBLISHED and (title.status, title.audience_id) != before:  # others may see it now
        changes.announce(changes.PUBLISHED, [title.id])


def show(title: Title, audience: dict | None, below: bool = False):
    """Publish a title to an audience (`audiences.named`). None takes it back to its own organisation; a draft stays
    one. With `below` so are all titles below it."""
    family = family_below(title.id) if below else {title.id}
    for each in db.session.scalars(select(Title).where(Title.id.in_(family)).order_by(Title.id).options(*WHOLE)).all():
        taken_back = Status.DRAFT if each.status == Status.DRAFT else Status.WITHDRAWN
        revise(each, audience=audience, status=(Status.PUBLISHED if audience else taken_back).value)


def _name_audience(title, audience):
    """Whom a title is shown to, and a note of whom it was shown to before."""
    before, was = audiences.said([title])[title.id], title.audience_id
    title.audience_id = audiences.named(audience, title.organisation_id)
    if title.audience_id != was:
        audit.note("shown", "title", title.id, before=before, after=audiences.said([title])[title.id],
                   organisation_id=title.organisation_id)


def parent_in(data: dict, viewer: Viewer) -> Title | None | bool:
    """The parent a record names, taken out of it: one's own title, None for none, False where nothing is said."""
    if "parent_id" not in data:
        return False
    parent_id = data.pop("parent_id")
    if parent_id is None:
        return None
    if parent := find(parent_id, viewer, "title.revise"):
        return parent
    raise Invalid({"parent_id": ["There is no such title of yours."]})


def touch(title: Title, rights: bool = False):
    """Say that something about a title changed, so that copies of it are brought up to date."""
    changes.note(title.id, rights=rights)
    outbox.put("title", title.id)


def _check_external_id(title, external_id):
    if external_id is not None and db.session.scalar(select(Title.id).where(
            Title.organisation_id == title.organisation_id, Title.external_id == external_id)):
        raise Invalid({"external_id": [f"You already list a title with the external id {external_id}."]})


def _check_parent(title, parent):
    allowed = PARENTS.get(Kind(title.kind), ())
    if parent is None:
        return
    if not allowed or parent.kind not in allowed:
        fit = " or ".join(allowed)
        raise Invalid({"parent_id": [f"The parent of a {title.kind} is a {fit}." if fit
                                     else f"A {title.kind} has no parent."]})
    if parent.organisation_id != title.organisation_id:
        raise Invalid({"parent_id": ["The parent is another seller's title."]})


def _succeeded(parent) -> int | None:
    """The parent, where it was a leaf of its own until now: what was licensed of it goes over to its first child."""
    has_children = db.session.scalar(select(Title.id).where(Title.parent_id == parent.id).limit(1))
    return None if has_children else parent.id


def _move(title, parent):
    below = family_below(title.id)
    if parent is not None and parent.id in below:
        raise Invalid({"parent_id": ["A title cannot stand below itself."]})
    if parent is None and not db.session.get(RightsClock, title.id):
        db.session.add(RightsClock(root_id=title.id))
    if parent is not None:
        title.succeeds_id = title.succeeds_id or _succeeded(parent)
    left = {title.parent_id} - {None}
    title.parent = parent
    new_root = parent.root_id if parent else title.id
    db.session.flush()
    db.session.execute(update(Title).where(Title.id.in_(below)).values(root_id=new_root))
    db.session.refresh(title, ["root_id"])
    changes.note(*below, *left)


def family_below(title_id: int) -> set[int]:
    """The title and everything below it: at most two steps down (series, season, episode)."""
    found, layer = {title_id}, {title_id}
    while layer:
        layer = set(db.session.scalars(select(Title.id).where(Title.parent_id.in_(layer)))) - found
        found |= layer
    return found


def _write_parts(title, names, synopsis, credits):
    """Replace what is given. The original title always leads the list of names."""
    if names is not None:
        first = {"language": title.original_language, "value": title.original_title,
                 "kind": NameKind.ORIGINAL.value}
        seen, kept = set(), []
        for each in (first, *names):
            key = (each.get("language"), each["value"])
            if key not in seen and not (each.get("kind") == NameKind.ORIGINAL and each is not first
                                        and each["value"] == title.original_title):
                seen.add(key)
                kept.append(each)
        title.names = [Name(position=place, language=each.get("language"), value=each["value"],
                            kind=each.get("kind") or NameKind.TRANSLATED.value) for place, each in enumerate(kept)]
    elif title.names and (title.names[0].value, title.names[0].language) != (
            title.original_title, title.original_language):
        title.names[0].value, title.names[0].language = title.original_title, title.original_language
    if synopsis is not None:
        title.synopses = [Synopsis(language=language, text=words) for language, words in synopsis.items()]
    if credits is not None:
        title.credits = [Credit(position=place, role=each["role"], name=each["name"])
                         for place, each in enumerate(credits)]


def roots(title_ids) -> list[int]:
    """The roots of these titles' hierarchies, ascending."""
    return sorted(set(db.session.scalars(select(Title.root_id).where(Title.id.in_(set(title_ids))))))


def lock(title_ids):
    """Hold the rights of these titles, and of all that share their hierarchies, until the transaction ends.

    Touches the clock of each root in ascending order, so that two transactions over the same titles wait
    for each other and never deadlock. Read what depends on it only afterwards. Where a title was moved to
    another hierarchy while we waited, that one is locked too.
    """
    db.session.flush()
    title_ids, held = set(title_ids), set()
    while wanted := [root for root in roots(title_ids) if root not in held]:
        for root in wanted:
            db.session.execute(update(RightsClock).where(RightsClock.root_id == root)
                               .values(version=RightsClock.version + 1))
        held.update(wanted)
    db.session.expire_all()
