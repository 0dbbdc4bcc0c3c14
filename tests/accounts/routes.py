"""What each route is about: the table that tests/accounts/test_every_route.py holds the code to.

A line is: method, address, the action of accounts/permissions.py that the route declares, and the record it takes.

    -            no record: whoever holds the action in some relation
    offer        a record of `houses.records`, in every state: another's is 404; seen but not to be changed is 403
    offer:ACTION so, but what is decided on the record is ACTION, for the declared one needs no record
    offer~       so, but its life decides further (409, or 403 for who may see it); another test has every move of it
    buying       no record, but one's organisation buys, or sells (`selling`)

BODIES has what a well-shaped request sends, so that a refusal is about who asks and not about what is sent.
"""
from datetime import date, timedelta
from typing import NamedTuple

from tests.conftest import a_line

TABLE = """
GET     /api/v1/applications                                                organisation.admit  -
POST    /api/v1/applications/<id:application_id>/admission                  organisation.admit  application
POST    /api/v1/applications/<id:application_id>/declining                  organisation.admit  application
GET     /api/v1/approval-policy                                             policy.see          -
PUT     /api/v1/approval-policy                                             policy.set          selling
GET     /api/v1/approvals                                                   offer.approve       -
GET     /api/v1/assets/<id:asset_id>                                        asset.see           asset
PATCH   /api/v1/assets/<id:asset_id>                                        asset.send          asset
DELETE  /api/v1/assets/<id:asset_id>                                        asset.send          asset
POST    /api/v1/assets/<id:asset_id>/completion                             asset.send          asset
POST    /api/v1/assets/<id:asset_id>/grants                                 asset.grant         asset
GET     /api/v1/assets/<id:asset_id>/grants                                 asset.grant         asset
DELETE  /api/v1/assets/<id:asset_id>/grants/<id:grant_id>                   asset.grant         grant
POST    /api/v1/assets/<id:asset_id>/parts                                  asset.send          asset
POST    /api/v1/assets/<id:asset_id>/plays                                  asset.see           asset~
GET     /api/v1/assets/<id:asset_id>/url                                    asset.see           asset~
GET     /api/v1/attachments/<id:attachment_id>                              offer.see           paper
DELETE  /api/v1/attachments/<id:attachment_id>                              offer.negotiate     paper
POST    /api/v1/attachments/<id:attachment_id>/completion                   offer.negotiate     paper
GET     /api/v1/attachments/<id:attachment_id>/url                          offer.see           paper
POST    /api/v1/basket                                                      basket.keep         buying
GET     /api/v1/basket                                                      basket.keep         -
DELETE  /api/v1/basket/<id:line_id>                                         basket.keep         line
POST    /api/v1/basket/sending                                              basket.keep         -
POST    /api/v1/data                                                        data.take           -
POST    /api/v1/deliveries/<id:delivery_id>/again                           webhook.keep        delivery
GET     /api/v1/editions                                                    edition.see         -
POST    /api/v1/editions                                                    edition.run         -
GET     /api/v1/editions/<id:edition_id>/participants                       edition.run         edition
POST    /api/v1/editions/<id:edition_id>/participants                       edition.run         edition
DELETE  /api/v1/editions/<id:edition_id>/participants/<id:organisation_id>  edition.run         participant
POST    /api/v1/holdbacks/<id:holdback_id>/ending                           mandate.end         holdback
DELETE  /api/v1/holds/<id:hold_id>                                          mandate.record      hold
POST    /api/v1/holds/<id:hold_id>/offer                                    offer.draft         held:offer.negotiate~
GET     /api/v1/instalments                                                 money.see           -
GET     /api/v1/instalments/<id:instalment_id>                              money.see           instalment
POST    /api/v1/instalments/<id:instalment_id>/payments                     money.mark          instalment
GET     /api/v1/invitations                                                 member.manage       -
POST    /api/v1/invitations                                                 member.manage       -
DELETE  /api/v1/invitations/<id:invitation_id>                              member.manage       invitation
POST    /api/v1/invitations/<id:invitation_id>/sending                      member.manage       invitation
GET     /api/v1/licences                                                    licence.see         -
GET     /api/v1/licences.csv                                                licence.see         -
GET     /api/v1/licences.ics                                                licence.see         -
POST    /api/v1/licences/<id:licence_id>/termination                        licence.terminate   licence
POST    /api/v1/mandates/<id:mandate_id>/ending                             mandate.end         mandate
GET     /api/v1/materials/<id:material_id>                                  material.see        material
POST    /api/v1/materials/<id:material_id>/steps                            material.step       material~
GET     /api/v1/materials/<id:material_id>/url                              material.see        file~
GET     /api/v1/me                                                          look_up             -
GET     /api/v1/members                                                     member.see          -
PATCH   /api/v1/members/<id:membership_id>                                  member.manage       member
DELETE  /api/v1/members/<id:membership_id>                                  member.leave        member:member.manage
GET     /api/v1/notices                                                     notice.see          -
GET     /api/v1/notices/choices                                             notice.see          -
PUT     /api/v1/notices/choices                                             notice.choose       -
POST    /api/v1/notices/seen                                                notice.see          -
POST    /api/v1/offers                                                      offer.draft         buying:offer.negotiate
GET     /api/v1/offers                                                      offer.see           -
GET     /api/v1/offers/<id:offer_id>                                        offer.see           offer
PATCH   /api/v1/offers/<id:offer_id>                                        offer.draft         offer:offer.negotiate
DELETE  /api/v1/offers/<id:offer_id>                                        offer.draft         offer:offer.negotiate
POST    /api/v1/offers/<id:offer_id>/attachments                            offer.negotiate     offer
GET     /api/v1/offers/<id:offer_id>/differences                            offer.see           offer
GET     /api/v1/offers/<id:offer_id>/instalments                            money.see           offer
GET     /api/v1/offers/<id:offer_id>/long-form                              offer.see           offer
POST    /api/v1/offers/<id:offer_id>/long-form                              offer.long_form     offer
GET     /api/v1/offers/<id:offer_id>/materials                              material.see        deal
POST    /api/v1/offers/<id:offer_id>/materials                              material.step       deal
GET     /api/v1/offers/<id:offer_id>/memo                                   offer.see           memo
GET     /api/v1/offers/<id:offer_id>/memo.json                              offer.see           memo
GET     /api/v1/offers/<id:offer_id>/memo.pdf                               offer.see           memo
POST    /api/v1/offers/<id:offer_id>/notes                                  offer.note          offer
POST    /api/v1/offers/<id:offer_id>/overrides                              offer.override      offer
POST    /api/v1/offers/<id:offer_id>/steps                                  offer.step          offer~
GET     /api/v1/organisations                                               look_up             -
PUT     /api/v1/organisations/<id:organisation_id>/suspension               organisation.admit  organisation
DELETE  /api/v1/organisations/<id:organisation_id>/suspension               organisation.admit  organisation
POST    /api/v1/payments/<id:payment_id>/undoing                            money.mark          payment
POST    /api/v1/plays/<id:play_id>/progress                                 asset.see           play
GET     /api/v1/refusals                                                    refusal.see         -
GET     /api/v1/refusals/<id:refusal_id>                                    refusal.see         refusal
POST    /api/v1/refusals/<id:refusal_id>/answer                             refusal.answer      refusal
GET     /api/v1/screener-requests                                           request.see         -
POST    /api/v1/screener-requests/<id:request_id>/declining                 asset.grant         request
POST    /api/v1/screener-requests/<id:request_id>/grant                     asset.grant         request
GET     /api/v1/search                                                      title.see           -
GET     /api/v1/titles                                                      title.see           -
POST    /api/v1/titles                                                      title.create        -
GET     /api/v1/titles/<id:title_id>                                        title.see           title
PATCH   /api/v1/titles/<id:title_id>                                        title.revise        title
POST    /api/v1/titles/<id:title_id>/assets                                 asset.send          title
GET     /api/v1/titles/<id:title_id>/assets                                 asset.send          title
POST    /api/v1/titles/<id:title_id>/avails                                 avails.ask          title
POST    /api/v1/titles/<id:title_id>/events                                 mandate.record      title
GET     /api/v1/titles/<id:title_id>/first-words                            mandate.see         title
GET     /api/v1/titles/<id:title_id>/franchise                              title.see           title
POST    /api/v1/titles/<id:title_id>/holdbacks                              mandate.record      title
GET     /api/v1/titles/<id:title_id>/holdbacks                              mandate.see         title
POST    /api/v1/titles/<id:title_id>/holds                                  mandate.record      title
GET     /api/v1/titles/<id:title_id>/holds                                  mandate.see         title
POST    /api/v1/titles/<id:title_id>/licences                               licence.record      title
GET     /api/v1/titles/<id:title_id>/licences                               mandate.see         title
POST    /api/v1/titles/<id:title_id>/links                                  title.link          title
POST    /api/v1/titles/<id:title_id>/mandates                               mandate.record      title
GET     /api/v1/titles/<id:title_id>/mandates                               mandate.see         title
POST    /api/v1/titles/<id:title_id>/options                                mandate.record      title
GET     /api/v1/titles/<id:title_id>/options                                mandate.see         title
POST    /api/v1/titles/<id:title_id>/screener-requests                      screener.request    title
GET     /api/v1/tokens                                                      token.keep          -
POST    /api/v1/tokens                                                      token.keep          -
DELETE  /api/v1/tokens/<id:token_id>                                        token.keep          token
GET     /api/v1/vocabulary                                                  look_up             -
GET     /api/v1/webhooks                                                    webhook.keep        -
POST    /api/v1/webhooks                                                    webhook.keep        -
GET     /api/v1/webhooks/<id:webhook_id>                                    webhook.keep        webhook
PATCH   /api/v1/webhooks/<id:webhook_id>                                    webhook.keep        webhook
DELETE  /api/v1/webhooks/<id:webhook_id>                                    webhook.keep        webhook
GET     /api/v1/webhooks/<id:webhook_id>/deliveries                         webhook.keep        webhook
POST    /api/v1/webhooks/<id:webhook_id>/secret                             webhook.keep        webhook
POST    /api/v1/webhooks/<id:webhook_id>/tests                              webhook.keep        webhook
GET     /                                                                   title.see           -
GET     /account                                                            look_up             -
POST    /account/address                                                    sign_in.change      -
GET     /account/address/<token>                                            open                -
POST    /account/address/<token>                                            open                -
POST    /account/address/withdrawal                                         sign_in.change      -
GET     /account/codes                                                      sign_in.change      -
POST    /account/codes                                                      sign_in.change      -
POST    /account/codes/removal                                              sign_in.change      -
POST    /account/notices                                                    notice.choose       -
GET     /account/passkeys                                                   sign_in.change      -
POST    /account/passkeys                                                   sign_in.change      -
POST    /account/passkeys/<token>                                           sign_in.change      -
POST    /account/passkeys/removal                                           sign_in.change      -
GET     /account/password                                                   password.change     -
POST    /account/password                                                   password.change     -
POST    /account/recovery-codes                                             sign_in.change      -
POST    /account/sessions/<id:session_id>/end                               session.end         session
POST    /account/sessions/end                                               session.end         -
POST    /account/tokens                                                     token.keep          -
POST    /account/tokens/<id:token_id>/removal                               token.keep          token
GET     /acting                                                             act_for             -
POST    /acting                                                             act_for             -
GET     /api/docs                                                           open                -
GET     /api/openapi.json                                                   open                -
GET     /applications                                                       organisation.admit  -
POST    /applications/<id:application_id>/admission                         organisation.admit  application
POST    /applications/<id:application_id>/declining                         organisation.admit  application
POST    /applications/<id:application_id>/sending                           organisation.admit  admitted
GET     /apply                                                              organisation.apply  -
POST    /apply                                                              organisation.apply  -
GET     /apply/<token>                                                      organisation.apply  -
POST    /apply/<token>                                                      organisation.apply  -
GET     /approvals                                                          offer.approve       -
POST    /approvals/<id:offer_id>                                            offer.approve       offer~
GET     /approvals/policy                                                   policy.see          -
POST    /approvals/policy                                                   policy.set          selling
GET     /attachments/<id:attachment_id>                                     offer.see           paper
POST    /attachments/<id:attachment_id>/completion                          offer.negotiate     paper
GET     /attachments/<id:attachment_id>/file                                offer.see           paper
POST    /attachments/<id:attachment_id>/removal                             offer.negotiate     paper
GET     /audit                                                              audit.see           -
GET     /audit.csv                                                          audit.see           -
GET     /basket                                                             basket.keep         -
POST    /basket                                                             basket.keep         buying
POST    /basket/sending                                                     basket.keep         -
POST    /basket/taking-out                                                  basket.keep         line
GET     /books                                                              books.load          -
POST    /books                                                              books.load          -
GET     /books/<id:upload_id>                                               books.load          upload
GET     /books/<id:upload_id>/answer.xlsx                                   books.load          upload
POST    /books/<id:upload_id>/load                                          books.load          upload
GET     /books/template                                                     books.load          -
GET     /briefs                                                             brief.keep          -
POST    /briefs                                                             brief.keep          -
GET     /briefs/<id:brief_id>                                               brief.keep          brief
POST    /briefs/<id:brief_id>                                               brief.keep          brief
GET     /briefs/<id:brief_id>/catalogue.<kind>                              brief.keep          brief
POST    /briefs/<id:brief_id>/link                                          brief.keep          brief
POST    /briefs/<id:brief_id>/titles                                        brief.keep          brief
GET     /data                                                               data.take           -
POST    /data                                                               data.take           -
POST    /deliveries/<id:delivery_id>/again                                  webhook.keep        delivery
GET     /for/<token>                                                        brief.open          -
GET     /healthz                                                            open                -
POST    /holds/<id:hold_id>/offer                                           offer.draft         held:offer.negotiate~
POST    /holds/<id:hold_id>/release                                         mandate.record      hold
GET     /instalments/<id:instalment_id>                                     money.see           instalment
POST    /instalments/<id:instalment_id>/payments                            money.mark          instalment
POST    /invitations                                                        member.manage       -
POST    /invitations/<id:invitation_id>/removal                             member.manage       invitation
POST    /invitations/<id:invitation_id>/sending                             member.manage       invitation
GET     /invitations/<token>                                                invitation.answer   -
POST    /invitations/<token>                                                invitation.answer   -
GET     /licences                                                           licence.see         -
GET     /licences.csv                                                       licence.see         -
GET     /licences.ics                                                       licence.see         -
POST    /licences/<id:licence_id>/termination                               licence.terminate   licence
POST    /mandates/<id:mandate_id>/ending                                    mandate.end         mandate
GET     /markets                                                            edition.see         -
POST    /markets                                                            edition.run         -
GET     /markets/<id:edition_id>                                            edition.run         edition
POST    /markets/<id:edition_id>/participants                               edition.run         edition
POST    /markets/<id:edition_id>/participants/removal                       edition.run         edition
GET     /materials/<id:material_id>                                         material.see        material
GET     /materials/<id:material_id>/file                                    material.see        file~
POST    /materials/<id:material_id>/files                                   material.deliver    material
POST    /materials/<id:material_id>/steps                                   material.step       material~
GET     /media/<id:asset_id>                                                asset.see           asset
POST    /media/<id:asset_id>/completion                                     asset.send          asset
POST    /media/<id:asset_id>/deletion                                       asset.send          asset
POST    /media/<id:asset_id>/description                                    asset.send          asset
GET     /media/<id:asset_id>/download                                       asset.see           asset~
POST    /media/<id:asset_id>/grants/<id:grant_id>/ending                    asset.grant         grant
POST    /media/<id:asset_id>/parts                                          asset.send          asset
POST    /media/<id:asset_id>/plays                                          asset.see           film~
GET     /media/<id:asset_id>/watch                                          asset.see           film~
GET     /members                                                            member.see          -
POST    /members/<id:membership_id>/removal                                 member.manage       member
POST    /members/<id:membership_id>/roles                                   member.manage       member
POST    /members/leaving                                                    member.leave        -
GET     /money                                                              money.see           -
GET     /money.csv                                                          money.see           -
GET     /notices                                                            notice.see          -
POST    /notices/seen                                                       notice.see          -
GET     /offers                                                             offer.see           -
GET     /offers/<id:offer_id>                                               offer.see           offer
POST    /offers/<id:offer_id>/attachments                                   offer.negotiate     offer
POST    /offers/<id:offer_id>/discarding                                    offer.draft         offer:offer.negotiate
POST    /offers/<id:offer_id>/draft                                         offer.draft         offer:offer.negotiate
POST    /offers/<id:offer_id>/instead                                       offer.negotiate     offer~
POST    /offers/<id:offer_id>/long-form                                     offer.long_form     offer
GET     /offers/<id:offer_id>/materials                                     material.see        deal
POST    /offers/<id:offer_id>/materials                                     material.step       deal
GET     /offers/<id:offer_id>/memo.json                                     offer.see           memo
GET     /offers/<id:offer_id>/memo.pdf                                      offer.see           memo
POST    /offers/<id:offer_id>/notes                                         offer.note          offer
POST    /offers/<id:offer_id>/overrides                                     offer.override      offer
POST    /offers/<id:offer_id>/steps                                         offer.step          offer~
POST    /organisations/<id:organisation_id>/resumption                      organisation.admit  organisation
POST    /organisations/<id:organisation_id>/suspension                      organisation.admit  organisation
POST    /payments/<id:payment_id>/undoing                                   money.mark          payment
POST    /plays/<id:play_id>/progress                                        asset.see           play
GET     /proof                                                              look_up             -
POST    /proof                                                              sign_in.change      -
GET     /readyz                                                             open                -
GET     /recovery                                                           open                -
POST    /recovery                                                           open                -
GET     /recovery/<token>                                                   open                -
POST    /recovery/<token>                                                   open                -
GET     /refusals                                                           refusal.see         -
POST    /refusals/<id:refusal_id>/answer                                    refusal.answer      refusal
POST    /screener-requests/<id:request_id>/declining                        asset.grant         request
POST    /screener-requests/<id:request_id>/grant                            asset.grant         request
GET     /screeners                                                          asset.grant         -
GET     /searches                                                           search.save         -
POST    /searches                                                           search.save         -
POST    /searches/<id:search_id>/removal                                    search.save         search
POST    /searches/<id:search_id>/seen                                       search.save         search
GET     /sign-in                                                            open                -
POST    /sign-in                                                            open                -
GET     /sign-in/code                                                       open                -
POST    /sign-in/code                                                       open                -
GET     /sign-in/lost                                                       open                -
GET     /sign-in/passkey                                                    open                -
POST    /sign-in/passkey                                                    open                -
POST    /sign-in/passkey/<token>                                            open                -
GET     /sign-in/recovery-code                                              open                -
POST    /sign-in/recovery-code                                              open                -
GET     /sign-in/second                                                     open                -
POST    /sign-in/second                                                     open                -
POST    /sign-out                                                           open                -
GET     /slate                                                              mandate.see         -
POST    /slate                                                              title.create        -
POST    /slate/proposals                                                    offer.draft         selling:offer.negotiate
GET     /static/<path:filename>                                             open                -
POST    /stored                                                             object.reach        -
GET     /stored/<path:key>                                                  object.reach        -
PUT     /stored/<path:key>                                                  object.reach        -
GET     /suggestions                                                        title.see           -
GET     /titles/<id:title_id>                                               title.see           title
GET     /titles/<id:title_id>/audience                                      audience.see        title
POST    /titles/<id:title_id>/audience                                      title.revise        title
GET     /titles/<id:title_id>/franchise                                     title.see           title
GET     /titles/<id:title_id>/grants                                        asset.grant         title
POST    /titles/<id:title_id>/grants                                        asset.grant         title
POST    /titles/<id:title_id>/holds                                         mandate.record      title
POST    /titles/<id:title_id>/licences                                      licence.record      title
POST    /titles/<id:title_id>/links                                         title.link          title
POST    /titles/<id:title_id>/mandates                                      mandate.record      title
GET     /titles/<id:title_id>/media                                         asset.see           title
POST    /titles/<id:title_id>/media                                         asset.send          title
POST    /titles/<id:title_id>/offers                                        offer.draft         title:offer.negotiate
POST    /titles/<id:title_id>/options                                       mandate.record      title
GET     /titles/<id:title_id>/rights                                        title.see           title
GET     /titles/<id:title_id>/rights.csv                                    title.see           title
POST    /titles/<id:title_id>/screener-requests                             screener.request    title
POST    /titles/<id:title_id>/status                                        title.revise        title
GET     /webhooks                                                           webhook.keep        -
POST    /webhooks                                                           webhook.keep        -
GET     /webhooks/<id:webhook_id>                                           webhook.keep        webhook
POST    /webhooks/<id:webhook_id>                                           webhook.keep        webhook
POST    /webhooks/<id:webhook_id>/removal                                   webhook.keep        webhook
POST    /webhooks/<id:webhook_id>/secret                                    webhook.keep        webhook
POST    /webhooks/<id:webhook_id>/tests                                     webhook.keep        webhook
GET     /your-screeners                                                     asset.see           -
"""


class Route(NamedTuple):
    method: str
    path: str
    action: str
    kind: str       # of record; "-" for none
    decides: str    # the action that is asked of the record
    further: bool   # whether its life decides, too

    @property
    def name(self):
        return f"{self.method} {self.path}"

    @property
    def api(self):
        return self.path.startswith("/api/v1/")

    @property
    def unsafe(self):
        return self.method != "GET"


def read(table):
    """{"GET /titles/<id:title_id>": Route}"""
    found = {}
    for line in filter(None, map(str.strip, table.splitlines())):
        method, path, action, record = line.split()
        record, _, decides = record.rstrip("~").partition(":")
        route = Route(method, path, action, record, decides or action, line.endswith("~"))
        assert route.name not in found, f"{route.name} stands twice in the table"
        found[route.name] = route
    return found


ROUTES = read(TABLE)

# ------------------------------------------------------------------ what is sent

TODAY, SOON = str(date.today()), str(date.today() + timedelta(days=40))
LINE = a_line("HK", "svod", "2027-01-01", "2028-12-31")
FORM = {name: ",".join(each) if isinstance(each, list) else str(each).lower() for name, each in LINE.items()}
GRANT = {"starts_on": TODAY, "ends_on": SOON}
FILE = {"filename": "a.pdf", "content_type": "application/pdf", "size": 1000}
POSTER = {"kind": "poster", "filename": "a.png", "content_type": "image/png", "size": 1000, "sha256": "0" * 64}
OPTION = {"kind": "first_refusal", "territories": ["Nordics"], "media": ["all"], "days": 20}
POLICY = {"exclusive": True, "below_floor": True, "years": None, "warning": True, "encumbrance": True, "amount": None,
          "currency": None}
STEP = {"action": "decline", "note": "Because.", "version": 1}
SHA = {"sha256": "0" * 64}
ASKS = {"organisation_name": "Ebb and Flow", "country": "NO", "trades": ["buyer"], "name": "Ida Dahl",
        "email": "ida@ebb.test", "about": "We show films on ferries."}
HOOK = {"url": "https://hooks.harbour.example/two", "events": ["offer.step"]}
EDITION = {"name": "Ebb Market", "year": "2027", "starts_on": "2027-03-15", "ends_on": "2027-03-18"}
INVITES = {"email": "new@harbour.test", "roles": ["finance"]}
TOKEN = {"name": "Books", "scopes": ["read"], "expires_on": SOON}
PASSPHRASE = "a tide that keeps its own books"


def _priced(house):
    return [{**LINE, "title_id": str(house.title), "price": "100"}]


# Each is of (houses, the record's ids); of an address outside /api/v1 it is a form, or with "json" what a script sends.
BODIES = {
    "PATCH /api/v1/assets/<id:asset_id>": lambda house, ids: {"alt_text": "A ferry."},
    "POST /api/v1/assets/<id:asset_id>/completion": lambda house, ids: SHA,
    "POST /api/v1/assets/<id:asset_id>/grants": lambda house, ids: {**GRANT, "organisation": house.id("sakura")},
    "POST /api/v1/assets/<id:asset_id>/parts": lambda house, ids: {"numbers": [1]},
    "POST /api/v1/attachments/<id:attachment_id>/completion": lambda house, ids: SHA,
    "POST /api/v1/basket": lambda house, ids: {**LINE, "title_id": str(house.title)},
    "POST /api/v1/basket/sending": lambda house, ids: {"offers": [
        {"seller": house.id("harbour"), "as": "request", "currency": "EUR", "lines": [{"id": "999999"}]}]},
    "POST /api/v1/holdbacks/<id:holdback_id>/ending": lambda house, ids: {"from": "2027-03-01"},
    "POST /api/v1/holds/<id:hold_id>/offer": lambda house, ids: {"currency": "EUR"},
    "POST /api/v1/instalments/<id:instalment_id>/payments": lambda house, ids: {"paid_on": TODAY},
    "POST /api/v1/licences/<id:licence_id>/termination": lambda house, ids: {"from": "2028-01-01"},
    "POST /api/v1/mandates/<id:mandate_id>/ending": lambda house, ids: {"from": "2028-01-01"},
    "POST /api/v1/materials/<id:material_id>/steps": lambda house, ids: {"action": "reject", "note": "Too dark."},
    "PUT /api/v1/notices/choices": lambda house, ids: {"choices": {}},
    "POST /api/v1/notices/seen": lambda house, ids: {"upto": 1},
    "POST /api/v1/offers": lambda house, ids: {
        "seller": house.id("harbour"), "currency": "EUR", "lines": _priced(house)},
    "PATCH /api/v1/offers/<id:offer_id>": lambda house, ids: {"currency": "USD"},
    "POST /api/v1/offers/<id:offer_id>/attachments": lambda house, ids: FILE,
    "POST /api/v1/offers/<id:offer_id>/long-form": lambda house, ids: {"state": "drafted"},
    "POST /api/v1/offers/<id:offer_id>/materials": lambda house, ids: {"title_id": str(house.title), "kind": "master"},
    "POST /api/v1/offers/<id:offer_id>/notes": lambda house, ids: {"text": "Ask the board."},
    "POST /api/v1/offers/<id:offer_id>/overrides": lambda house, ids: {"note": "Because."},
    "POST /api/v1/offers/<id:offer_id>/steps": lambda house, ids: STEP,
    "POST /api/v1/payments/<id:payment_id>/undoing": lambda house, ids: {"note": "By mistake."},
    "POST /api/v1/plays/<id:play_id>/progress": lambda house, ids: {"seconds": 3},
    "PUT /api/v1/approval-policy": lambda house, ids: POLICY,
    "POST /api/v1/refusals/<id:refusal_id>/answer": lambda house, ids: {"answer": "pass"},
    "POST /api/v1/screener-requests/<id:request_id>/declining": lambda house, ids: {"reply": "Not yet."},
    "POST /api/v1/screener-requests/<id:request_id>/grant": lambda house, ids: {
        **GRANT, "asset_id": str(house.screener)},
    "POST /api/v1/titles": lambda house, ids: {"kind": "film", "original_title": "Ebb"},
    "PATCH /api/v1/titles/<id:title_id>": lambda house, ids: {"year": 2027},
    "POST /api/v1/titles/<id:title_id>/assets": lambda house, ids: POSTER,
    "POST /api/v1/titles/<id:title_id>/avails": lambda house, ids: LINE,
    "POST /api/v1/titles/<id:title_id>/events": lambda house, ids: {"event": "release", "happens_on": "2027-05-01"},
    "POST /api/v1/titles/<id:title_id>/holdbacks": lambda house, ids: {
        **{name: LINE[name] for name in ("territories", "media", "starts_on", "ends_on")}, "hard": False},
    "POST /api/v1/titles/<id:title_id>/holds": lambda house, ids: {
        **LINE, "organisation": house.id("sakura"), "expires_at": f"{SOON}T12:00:00Z", "rank": None},
    "POST /api/v1/titles/<id:title_id>/licences": lambda house, ids: {**LINE, "licensee": "Formosa Stream"},
    "POST /api/v1/titles/<id:title_id>/links": lambda house, ids: {
        "kind": "remake_of", "title_id": str(house.title)},
    "POST /api/v1/titles/<id:title_id>/mandates": lambda house, ids: LINE,
    "POST /api/v1/titles/<id:title_id>/options": lambda house, ids: {**OPTION, "organisation": house.id("nordlys")},
    "POST /api/v1/applications/<id:application_id>/admission": lambda house, ids: {},
    "POST /api/v1/applications/<id:application_id>/declining": lambda house, ids: {"reason": "Not of the trade."},
    "POST /api/v1/editions": lambda house, ids: {**EDITION, "year": 2027},
    "POST /api/v1/editions/<id:edition_id>/participants": lambda house, ids: {"organisation": house.id("skyway")},
    "PATCH /api/v1/members/<id:membership_id>": lambda house, ids: {"roles": ["finance"]},
    "POST /api/v1/invitations": lambda house, ids: INVITES,
    "POST /api/v1/tokens": lambda house, ids: TOKEN,
    "POST /api/v1/data": lambda house, ids: {"as": "json"},
    "POST /api/v1/webhooks": lambda house, ids: HOOK,
    "PATCH /api/v1/webhooks/<id:webhook_id>": lambda house, ids: {"active": False},
    "POST /titles/<id:title_id>/audience": lambda house, ids: {
        "who": "organisations", "organisation": house.id("nordlys")},
    "POST /acting": lambda house, ids: {"organisation": house.id("harbour")},
    "POST /account/address": lambda house, ids: {"address": "another@harbour.test"},
    "POST /account/notices": lambda house, ids: {"offers-bell": "on"},
    "POST /account/tokens": lambda house, ids: TOKEN,
    "POST /apply": lambda house, ids: ASKS,
    "POST /applications/<id:application_id>/admission": lambda house, ids: {"organisation_name": "Another Name"},
    "POST /applications/<id:application_id>/declining": lambda house, ids: {"reason": "Not of the trade."},
    "POST /data": lambda house, ids: {"as": "json"},
    "POST /invitations": lambda house, ids: INVITES,
    "POST /invitations/<token>": lambda house, ids: {"name": "Ida Dahl", "password": PASSPHRASE},
    "POST /markets": lambda house, ids: EDITION,
    "POST /markets/<id:edition_id>/participants": lambda house, ids: {"organisation": house.id("skyway")},
    "POST /markets/<id:edition_id>/participants/removal": lambda house, ids: {"organisation": house.id("sakura")},
    "POST /members/<id:membership_id>/roles": lambda house, ids: {"roles": ["finance"]},
    "POST /recovery": lambda house, ids: {"email": "agent@harbour.test"},
    "POST /webhooks": lambda house, ids: HOOK,
    "POST /webhooks/<id:webhook_id>": lambda house, ids: {**HOOK, "active": "on"},
    "POST /approvals/<id:offer_id>": lambda house, ids: {"action": "reject", "note": "Because.", "version": "1"},
    "POST /attachments/<id:attachment_id>/completion": lambda house, ids: {"json": SHA},
    "POST /basket": lambda house, ids: {**FORM, "title_id": str(house.title)},
    "POST /basket/taking-out": lambda house, ids: {"line": str(ids["line_id"])},
    "POST /instalments/<id:instalment_id>/payments": lambda house, ids: {"paid_on": TODAY},
    "POST /licences/<id:licence_id>/termination": lambda house, ids: {"from": "2028-01-01"},
    "POST /mandates/<id:mandate_id>/ending": lambda house, ids: {"from": "2028-01-01"},
    "POST /materials/<id:material_id>/files": lambda house, ids: {"json": POSTER},
    "POST /materials/<id:material_id>/steps": lambda house, ids: {"action": "reject", "note": "Too dark."},
    "POST /media/<id:asset_id>/completion": lambda house, ids: {"json": SHA},
    "POST /media/<id:asset_id>/parts": lambda house, ids: {"json": {"numbers": [1]}},
    "POST /notices/seen": lambda house, ids: {"upto": "1"},
    "POST /offers/<id:offer_id>/attachments": lambda house, ids: {"json": FILE},
    "POST /offers/<id:offer_id>/draft": lambda house, ids: {
        "currency": "EUR", "lines-0-title_id": str(house.title), "lines-0-price": "100",
        **{f"lines-0-{name}": each for name, each in FORM.items()}},
    "POST /offers/<id:offer_id>/instead": lambda house, ids: {"line": str(ids.get("line_id", 1)), "kind": "part"},
    "POST /offers/<id:offer_id>/long-form": lambda house, ids: {"state": "drafted"},
    "POST /offers/<id:offer_id>/notes": lambda house, ids: {"text": "Ask the board."},
    "POST /offers/<id:offer_id>/overrides": lambda house, ids: {"note": "Because."},
    "POST /offers/<id:offer_id>/steps": lambda house, ids: STEP,
    "POST /payments/<id:payment_id>/undoing": lambda house, ids: {"note": "By mistake."},
    "POST /plays/<id:play_id>/progress": lambda house, ids: {"json": {"seconds": 3}},
    "POST /refusals/<id:refusal_id>/answer": lambda house, ids: {"answer": "pass"},
    "POST /slate/proposals": lambda house, ids: {
        "title_id": str(house.title), "buyer": house.id("sakura"), "currency": "EUR",
        **{f"p-{name}": each for name, each in FORM.items()}},
    "POST /titles/<id:title_id>/media": lambda house, ids: {"json": POSTER},
    "POST /titles/<id:title_id>/offers": lambda house, ids: {**FORM, "buyer": house.id("sakura"), "currency": "EUR"},
    "POST /titles/<id:title_id>/status": lambda house, ids: {"status": "published"},
    "POST /holds/<id:hold_id>/offer": lambda house, ids: {"currency": "EUR"},
}
QUERIES = {"GET /api/v1/offers/<id:offer_id>/differences": "?from=1&to=1"}
