"""Who may do what: one table of role x action x relation, one of what a token reaches, and the questions asked of them.

A *relation* is what joins the viewer's organisation to the record. A query starts from the relations
under which its reader may see records (`relations`), so nothing is filtered after it was read. Pure.
"""
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from core.errors import NotProven


class Role(StrEnum):
    AGENT = "agent"
    RIGHTS_MANAGER = "rights_manager"
    SIGNATORY = "signatory"
    BUYER = "buyer"
    OPERATOR = "operator"
    ADMIN = "admin"
    MATERIALS = "materials"
    FINANCE = "finance"


class Relation(StrEnum):
    OWN = "own"              # the record belongs to the viewer's organisation
    SELLER = "seller"        # the viewer's organisation sells in this offer, or is asked
    BUYER = "buyer"          # the viewer's organisation buys in this offer, or asks
    PUBLISHED = "published"  # another organisation's, shown to the viewer's: chosen, at a market, or to everyone
    PARTICIPANT = "participant"  # the viewer's organisation takes part in it
    GRANTED = "granted"      # the seller let the viewer, or all of the viewer's organisation, have it for a while
    ANY = "any"              # the action needs no record


class Scope(StrEnum):
    """How far a token reaches, at most: never further than the roles of its person."""
    READ = "read"
    CATALOGUE = "catalogue"
    DEALS = "deals"
    SIGNING = "signing"
    MATERIALS = "materials"
    ACCOUNT = "account"


@dataclass(frozen=True)
class Viewer:
    """A person acting for one organisation, signed in or by a token."""
    person_id: int
    name: str
    email: str
    organisation_id: int
    organisation_name: str
    roles: frozenset[Role]
    trades: frozenset[str]
    scopes: frozenset[Scope] | None = None  # of the token; None where the roles alone say what may be done
    ends_at: datetime | None = None  # of the token
    proven: bool = True  # whether the proof of who it is is fresh; only a session grows old

    @property
    def sells(self):
        return "seller" in self.trades

    @property
    def buys(self):
        return "buyer" in self.trades

    @property
    def counting(self):
        """The roles that mean something in an organisation that does what theirs does: what sellers do is done by
        organisations that sell, whatever roles their members were once given."""
        return self.roles.intersection(fitting(self.trades))

    @property
    def approves(self):
        return Role.RIGHTS_MANAGER in self.counting


AGENT, RIGHTS, SIGNATORY, BUYER, OPERATOR, ADMIN, MATERIALS, FINANCE = Role
EVERYONE = frozenset(Role)
SALES = {AGENT, RIGHTS}
OWN, SELLING, BUYING, PUBLISHED, PARTICIPANT, GRANTED, ANY = Relation

#    action                 roles             relations
TABLE = (
    ("open",                None,             {ANY}),                # no sign-in needed
    ("object.reach",        None,             {ANY}),                # the signature in the address is the rule
    ("look_up",             EVERYONE,         {ANY}),                # vocabulary, organisations, oneself
    ("organisation.apply",  None,             {ANY}),                # and confirm one's address
    ("organisation.admit",  {OPERATOR},       {ANY}),                # or decline; and suspend one that is in
    ("invitation.answer",   None,             {ANY}),                # the address, which cannot be guessed, is the rule
    ("act_for",             None,             {ANY}),                # one of the organisations one belongs to
    ("member.see",          EVERYONE,         {OWN}),
    ("member.manage",       {ADMIN},          {OWN}),                # invite, give roles, remove; and sees no deals
    ("member.leave",        EVERYONE,         {OWN}),
    ("token.keep",          EVERYONE,         {ANY}),                # one's own, for the organisation one acts for
    ("notice.see",          EVERYONE,         {ANY}),                # one's own
    ("notice.choose",       EVERYONE,         {ANY}),
    ("session.end",         EVERYONE,         {ANY}),                # one's own, too
    ("password.change",     EVERYONE,         {ANY}),                # by who names the old one
    ("sign_in.change",      EVERYONE,         {ANY}),                # one's address, codes and passkeys
    ("webhook.keep",        {ADMIN},          {OWN}),                # where programs of one's organisation are told
    ("data.take",           {ADMIN},          {OWN}),                # the whole data of one's organisation, as a file
    ("title.see",           EVERYONE,         {OWN, PUBLISHED}),
    ("title.create",        SALES,            {ANY}),
    ("title.revise",        SALES,            {OWN}),
    ("title.link",          SALES,            {OWN}),
    ("audience.see",        EVERYONE,         {OWN}),                # whom a title is shown to
    ("edition.see",         EVERYONE,         {OWN, PARTICIPANT}),   # a market's
    ("edition.run",         {OPERATOR},       {OWN}),
    ("search.save",         EVERYONE,         {ANY}),                # for oneself
    ("brief.keep",          SALES,            {OWN}),                # what a buyer wants, and one's own titles for it
    ("brief.open",          None,             {ANY}),                # the address, which cannot be guessed, is the rule
    ("asset.see",           EVERYONE,         {OWN, PUBLISHED, GRANTED}),  # what is shown to all; screeners by grant
    ("asset.send",          {*SALES, MATERIALS}, {OWN}),                # and see every kind in every state
    ("asset.grant",         SALES,            {OWN}),
    ("screener.request",    {BUYER},          {PUBLISHED}),
    ("request.see",         SALES,            {SELLING}),            # of a screener
    ("request.see",         {BUYER, SIGNATORY}, {BUYING}),
    ("avails.ask",          EVERYONE,         {OWN, PUBLISHED}),
    ("mandate.see",         SALES,            {OWN}),                # and what was licensed of one's own title
    ("mandate.record",      SALES,            {OWN}),
    ("mandate.end",         {RIGHTS},         {OWN}),
    ("licence.see",         {*SALES, BUYER, SIGNATORY}, {SELLING, BUYING}),
    ("licence.record",      SALES,            {OWN}),
    ("licence.terminate",   {RIGHTS},         {OWN}),
    ("books.load",          SALES,            {OWN}),                # mandates and deals done elsewhere, in a file
    ("audit.see",           {RIGHTS, ADMIN},  {OWN}),                # who did what in one's own organisation
    ("basket.keep",         {BUYER},          {ANY}),                # one's own, as a buyer
    ("offer.see",           {*SALES, BUYER, SIGNATORY, MATERIALS, FINANCE}, {SELLING, BUYING}),
    ("offer.draft",         {AGENT, RIGHTS, BUYER}, {ANY}),
    ("offer.note",          {*SALES, BUYER, SIGNATORY, MATERIALS, FINANCE}, {SELLING, BUYING}),  # and attach
    ("offer.step",          {*SALES, SIGNATORY}, {SELLING}),         # some step: which one, the rows below say
    ("offer.step",          {BUYER, SIGNATORY}, {BUYING}),
    ("offer.negotiate",     SALES,            {SELLING}),            # the terms, and the papers that go with them
    ("offer.negotiate",     {BUYER},          {BUYING}),
    ("offer.override",      SALES,            {SELLING}),            # pass over a warning, with a reason
    ("offer.approve",       {RIGHTS},         {SELLING}),
    ("policy.see",          SALES,            {OWN}),                # which deals are approved
    ("policy.set",          {RIGHTS},         {OWN}),
    ("refusal.see",         SALES,            {SELLING}),            # who is asked first about a sequel
    ("refusal.see",         {BUYER, SIGNATORY}, {BUYING}),
    ("refusal.answer",      {BUYER},          {BUYING}),
    ("offer.issue_memo",    SALES,            {SELLING}),
    ("offer.long_form",     SALES,            {SELLING}),            # keep the record of it
    ("offer.sign",          {SIGNATORY},      {SELLING, BUYING}),
    ("offer.terminate",     {RIGHTS},         {SELLING}),
    ("material.see",        {*SALES, MATERIALS}, {SELLING}),          # the list of a signed deal, and its files
    ("material.see",        {BUYER, RIGHTS, MATERIALS}, {BUYING}),
    ("material.step",       {*SALES, MATERIALS}, {SELLING}),          # some step: which side's, the rows below say
    ("material.step",       {BUYER, RIGHTS, MATERIALS}, {BUYING}),
    ("material.deliver",    {*SALES, MATERIALS}, {SELLING}),          # a small house has nobody for materials alone
    ("material.answer",     {BUYER, RIGHTS, MATERIALS}, {BUYING}),
    ("money.see",           {*SALES, FINANCE}, {SELLING}),            # instalments, and what was paid of them
    ("money.see",           {BUYER, SIGNATORY, FINANCE}, {BUYING}),
    ("money.mark",          {RIGHTS, FINANCE}, {SELLING}),            # a small house has nobody for finance alone
)
ACTIONS = frozenset(action for action, _, _ in TABLE)
OPEN = frozenset(action for action, roles, _ in TABLE if roles is None)
PROVEN = {  # need a fresh proof of who it is → as the page that asks for it says it
    "offer.sign": "sign an offer", "offer.approve": "decide about an offer", "policy.set": "set the approval policy",
    "sign_in.change": "change how you sign in", "session.end": "sign out elsewhere"}

#    scope            actions a token needs it for
SCOPES = {
    Scope.READ:      {"look_up", "notice.see", "member.see", "title.see", "asset.see", "request.see", "avails.ask",
                      "mandate.see", "licence.see", "audit.see", "offer.see", "policy.see", "refusal.see",
                      "material.see", "money.see", "audience.see", "edition.see",
                      "offer.step", "material.step"},  # which asks, of each step, for the action that it is
    Scope.CATALOGUE: {"title.create", "title.revise", "title.link", "asset.send", "asset.grant", "mandate.record",
                      "mandate.end", "licence.record", "licence.terminate", "books.load"},
    Scope.DEALS:     {"search.save", "brief.keep", "screener.request", "basket.keep", "offer.draft", "offer.note",
                      "offer.negotiate", "refusal.answer", "offer.issue_memo", "offer.long_form", "money.mark"},
    Scope.SIGNING:   {"offer.sign", "offer.approve", "offer.terminate", "offer.override", "policy.set"},
    Scope.MATERIALS: {"material.deliver", "material.answer"},
    Scope.ACCOUNT:   {"organisation.admit", "member.manage", "member.leave", "token.keep", "notice.choose",
                      "session.end", "password.change", "sign_in.change", "edition.run",
                      "webhook.keep", "data.take"},
}
SCOPE_OF = {action: scope for scope, actions in SCOPES.items() for action in actions}

#    what an organisation does → the roles its members may have
FITTING = {
    "seller":   (AGENT, RIGHTS, SIGNATORY, FINANCE, MATERIALS, ADMIN),
    "buyer":    (BUYER, SIGNATORY, FINANCE, MATERIALS, ADMIN),
    "operator": (OPERATOR, ADMIN),
}


def relations(viewer: Viewer, action: str) -> frozenset[Relation]:
    """Under which relations this viewer may do `action`; empty where never."""
    if action not in ACTIONS:
        raise KeyError(f"{action!r} is not in the table of permissions")
    if viewer.scopes is not None and action not in OPEN and SCOPE_OF[action] not in viewer.scopes:
        return frozenset()
    return frozenset(relation for name, roles, each in TABLE
                     if name == action and (roles is None or viewer.counting & frozenset(roles)) for relation in each)


def allows(viewer: Viewer, action: str, relation: Relation = ANY) -> bool:
    """Whether this viewer may do `action` on a record that stands in `relation` to them."""
    return relation in relations(viewer, action)


def fitting(trades) -> list[Role]:
    """The roles that members of an organisation with these trades may have, in the order of `Role`."""
    some = {role for trade in trades for role in FITTING[trade]}
    return [role for role in Role if role in some]


def check_proof(viewer: Viewer, action: str, matter: str | None = None):
    """Raises NotProven where `action` needs a fresh proof and this viewer's is old. `matter` says what the proof is for
    where more is known than the kind of act, such as "sign offer 12 with Sakura TV"."""
    if action in PROVEN and not viewer.proven:
        raise NotProven(f"To {matter or PROVEN[action]}, show once more that it is you: "
                        "you have been signed in for a while.")
