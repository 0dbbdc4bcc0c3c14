"""What a deal memo says: its parts, each frozen as data and in the words that stand on paper.

A part is {key, heading, words, table, data}: `words` are paragraphs, `table` groups of rows [what, said, language of
what is said or None], `data` the same for programs. Whoever has more to say of a deal adds a function to PARTS.
"""
from accounts.models import Organisation
from catalogue.models import Title
from core import clock
from core.money import Money, digits
from licensing import avails, terms, wording
from licensing.delivery import lists
from licensing.delivery.models import Kind
from licensing.models import Offer, OfferLine
from licensing.money.prices import Plan, Pricing
from licensing.rights import languages, media, territories
from licensing.terms import Terms

FORM = "slate-deal-memo-1"
GOVERNING = ("This memo binds both parties once both have signed it, and governs the deal until a long form agreement "
             "replaces it. It is governed by the law of the licensor’s country, whose courts decide. Rights that it "
             "does not name are not granted.")
IDENTIFIERS = {"eidr": "EIDR", "isan": "ISAN", "imdb": "IMDb"}
KINDS = {Kind.MASTER: "master", Kind.DUB: "dub", Kind.MUSIC_AND_EFFECTS: "music and effects",
         Kind.SUBTITLES: "subtitles", Kind.ART: "art", Kind.CHAIN_OF_TITLE: "chain of title"}


def document(offer: Offer, governing: str) -> dict:
    """The whole memo of an offer's current version."""
    return {"form": FORM, "offer_id": str(offer.id), "version": offer.number,
            "amends": offer.root_id and str(offer.root_id), "issued_on": clock.today().isoformat(),
            "heading": f"Amendment of deal {offer.root_id}" if offer.root_id else f"Deal memo {offer.id}",
            "parts": [part for make in PARTS if (part := make(offer, governing))]}


def part(key: str, heading: str, words=(), table=(), data=None) -> dict:
    return {"key": key, "heading": heading, "words": list(words), "table": list(table), "data": data}


def parties(offer: Offer, _governing) -> dict:
    sides = (("licensor", offer.seller), ("licensee", offer.buyer))
    amends = [f"This amends the deal of offer {offer.root_id}. Once both have signed, its terms take the place of "
              "those agreed before; what happened under those stands."] if offer.root_id else []
    return part("parties", "Parties", amends, [[[side.capitalize(), _party(house), None] for side, house in sides]],
                {side: {"id": str(house.id), "name": house.name, "country": house.country} for side, house in sides})


def _party(house: Organisation) -> str:
    country = house.country and wording.facet("country", house.country)
    return f"{house.name}, {country}" if country else house.name


def titles(offer: Offer, _governing) -> dict:
    found = list({line.title_id: line.title for line in offer.current.lines}.values())
    return part("titles", "Titles" if len(found) > 1 else "Title", (), [_title_rows(each) for each in found], [
        {"id": str(each.id), "original_title": each.original_title, "original_language": each.original_language,
         "english_title": each.english_title, "kind": each.kind, "year": each.year, "identifiers": each.identifiers}
        for each in found])


def _title_rows(title: Title):
    facts = [title.kind.capitalize(), *([str(title.year)] if title.year else [])]
    known = [f"{IDENTIFIERS.get(kind, kind)} {value}" for kind, value in sorted((title.identifiers or {}).items())]
    return [["Original title", title.original_title, title.original_language],
            *([["English title", title.english_title, "en"]] if title.english_title else []),
            ["Kind", ", ".join(facts), None], ["Identifiers", ", ".join([*known, f"Slate {title.id}"]), None]]


def rights(offer: Offer, _governing) -> dict:
    """What is granted, line by line: the words here, each leaf in the annex."""
    lines = [(line, terms.of_row(line)) for line in offer.current.lines]
    return part("rights", "Rights granted", [
        _granted(place, line, said) for place, (line, said) in enumerate(lines, 1)] + [
        "Both days of a window are included. Each line is set out in full in the annex, which is a part of this memo."],
        (), [_exact(line, said) for line, said in lines])


def _granted(place: int, line: OfferLine, said: Terms) -> str:
    days = f"from {wording.day(said.starts_on)} " + (
        f"to {wording.day(said.ends_on)}" if said.ends_on else "in perpetuity")
    manner = "exclusively" if said.exclusive else "non-exclusively"
    more = [f"{said.runs} run{'s' if said.runs != 1 else ''}" if said.runs else "",
            "with media that come later" if said.hereafter else "",
            "with seasons and episodes that come later" if said.future else "",
            *(_announced(end, each) for end, each in (said.tba or {}).items())]
    return (f"{place}. {line.title.original_title}: {manner}, {wording.named(said, 'media')}, in "
            f"{wording.named(said, 'territories')}, {wording.named(said, 'languages')}, "
            f"{', '.join([days, *filter(None, more)])}.")


def _announced(end: str, said: dict) -> str:
    lag = f"{said['lag_days']} days after {said['event']}" if said.get("lag_days") else said["event"]
    return (f"{end[:-1]}ing with {lag}, between {wording.day_of(said['not_before'])} and "
            f"{wording.day_of(said['not_after'])}")


def _exact(line: OfferLine, said: Terms) -> dict:
    """A line as leaves: what the licence will be written with."""
    return {"title_id": str(line.title_id), **said.as_json(), "written": said.written,
            "territories": territories.codes(said.territories), "media": media.codes(said.media),
            "languages": languages.codes(said.languages), "runs": said.runs, "tba": said.tba}


def money(offer: Offer, _governing) -> dict:
    lines = offer.current.lines
    prices = [Money(line.price, offer.currency) for line in lines]
    total = Money(sum(each.amount for each in prices), offer.currency)
    kinds = [Pricing.of(line.pricing).words(offer.currency) for line in lines]
    rows = [[f"Line {place}", f"{line.title.original_title}: {price}, {kind}", line.title.original_language]
            for place, (line, price, kind) in enumerate(zip(lines, prices, kinds, strict=True), 1)]
    said = "The price of an amendment is what the deal costs in all." if offer.root_id else ""
    return part("money", "Price", filter(None, [said]), [[*rows, ["Total", str(total), None]]], {
        "currency": offer.currency, "total": _amount(total), "lines": [
            {"price": _amount(price), "pricing": line.pricing} for line, price in zip(lines, prices, strict=True)]})


def payment(offer: Offer, _governing) -> dict:
    """When the price is paid, and what is withheld of it."""
    plan, total = Plan.of(offer.current.payment), sum(line.price for line in offer.current.lines)
    rows = [[f"Instalment {place}", f"{plan.words(place - 1, offer.currency)}: {Money(amount, offer.currency)}", None]
            for place, amount in enumerate(plan.amounts(total, offer.currency), 1)]
    tax = [f"Withholding tax: {plan.withholding_tax}."] if plan.withholding_tax else []
    return part("payment", "Payment", [f"Each instalment is due within {plan.days} days of its milestone.", *tax],
                [rows], offer.current.payment)


def _amount(money: Money) -> str:
    return f"{money.amount:.{digits(money.currency)}f}"


def delivery(offer: Offer, _governing) -> dict:
    """The materials that the signature will order."""
    wanted = lists.wanted([(line.title_id, avails.leaves(line.title_id), terms.of_row(line).languages)
                           for line in offer.current.lines])
    kinds = {}
    for _, kind, language in wanted:
        tongues = kinds.setdefault(kind, {})
        tongues[languages.name(language) if language else ""] = None
    said = ["; ".join(KINDS[kind] + (f" in {', '.join(sorted(filter(None, tongues)))}" if any(tongues) else
                                     " in languages the licensee names" if kind in lists.USES else "")
                      for kind, tongues in kinds.items())]
    return part("delivery", "Delivery", [
        f"For every title, as far as it applies: {said[0]}.",
        f"The list of materials opens with the second signature. The licensee accepts or rejects within "
        f"{lists.QC_DAYS} days of delivery; without an answer it counts as accepted."], (), {
        "qc_days": lists.QC_DAYS, "materials": [{"title_id": str(title_id), "kind": kind.value, "language": language}
                                                for title_id, kind, language in wanted]})


def governed(offer: Offer, governing: str) -> dict:
    return part("governing", "Governing text", governing.splitlines(), (), governing)


def annex(offer: Offer, _governing) -> dict:
    """Each line in full: every territory, medium and language by name."""
    first = {}  # the line that has the same territories: hundreds of names are written once
    return part("annex", "Annex: the rights in full", (), [
        _annexed(place, line, said, first.setdefault(said.territories, place))
        for place, line in enumerate(offer.current.lines, 1) for said in [terms.of_row(line)]])


def _annexed(place, line, said, like):
    tongues = ["every language in every use, listed or not"] if said.languages == languages.ALL else [
        languages.label(languages.read([each])) for each in languages.short(said.languages)]
    codes = territories.codes(said.territories)
    where = ", ".join(f"{territories.name(code)} ({code})" for code in codes)
    return [[f"Line {place}", line.title.original_title, line.title.original_language],
            ["Grant", "exclusive" if said.exclusive else "non-exclusive", None],
            ["Media", ", ".join(media.label(media.read([code])) for code in media.codes(said.media)), None],
            [f"Territories, {len(codes)}", where if like == place else f"as in line {like}", None],
            ["Languages", ", ".join(tongues), None],
            ["First day", said.starts_on.isoformat(), None],
            ["Last day", said.ends_on.isoformat() if said.ends_on else "none: in perpetuity", None],
            *([["Runs", str(said.runs), None]] if said.runs else [])]


PARTS = [parties, titles, rights, money, payment, delivery, governed, annex]  # in the order of the pages
