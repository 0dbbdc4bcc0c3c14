"""Who may do what: one table of role x action x relation, and the three questions asked of it.

A *relation* is what joins the viewer's organisation to the record. A query starts from the relations
under which its reader may see records (`relations`), so nothing is filtered after it was read. Pure.
"""
from dataclasses import dataclass
from enum import StrEnum


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
    PUBLISHED = "published"  # another organisation's record, published to all
    GRANTED = "granted"      # the seller let the viewer, or all of the viewer's organisation, have it for a while
    ANY = "any"              # the action needs no record


@dataclass(frozen=True)
class Viewer:
    """A signed-in person acting for one organisation."""
    person_id: int
    name: str
    email: str
    organisation_id: int
    organisation_name: str
    roles: frozenset[Role]
    trades: frozenset[str]

    @property
    def sells(self):
        return "seller" in self.trades

    @property
    def buys(self):
        return "buyer" in self.trades

    @property
    def approves(self):
        return self.sells and Role.RIGHTS_MANAGER in self.roles


AGENT, RIGHTS, SIGNATORY, BUYER, OPERATOR, ADMIN, MATERIALS, FINANCE = Role
EVERYONE = frozenset(Role)
SALES = {AGENT, RIGHTS}
OWN, SELLING, BUYING, PUBLISHED, GRANTED, ANY = Relation

#    action                 roles             relations
TABLE = (
    ("open",                None,             {ANY}),                # no sign-in needed
    ("object.reach",        None,             {ANY}),                # the signature in the address is the rule
    ("look_up",             EVERYONE,         {ANY}),                # vocabulary, organisations, oneself
    ("notice.see",          EVERYONE,         {ANY}),                # one's own
    ("title.see",           EVERYONE,         {OWN, PUBLISHED}),
    ("title.create",        SALES,            {ANY}),
    ("title.revise",        SALES,            {OWN}),
    ("title.link",          SALES,            {OWN}),
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
    ("offer.note",          {*SALES, BUYER, SIGNATORY, MATERIALS, FINANCE}, {SELLING, BUYING}),  # inside
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


def relations(viewer: Viewer, action: str) -> frozenset[Relation]:
    """Under which relations this viewer may do `action`; empty where never."""
    if action not in ACTIONS:
        raise KeyError(f"{action!r} is not in the table of permissions")
    return frozenset(relation for name, roles, each in TABLE
                     if name == action and (roles is None or viewer.roles & frozenset(roles)) for relation in each)


def allows(viewer: Viewer, action: str, relation: Relation = ANY) -> bool:
    """Whether this viewer may do `action` on a record that stands in `relation` to them."""
    return relation in relations(viewer, action)
