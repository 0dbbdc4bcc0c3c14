"""The outside contract: what api.md promises, called as a client calls it."""
import json
from collections import Counter

import pytest

from search import worker
from tests.conftest import a_line, both
from tests.test_pages import Visitor

TITLE = {"kind": "film", "original_title": "海霧", "original_language": "yue", "year": 2026, "status": "published",
         "titles": [{"language": "en", "value": "Sea Fog", "kind": "translated"}], "countries": ["HK"],
         "genres": ["Drama"], "synopsis": {"en": "A lighthouse is sold."},
         "credits": [{"role": "director", "name": "A B"}]}
WHOLE = a_line("World", "all", "2020-01-01", None)


@pytest.fixture
def seller(caller):
    return caller("agent@harbour.test")


@pytest.fixture
def manager(caller):
    return caller("rights@harbour.test")


@pytest.fixture
def buyer(caller):
    return caller("buyer@sakura.test")


@pytest.fixture
def title(seller):
    """A published title with the whole world in."""
    made = seller.post("/titles", TITLE)
    assert made.status_code == 201, made.json
    assert seller.post(f"/titles/{made.json['id']}/mandates", WHOLE).status_code == 201
    return made.json["id"]


def problem(response, status):
    assert response.status_code == status, response.get_data(as_text=True)
    assert response.content_type == "application/problem+json"
    body = json.loads(response.data)
    assert {"type", "title", "status"} <= body.keys() and body["status"] == status
    return body


# ------------------------------------------------------------------ the journey

def test_from_is_it_free_to_a_signed_licence(seller, manager, buyer, title):
    asked = a_line("HK,TW,SG")
    found = buyer.get("/search?q=sea+fog&territories=HK,TW,SG&media=svod&starts_on=2027-01-01&ends_on=2029-12-31"
                      "&exclusive=true")
    assert found.status_code == 404 or found.json["total"] in (0, 1)  # the index follows; availability does not wait
    assert buyer.post(f"/titles/{title}/avails", asked).json["verdict"] == "available"
    me = seller.get("/me").json["organisations"][0]["id"]
    drafted = buyer.post("/offers", {"seller": me, "currency": "USD", "lines": [
        {**asked, "title_id": title, "price": "40000"}]})
    assert drafted.status_code == 201, drafted.json
    offer = drafted.json["id"]
    assert drafted.json["state"] == "draft"
    problem(seller.get(f"/offers/{offer}"), 404)  # nobody else sees a draft

    def step(who, action, **more):
        return who.post(f"/offers/{offer}/steps", {"action": action, **more})

    assert step(buyer, "submit").json["state"] == "submitted"
    problem(step(buyer, "accept", version=1), 403)
    countered = step(seller, "counter", note="More", lines=[
        {**a_line("HK,TW,SG", starts_on="2027-03-01"), "title_id": title, "price": 46000}])
    assert countered.status_code == 201, countered.json
    assert problem(step(buyer, "accept", version=1), 409)["version"] == 2
    assert step(buyer, "accept", version=2).status_code == 201
    shown = seller.get(f"/offers/{offer}").json
    assert shown["state"] == "pending_approval"
    changed = {change["term"]: (change["before"], change["after"]) for change in shown["versions"][1]["changes"]}
    assert changed == {"starts_on": ("1 Jan 2027", "1 Mar 2027"), "price": ("40,000", "46,000")}
    problem(step(seller, "approve"), 403)
    assert step(manager, "approve").status_code == 201
    assert step(seller, "issue_memo").status_code == 201
    problem(step(seller, "sign"), 403)
    assert step(buyer, "sign").json["state"] == "signed_one"
    problem(step(buyer, "sign"), 403)
    assert buyer.post(f"/titles/{title}/avails", asked).json["verdict"] == "available", "one signature sells nothing"
    assert step(manager, "sign").json["state"] == "signed"

    after = buyer.post(f"/titles/{title}/avails", asked).json
    assert after["verdict"] == "partial"
    assert [reason["code"] for reason in after["reasons"]] == ["RIGHTS_OUT"]
    licences = buyer.get("/licences").json
    assert any(line["title_id"] == title for licence in licences for line in licence["lines"])
    assert buyer.get(f"/offers/{offer}").json["actions"] == ["amend"]


def test_a_manager_never_approves_a_version_of_their_own(manager, buyer, title):
    me = manager.get("/me").json["organisations"][0]["id"]
    offer = buyer.post("/offers", {"seller": me, "currency": "USD",
                                   "lines": [{**a_line(), "title_id": title, "price": 1}]}).json["id"]
    for who, body in ((buyer, {"action": "submit"}),
                      (manager, {"action": "counter", "lines": [{**a_line(), "title_id": title, "price": 2}]}),
                      (buyer, {"action": "accept", "version": 2})):
        assert who.post(f"/offers/{offer}/steps", body).status_code == 201
    assert "approve" not in manager.get(f"/offers/{offer}").json["actions"]
    problem(manager.post(f"/offers/{offer}/steps", {"action": "approve"}), 403)


@both
def test_an_offer_whose_rights_went_to_somebody_else_is_superseded_and_told_why(fresh):
    from tests.conftest import Caller
    app = fresh(seeded=True)
    seller, manager = Caller(app, "agent@harbour.test"), Caller(app, "rights@harbour.test")
    title = seller.post("/titles", TITLE).json["id"]
    seller.post(f"/titles/{title}/mandates", WHOLE)
    me = seller.get("/me").json["organisations"][0]["id"]
    offers = {}
    for email in ("buyer@sakura.test", "buyer@nordlys.test"):
        buyer = Caller(app, email)
        offer = buyer.post("/offers", {"seller": me, "currency": "USD", "lines": [
            {**a_line("HK,TW" if "sakura" in email else "TW,SG"), "title_id": title, "price": 5}]}).json["id"]
        for who, body in ((buyer, {"action": "submit"}), (seller, {"action": "accept", "version": 1}),
                          (manager, {"action": "approve"}), (seller, {"action": "issue_memo"}),
                          (buyer, {"action": "sign"})):
            assert who.post(f"/offers/{offer}/steps", body).status_code == 201
        offers[email] = (buyer, offer)
    (first, one), (second, other) = offers.values()
    assert manager.post(f"/offers/{one}/steps", {"action": "sign"}).status_code == 201
    body = problem(manager.post(f"/offers/{other}/steps", {"action": "sign"}), 409)
    assert [reason["code"] for reason in body["reasons"]] == ["RIGHTS_OUT"]
    assert body["reasons"][0]["deal"]["licensee"] == "Sakura TV", "the seller sees which deal"
    shown = second.get(f"/offers/{other}").json
    assert shown["state"] == "superseded"
    assert shown["steps"][-1]["note"]
    assert "Sakura" not in json.dumps(shown), "the other buyer never learns to whom"


# ------------------------------------------------------------------ titles

def test_a_title_round_trips(seller):
    made = seller.post("/titles", {**TITLE, "external_id": "X-1", "identifiers": {"imdb": "tt0133093"}})
    assert made.status_code == 201
    shown = seller.get(f"/titles/{made.json['id']}")
    assert shown.json["seller"]["name"] == "Harbour Pictures"
    assert isinstance(shown.json["id"], str)
    for name in ("kind", "original_title", "year", "countries", "genres", "synopsis", "credits", "status"):
        assert shown.json[name] == TITLE[name]
    assert {"language": "en", "value": "Sea Fog", "kind": "translated"} in shown.json["titles"]
    assert problem(seller.post("/titles", {**TITLE, "external_id": "X-1"}), 422)["errors"]["external_id"]


def test_a_patch_names_the_revision_it_was_made_against(seller, title):
    path = f"/titles/{title}"
    tag = seller.get(path).headers["ETag"]
    problem(seller.patch(path, {"year": 2027}), 428)
    changed = seller.patch(path, {"year": 2027}, If_Match=tag)
    assert changed.status_code == 200 and changed.json["year"] == 2027
    assert changed.headers["ETag"] != tag
    problem(seller.patch(path, {"year": 2028}, If_Match=tag), 412)
    assert seller.get(path).json["titles"], "what is not sent stays"


def test_links_make_a_franchise_in_order_and_never_a_circle(seller):
    a, b, c = (seller.post("/titles", {**TITLE, "original_title": name, "year": year}).json["id"]
               for name, year in (("One", 2020), ("Two", 2022), ("Three", 2024)))
    assert seller.post(f"/titles/{b}/links", {"kind": "sequel_of", "title_id": a}).status_code == 201
    assert seller.post(f"/titles/{b}/links", {"kind": "prequel_of", "title_id": c}).status_code == 201
    problem(seller.post(f"/titles/{a}/links", {"kind": "sequel_of", "title_id": a}), 409)
    problem(seller.post(f"/titles/{a}/links", {"kind": "sequel_of", "title_id": c}), 409)
    problem(seller.post(f"/titles/{c}/links", {"kind": "prequel_of", "title_id": a}), 409)
    problem(seller.post(f"/titles/{b}/links", {"kind": "sequel_of", "title_id": a}), 409)
    found = seller.get(f"/titles/{c}/franchise").json
    assert [item["id"] for item in found["items"]] == [a, b, c]
    assert {"from_id": b, "kind": "sequel_of", "to_id": a} in found["links"]


def test_a_series_a_season_an_episode_and_nothing_else(seller):
    series = seller.post("/titles", {**TITLE, "kind": "series"}).json["id"]
    season = seller.post("/titles", {**TITLE, "kind": "season", "parent_id": series, "number": 1})
    assert season.status_code == 201 and season.json["parent_id"] == series
    problem(seller.post("/titles", {**TITLE, "kind": "film", "parent_id": series}), 422)
    problem(seller.post("/titles", {**TITLE, "kind": "episode", "parent_id": "999999"}), 422)


@pytest.mark.parametrize("wrong, field", [
    ({"kind": "movie"}, "kind"), ({"year": "soon"}, "year"), ({"countries": ["Hongkong"]}, "countries"),
    ({"original_title": ""}, "original_title"), ({"synopsis": {"en": 7}}, "synopsis"),
    ({"identifiers": {"eidr": "10.5240/7791-8534-2C23-9030-8610-6"}}, "identifiers"),
    ({"surprise": 1}, "surprise"), ({"original_title": "a\u0000b"}, "original_title")])
def test_a_wrong_shape_is_422_and_names_the_field(seller, wrong, field):
    assert field in problem(seller.post("/titles", {**TITLE, **wrong}), 422)["errors"]


def test_an_eidr_with_the_right_check_character_is_taken(seller):
    made = seller.post("/titles", {**TITLE, "identifiers": {"eidr": "10.5240/7791-8534-2C23-9030-8610-5"}})
    assert made.status_code == 201, made.json


# ------------------------------------------------------------------ rights

@pytest.mark.parametrize("wrong, field", [
    ({"territories": ["Narnia"]}, "territories"), ({"territories": []}, "territories"),
    ({"territories": ["America"]}, "territories"), ({"territories": ["HK", "-HK"]}, "territories"),
    ({"territories": ["HK"] * 10_000}, "territories"), ({"media": ["vhs tapes of old"]}, "media"),
    ({"languages": ["klingon"]}, "languages"), ({"starts_on": "2027-02-30"}, "starts_on"),
    ({"ends_on": "2026-12-31"}, "ends_on"), ({"exclusive": "perhaps"}, "exclusive")])
def test_a_line_that_means_nothing_is_422_and_names_the_field(buyer, title, wrong, field):
    assert list(problem(buyer.post(f"/titles/{title}/avails", {**a_line(), **wrong}), 422)["errors"]) == [field]


def test_nearest_codes_are_offered(buyer, title):
    said = problem(buyer.post(f"/titles/{title}/avails", a_line("Holand")), 422)["errors"]["territories"][0]
    assert "NL" in said


def test_a_licence_that_collides_or_lies_outside_is_409_with_the_reasons(seller, title):
    path = f"/titles/{title}/licences"
    done = {**a_line("TW"), "licensee": "Formosa Stream"}
    assert seller.post(path, done).status_code == 201
    assert problem(seller.post(path, done), 409)["reasons"][0]["code"] == "RIGHTS_OUT"
    early = {**a_line("HK", starts_on="2010-01-01", ends_on="2012-12-31"), "licensee": "Early Bird"}
    assert problem(seller.post(path, early), 409)["reasons"][0]["code"] == "NO_RIGHTS_IN"
    past = {**a_line("HK", starts_on="2020-01-01", ends_on="2021-12-31"), "licensee": "Past Deal"}
    assert seller.post(path, past).status_code == 201, "deals of the past may be recorded"


def test_ending_frees_the_rest_and_never_edits_a_line(seller, manager, buyer, title):
    made = seller.post(f"/titles/{title}/licences", {**a_line("TW"), "licensee": "Formosa Stream"}).json
    problem(seller.post(f"/licences/{made['id']}/termination", {"from": "2028-01-01"}), 403)
    problem(buyer.post(f"/licences/{made['id']}/termination", {"from": "2028-01-01"}), 403)
    ended = manager.post(f"/licences/{made['id']}/termination", {"from": "2028-01-01", "note": "unpaid"})
    assert ended.status_code == 201
    was, now = ended.json["lines"]
    assert was["ends_on"] == "2029-12-31" and was["counts_until"]
    assert now["ends_on"] == "2027-12-31" and now["counts_until"] is None
    free = buyer.post(f"/titles/{title}/avails", a_line("TW")).json["free"]
    assert [block["starts_on"] for block in free] == ["2028-01-01"]
    mandate = seller.get(f"/titles/{title}/mandates").json[0]
    assert manager.post(f"/mandates/{mandate['id']}/ending", {"from": "2029-01-01"}).status_code == 201
    free = buyer.post(f"/titles/{title}/avails", a_line("TW")).json["free"]
    assert [(block["starts_on"], block["ends_on"]) for block in free] == [("2028-01-01", "2028-12-31")]


def test_a_buyer_never_sees_to_whom_something_was_licensed(seller, buyer, title):
    seller.post(f"/titles/{title}/licences", {**a_line("TW"), "licensee": "Formosa Stream", "contract": "SECRET-7"})
    said = buyer.post(f"/titles/{title}/avails", a_line("TW")).get_data(as_text=True)
    assert "RIGHTS_OUT" in said
    assert "Formosa" not in said and "SECRET-7" not in said
    assert "Formosa Stream" in seller.post(f"/titles/{title}/avails", a_line("TW")).get_data(as_text=True)


def test_an_episode_sold_alone_limits_its_series(buyer, seller):
    found = buyer.get("/search?q=Ferry+Tea+House&kind=series").json["items"][0]
    answer = buyer.post(f"/titles/{found['id']}/avails", a_line("TW")).json
    assert answer["verdict"] == "partial"
    assert [block["starts_on"] for block in answer["free"]] == ["2028-04-01"]
    assert problem(seller.post(f"/titles/{found['id']}/licences", {**a_line("TW"), "licensee": "X"}), 409)


# ------------------------------------------------------------------ search

def search(who, **query):
    return who.client.get("/api/v1/search", query_string=query, headers=who.headers)


def test_search_by_words_in_any_script_and_by_what_is_free(buyer):
    line = {"territories": "HK,TW", "media": "svod", "starts_on": "2027-01-01", "ends_on": "2029-12-31",
            "exclusive": "true"}
    for words in ("tide keeps time", "潮信", "潮の便り"):
        assert "潮信" in [item["title"] for item in search(buyer, q=words).json["items"]]
    free = search(buyer, q="tide keeps", **line).json
    assert all(item["avails"]["verdict"] == "available" for item in free["items"])
    assert "潮信" not in [item["title"] for item in free["items"]], "Taiwan is gone until mid 2028"
    some = search(buyer, q="tide keeps", match="overlap", **line).json
    assert "潮信" in [item["title"] for item in some["items"]]
    assert free["total"] < some["total"]
    assert free["line"]["label"].startswith("SVOD · Hong Kong + Taiwan")
    assert set(free["facets"]) >= {"kind", "country", "language"}
    assert sum(some["facets"]["kind"].values()) == some["total"]


def test_facets_count_what_could_be_chosen_of_what_the_viewer_may_see(buyer):
    """Each counts what its own filter leaves out as well, or nobody could add a second choice."""
    line = {"territories": "HK,TW", "media": "svod", "starts_on": "2027-01-01", "ends_on": "2029-12-31"}
    every = [search(buyer, page_size=100, page=page, **line, match="overlap").json for page in (1, 2, 3)]
    items, facets = [item for each in every for item in each["items"]], every[0]["facets"]
    assert len(items) == every[0]["total"]
    by_decade = Counter(f"{item['year'] // 10}0s" for item in items if item["year"])
    assert facets["decade"] == by_decade and facets["kind"] == Counter(item["kind"] for item in items)
    assert sum(facets["seller"].values()) == len(items) and set(facets) == {
        "kind", "genre", "country", "language", "decade", "seller", "availability"}
    verdicts = Counter(item["avails"]["verdict"] for item in items)
    assert {name: facets["availability"][name] for name in ("available", "partial")} == verdicts
    [decade, seller] = max(by_decade, key=by_decade.get), max(facets["seller"], key=facets["seller"].get)
    some = search(buyer, decade=decade, seller=seller, **line, match="overlap").json
    assert 0 < some["total"] <= min(by_decade[decade], facets["seller"][seller])
    one = search(buyer, decade=decade, **line, match="overlap").json
    assert one["total"] == by_decade[decade] == sum(one["facets"]["kind"].values())
    assert one["facets"]["decade"] == by_decade, "its own filter narrows it not"
    assert search(buyer, seller="no,-1", **line).json["total"] == 0


def test_other_words_are_proposed_only_from_titles_that_the_asker_may_see(buyer, seller, world):
    assert search(buyer, q="undertwo").json["did_you_mean"] == "undertow"
    assert search(buyer, q="tide undertwo").json["did_you_mean"] == "tide undertow"
    for words in ("undertow", "潮", "zzzzzzzz", '"undertwo"', "-tide undertwo"):
        assert search(buyer, q=words).json["did_you_mean"] is None
    made = seller.post("/titles", {**TITLE, "original_title": "Quicksilver", "titles": [], "status": "draft"})
    with world.app_context():
        worker.catch_up(world.extensions["index"])
    assert made.status_code == 201
    assert search(buyer, q="quicksilvre").json["did_you_mean"] is None
    assert search(seller, q="quicksilvre").json["did_you_mean"] == "quicksilver"


def test_titles_are_suggested_while_somebody_types(world, seller):
    made = seller.post("/titles", {**TITLE, "original_title": "Quicksilver", "titles": [], "status": "draft"})
    with world.app_context():
        worker.catch_up(world.extensions["index"])
    buyer, agent = (Visitor(world, f"{who}.test") for who in ("buyer@nordlys", "agent@harbour"))
    found = buyer.get("/suggestions?q=tide+kee").json
    assert [each["title"] for each in found][0].startswith("潮信") and 2 < len(found) <= 7
    assert set(found[0]) == {"title", "english_title", "language", "about", "url"}
    line = "media=svod&territories=HK&starts_on=2027-01-01&ends_on=2029-12-31"
    assert "territories=HK" in buyer.get(f"/suggestions?q=tide&{line}").json[0]["url"]
    for words in ("", "%20", "zzzzzzz", "-", '"'):
        assert buyer.get(f"/suggestions?q={words}").json == []
    assert buyer.get("/suggestions?q=quicksil").json == [], "another house's draft"
    assert agent.get("/suggestions?q=quicksil").json[0]["url"] == f"/titles/{made.json['id']}"
    assert Visitor(world).get("/suggestions?q=tide").status_code == 302


def test_half_a_line_is_422_and_names_what_is_missing(buyer):
    errors = problem(search(buyer, territories="HK", media="svod"), 422)["errors"]
    assert set(errors) == {"starts_on", "ends_on"}


def test_filters_narrow_and_pages_turn(buyer):
    every = search(buyer, page_size=3).json
    assert len(every["items"]) == 3
    assert search(buyer, kind="film,special").json["total"] < every["total"]
    assert {item["kind"] for item in search(buyer, kind="series").json["items"]} == {"series"}
    years = [item["year"] for item in search(buyer, sort="year", page_size=100).json["items"]]
    assert years == sorted(years, reverse=True)
    assert search(buyer, year_from=2025, year_to=2025).json["total"] == sum(year == 2025 for year in years)
    problem(search(buyer, page_size=1000), 422)
    problem(search(buyer, kind="movie"), 422)
    first, second = (search(buyer, page=page, page_size=5).json["items"] for page in (1, 2))
    assert not {item["id"] for item in first} & {item["id"] for item in second}


@pytest.mark.parametrize("hostile", ["*a*", "(" * 200, '"' * 7, "-", "\u0000", "a" * 300, "😀" * 100, "<b>", "%_"])
def test_hostile_words_are_answered_or_refused(buyer, hostile):
    assert search(buyer, q=hostile).status_code in (200, 422)


def test_a_withdrawn_title_is_gone_from_the_very_next_answer(seller, buyer):
    found = search(buyer, q="Lantern").json["items"]
    assert found
    ours = search(buyer, q="Night Boat").json["items"][0]["id"]
    tag = seller.get(f"/titles/{ours}").headers["ETag"]
    before = search(buyer).json["total"]
    assert seller.patch(f"/titles/{ours}", {"status": "withdrawn"}, If_Match=tag).status_code == 200
    assert search(buyer, q="Night Boat").json["total"] == 0
    assert search(buyer).json["total"] == before - 1
    assert search(seller, q="Night Boat").json["total"] == 1, "its seller still finds it"


# ------------------------------------------------------------------ who may see what

def test_without_a_token_there_is_401_and_a_session_is_no_token(caller, world):
    stranger = caller()
    problem(stranger.get("/me"), 401)
    problem(stranger.post("/titles", {"nonsense": 1}), 401)
    assert "Bearer" in stranger.get("/me").headers["WWW-Authenticate"]
    problem(stranger.get("/me", Authorization="Bearer slate_nonsense"), 401)


def test_another_organisations_record_is_404(caller, seller, buyer, title):
    draft = seller.post("/titles", {**TITLE, "status": "draft"}).json["id"]
    rival = caller("agent@lotus.test")
    for who in (rival, buyer):
        problem(who.get(f"/titles/{draft}"), 404)
        problem(who.post(f"/titles/{draft}/avails", a_line()), 404)
        assert who.get(f"/titles/{draft}").data == who.get("/titles/999999").data, "not yours is not there"
    problem(rival.patch(f"/titles/{title}", {"year": 2020}, If_Match="*"), 403)
    problem(rival.get(f"/titles/{title}/mandates"), 403)
    problem(buyer.get(f"/titles/{title}/mandates"), 403)
    mandate = seller.get(f"/titles/{title}/mandates").json[0]["id"]
    problem(caller("rights@lotus.test").post(f"/mandates/{mandate}/ending", {"from": "2027-01-01"}), 404)
    for number in range(1, 21):  # the demo world's offers are Harbour's
        problem(rival.get(f"/offers/{number}"), 404)


def test_a_buyer_cannot_offer_what_is_not_published_or_not_the_sellers(caller, seller, buyer, title):
    lotus = caller("agent@lotus.test").get("/me").json["organisations"][0]["id"]
    harbour = seller.get("/me").json["organisations"][0]["id"]
    draft = seller.post("/titles", {**TITLE, "status": "draft"}).json["id"]
    for seller_id, title_id in ((lotus, title), (harbour, draft), (harbour, "999999")):
        refused = buyer.post("/offers", {"seller": seller_id, "currency": "EUR",
                                         "lines": [{**a_line(), "title_id": title_id, "price": 1}]})
        assert "title_id" in problem(refused, 422)["errors"]["lines"]["0"]


def test_both_sides_may_start_and_a_request_is_answered_by_a_proposal(seller, buyer, title):
    me, them = (who.get("/me").json["organisations"][0]["id"] for who in (seller, buyer))
    line = {**a_line(), "title_id": title}
    asked = buyer.post("/offers", {"seller": me, "currency": "JPY", "lines": [line]}).json["id"]
    problem(buyer.post(f"/offers/{asked}/steps", {"action": "submit"}), 422)
    assert buyer.post(f"/offers/{asked}/steps", {"action": "request"}).json["state"] == "requested"
    priced = {"action": "propose", "lines": [{**line, "price": 4_600_000}]}
    assert seller.post(f"/offers/{asked}/steps", priced).json["state"] == "submitted"
    assert "accept" in buyer.get(f"/offers/{asked}").json["actions"]
    started = seller.post("/offers", {"buyer": them, "currency": "JPY", "lines": [{**line, "price": 5}]})
    assert started.status_code == 201
    problem(buyer.get(f"/offers/{started.json['id']}"), 404)
    assert seller.post(f"/offers/{started.json['id']}/steps", {"action": "submit"}).status_code == 201
    assert buyer.get(f"/offers/{started.json['id']}").status_code == 200
    problem(seller.post("/offers", {"buyer": them, "currency": "JPY", "lines": [{**line, "price": "1.5"}]}), 422)


def test_a_draft_is_revised_and_thrown_away_by_its_author_only(buyer, seller, title):
    me = seller.get("/me").json["organisations"][0]["id"]
    made = buyer.post("/offers", {"seller": me, "currency": "EUR",
                                  "lines": [{**a_line(), "title_id": title, "price": 1}]})
    path, tag = f"/offers/{made.json['id']}", made.headers["ETag"]
    problem(seller.delete(path), 404)
    problem(buyer.patch(path, {"valid_until": "2027-01-31"}), 428)
    changed = buyer.patch(path, {"valid_until": "2027-01-31"}, If_Match=tag)
    assert changed.status_code == 200 and changed.json["valid_until"] == "2027-01-31"
    problem(buyer.patch(path, {"currency": "USD"}, If_Match=tag), 412)
    assert buyer.delete(path).status_code == 204
    problem(buyer.get(path), 404)


# ------------------------------------------------------------------ the manners of the API

@both
def test_a_key_replays_the_first_answer_and_refuses_another_body(fresh):
    from tests.conftest import Caller
    seller = Caller(fresh(seeded=True), "agent@harbour.test")
    first = seller.post("/titles", TITLE, Idempotency_Key="k1")
    again = seller.post("/titles", TITLE, Idempotency_Key="k1")
    assert first.status_code == again.status_code == 201
    assert first.data == again.data and first.headers["ETag"] == again.headers["ETag"]
    problem(seller.post("/titles", {**TITLE, "year": 2020}, Idempotency_Key="k1"), 422)
    assert seller.post("/titles", TITLE, Idempotency_Key="k2").json["id"] != first.json["id"]
    problem(seller.post("/titles", {"kind": "film"}, Idempotency_Key="k3"), 422)
    assert seller.post("/titles", TITLE, Idempotency_Key="k3").status_code == 201, "a refusal is not kept"


def test_lists_are_paged_and_say_their_total(buyer):
    page = buyer.get("/titles?page=1&page_size=2")
    assert len(page.json) == 2
    assert json.loads(page.headers["X-Pagination"])["total"] > 2
    problem(buyer.get("/titles?page_size=101"), 422)


@pytest.mark.parametrize("method, path, data, kind, status", [
    ("POST", "/api/v1/titles", "{", "application/json", 400), ("POST", "/api/v1/titles", "[]", "application/json", 422),
    ("POST", "/api/v1/titles", "kind=film", "text/plain", 415), ("GET", "/api/v1/nowhere", None, None, 404),
    ("PUT", "/api/v1/titles", "{}", "application/json", 405), ("GET", "/api/v1/titles/abc", None, None, 404),
    ("POST", "/api/v1/titles", "x" * 3_000_000, "application/json", 413)])
def test_every_refusal_is_a_problem_document(seller, method, path, data, kind, status):
    response = seller.client.open(path, method=method, data=data, content_type=kind, headers=seller.headers)
    assert response.status_code in (status, 422), response.data[:300]
    problem(response, response.status_code)


def test_the_openapi_document_is_served_and_names_every_call(caller, world):
    spec = caller().client.get("/api/openapi.json").json
    served = {rule.rule.replace("<id:", "{").replace(">", "}") for rule in world.url_map.iter_rules()
              if rule.rule.startswith("/api/v1")}
    assert served == set(spec["paths"])
    assert caller().client.get("/api/docs").status_code == 200


def test_vocabulary_me_and_organisations(buyer):
    words = buyer.get("/vocabulary").json
    assert len(words["territories"]) == 256 and len(words["groups"]) == 101
    assert {"key": "svod", "parent": "subscription"}.items() <= next(
        each for each in words["media"] if each["key"] == "svod").items()
    me = buyer.get("/me").json
    assert me["person"]["email"] == "buyer@sakura.test" and set(me["roles"]) == {"buyer", "signatory"}
    sellers = buyer.get("/organisations?role=seller").json
    assert [each["name"] for each in sellers] == ["Harbour Pictures", "Lotus Sales"]


def test_health_says_whether_the_parts_answer(caller):
    client = caller().client
    assert client.get("/healthz").json == {"status": "alive"}
    ready = client.get("/readyz")
    assert ready.status_code == 503 and ready.json["database"] is True and ready.json["worker"] is False
    assert ready.json["store"] is True


# ------------------------------------------------------------------ found by trying to break it

def signed(offer, buyer, seller, manager):
    """Lead a submitted draft to its second signature; the answer to that."""
    steps = ((buyer, "submit"), (seller, "accept"), (manager, "approve"), (seller, "issue_memo"), (buyer, "sign"))
    for who, body in ((who, {"action": action, "version": 1}) for who, action in steps):
        taken = who.post(f"/offers/{offer}/steps", body)
        if taken.status_code != 201:
            return taken
    return manager.post(f"/offers/{offer}/steps", {"action": "sign"})


def an_offer(buyer, seller, title, *lines):
    me = seller.get("/me").json["organisations"][0]["id"]
    made = buyer.post("/offers", {"seller": me, "currency": "EUR", "lines": [
        {"title_id": title, "price": 5, **line} for line in lines]})
    assert made.status_code == 201, made.json
    return made.json["id"]


@both
def test_a_deal_that_began_before_today_collides_with_what_was_sold_then(fresh):
    """A licence is written over its whole window, so its past days are judged as well."""
    from licensing import checks
    from tests.conftest import Caller
    app = fresh(seeded=True)
    seller, manager, buyer = (Caller(app, f"{who}.test")
                              for who in ("agent@harbour", "rights@harbour", "buyer@nordlys"))
    title = seller.post("/titles", TITLE).json["id"]
    seller.post(f"/titles/{title}/mandates", WHOLE)
    past = a_line("DE", starts_on="2026-01-01", ends_on="2026-06-30")
    assert seller.post(f"/titles/{title}/licences", {**past, "licensee": "First"}).status_code == 201
    offer = an_offer(buyer, seller, title, a_line("DE", starts_on="2026-01-01", ends_on="2030-12-31"))
    refused = problem(signed(offer, buyer, seller, manager), 409)
    assert refused["reasons"][0]["code"] == "RIGHTS_OUT" and refused["reasons"][0]["title_id"] == title
    offer = an_offer(buyer, seller, title, a_line("AT", starts_on="2026-01-01", ends_on="2030-12-31"))
    assert signed(offer, buyer, seller, manager).status_code == 201
    offer = an_offer(buyer, seller, title, past | {"territories": ["CH"]})
    assert problem(signed(offer, buyer, seller, manager), 409)["reasons"][0]["code"] == "IN_PAST"
    with app.app_context():
        assert checks.sold_twice() == checks.outside_mandates() == []


@both
def test_a_season_that_moves_takes_its_licences_along_or_stays(fresh):
    from licensing import checks
    from tests.conftest import Caller
    app = fresh(seeded=True)
    seller = Caller(app, "agent@harbour.test")

    def listed(kind, parent=None):
        made = seller.post("/titles", {"kind": kind, "original_title": kind, "parent_id": parent}).json["id"]
        if parent is None:
            seller.post(f"/titles/{made}/mandates", WHOLE)
        return made

    one, other = listed("series"), listed("series")
    sold, unsold = listed("season", one), listed("season", one)
    for title in (sold, other):
        assert seller.post(f"/titles/{title}/licences", {**a_line(), "licensee": "X"}).status_code == 201

    def move(title):
        tag = seller.get(f"/titles/{title}").headers["ETag"]
        return seller.patch(f"/titles/{title}", {"parent_id": other}, If_Match=tag)

    problem(move(sold), 409)
    assert move(unsold).status_code == 200
    with app.app_context():
        assert checks.sold_twice() == []


def test_a_minus_never_grants(seller, buyer, title):
    wrong = seller.post(f"/titles/{title}/mandates", {**WHOLE, "media": ["all", "-svod"]})
    assert "media" in problem(wrong, 422)["errors"]


def test_every_language_by_name_can_be_stored_and_an_answers_line_can_be_sent_back(seller, manager, buyer, title):
    seller.post(f"/titles/{title}/licences", {**a_line("DE", languages="fr"), "licensee": "X"})
    answer = buyer.post(f"/titles/{title}/avails", a_line("DE")).json
    fewer = next(each["line"] for each in answer["alternatives"] if each["kind"] == "fewer_languages")
    assert buyer.post(f"/titles/{title}/avails", fewer).json["verdict"] == "available"
    assert signed(an_offer(buyer, seller, title, fewer), buyer, seller, manager).status_code == 201
    every = [f"{each['code']}:{use}" for each in buyer.get("/vocabulary").json["languages"] if "parts" not in each
             for use in each["uses"]]
    assert seller.post(f"/titles/{title}/mandates", {**WHOLE, "languages": every}).status_code == 201


def test_coverage_of_an_open_end_never_counts_more_than_thirty_years(seller, buyer):
    title = seller.post("/titles", TITLE).json["id"]
    seller.post(f"/titles/{title}/mandates", a_line("DE", "all", "2020-01-01", "2090-12-31"))
    seller.post(f"/titles/{title}/mandates", a_line("AT", "all", "2020-01-01", "2080-12-31"))
    asked = a_line("DE,AT,FR", "svod", "2027-01-01", None)
    assert buyer.post(f"/titles/{title}/avails", asked).json["coverage"] == pytest.approx(2 / 3)


def test_two_lines_of_one_title_are_told_apart_between_versions(seller, buyer, title):
    lines = [a_line(place) | {"price": price} for place, price in (("DE", 5), ("AT", 7), ("CH", 7))]
    offer = an_offer(buyer, seller, title, *lines)
    buyer.post(f"/offers/{offer}/steps", {"action": "submit"})
    more = [{**line, "title_id": title, "price": line["price"] * (10 if place < 2 else 1)}
            for place, line in enumerate(lines)]
    assert seller.post(f"/offers/{offer}/steps", {"action": "counter", "lines": more}).status_code == 201
    changes = buyer.get(f"/offers/{offer}").json["versions"][1]["changes"]
    assert [(each["term"], each["before"], each["after"]) for each in changes] == [
        ("price", "5", "50"), ("price", "7", "70")]


@pytest.mark.parametrize("path", ["/titles/" + "9" * 30, "/titles/999999999999999", "/titles/٣", "/titles/-1"])
def test_an_id_that_cannot_be_is_not_found(buyer, path):
    problem(buyer.get(path), 404)


@pytest.mark.parametrize("body", ["[" * 100_000, '{"a":' * 50_000, '{"year": ' + "9" * 5_000 + "}", "hello", "\xff",
                                  '{"year": NaN}', '{"year": 1e400}'])
def test_a_hostile_body_is_refused_in_words(seller, body):
    answer = seller.client.post("/api/v1/titles", data=body.encode("latin-1"), headers=seller.headers,
                                content_type="application/json")
    problem(answer, 422)


def test_another_content_type_is_415(seller):
    answer = seller.client.post("/api/v1/titles", data=json.dumps(TITLE), headers=seller.headers,
                                content_type="text/plain")
    problem(answer, 415)


@pytest.mark.parametrize("licensee", ["²", "9999999999", "9" * 200, "٣"])
def test_a_licensee_is_an_id_or_a_plain_name(seller, title, licensee):
    answer = seller.post(f"/titles/{title}/licences", {**a_line(), "licensee": licensee})
    assert answer.status_code == 201 and answer.json["licensee"] == {"id": None, "name": licensee}


@pytest.mark.parametrize("currency", ["not a currency at all", "DEM", "XXX", "\ud800", "eur"])
def test_a_currency_is_one_in_use(seller, buyer, title, currency):
    me = seller.get("/me").json["organisations"][0]["id"]
    answer = buyer.post("/offers", {"seller": me, "currency": currency, "lines": [{**a_line(), "title_id": title}]})
    assert "currency" in problem(answer, 422)["errors"]


def test_pages_that_cannot_be_are_refused(buyer):
    problem(buyer.get("/titles?page=99999999999999999999"), 422)
    problem(buyer.get("/search?page=99999999999999999999"), 422)


def test_a_parked_offer_is_resumed_where_it_was(seller, buyer, title):
    offer = an_offer(buyer, seller, title, a_line())
    buyer.post(f"/offers/{offer}/steps", {"action": "submit"})
    seller.post(f"/offers/{offer}/steps", {"action": "counter", "lines": [{**a_line(), "title_id": title, "price": 9}]})
    seller.post(f"/offers/{offer}/steps", {"action": "park"})
    assert seller.post(f"/offers/{offer}/steps", {"action": "resume"}).json["state"] == "countered"


def test_a_deal_whose_licence_was_ended_by_itself_can_still_be_terminated(seller, manager, buyer, title):
    offer = an_offer(buyer, seller, title, a_line())
    assert signed(offer, buyer, seller, manager).status_code == 201
    licence = buyer.get("/licences").json[0]["id"]
    assert manager.post(f"/licences/{licence}/termination", {"from": "2020-01-01"}).status_code == 201
    ended = manager.post(f"/offers/{offer}/steps", {"action": "terminate", "note": "Never delivered"})
    assert ended.json["state"] == "terminated"


@pytest.mark.postgresql
@pytest.mark.parametrize("backend", ["postgresql"], indirect=True)
def test_at_once_one_edit_wins_one_id_is_given_and_no_circle_is_closed(fresh):
    from concurrent.futures import ThreadPoolExecutor

    from tests.conftest import Caller
    app = fresh(seeded=True)
    callers = [Caller(app, "agent@harbour.test") for _ in range(6)]
    seller = callers[0]
    title = seller.post("/titles", TITLE).json["id"]
    other = seller.post("/titles", TITLE).json["id"]

    def at_once(call):
        with ThreadPoolExecutor(6) as pool:
            return sorted(answer.status_code for answer in pool.map(call, enumerate(callers)))

    assert at_once(lambda each: each[1].patch(f"/titles/{title}", {"year": 2020 + each[0]}, If_Match='"1"')) == [
        200, *[412] * 5]
    assert at_once(lambda each: each[1].post("/titles", {**TITLE, "external_id": "one"})) == [201, *[422] * 5]
    ends = [(title, other), (other, title)]
    assert at_once(lambda each: each[1].post(f"/titles/{ends[each[0] % 2][0]}/links", {
        "kind": "sequel_of", "title_id": ends[each[0] % 2][1]})) == [201, *[409] * 5]
