"""A crawler that reads, as one person, everything it can reach: pages, API, files, with every id there is."""
import re
from collections import deque
from html.parser import HTMLParser
from itertools import zip_longest
from pathlib import Path
from urllib.parse import quote, urldefrag, urlencode, urljoin, urlsplit

from accounts import people, tokens
from core.database import db
from tests.canaries import reading

SITE = "http://localhost"
NAMED = {"title_id": "title", "offer_id": "offer", "asset_id": "asset", "attachment_id": "attachment",
         "brief_id": "brief", "grant_id": "asset_grant", "hold_id": "hold", "holdback_id": "holdback",
         "instalment_id": "instalment", "licence_id": "licence", "line_id": "basket_line", "mandate_id": "mandate",
         "material_id": "material", "payment_id": "payment", "play_id": "play", "refusal_id": "refusal",
         "application_id": "application", "invitation_id": "invitation", "membership_id": "membership",
         "organisation_id": "organisation", "token_id": "api_token", "session_id": "session",
         "webhook_id": "webhook", "delivery_id": "webhook_delivery", "edition_id": "edition",
         "request_id": "screener_request", "search_id": "saved_search", "upload_id": "books_upload"}
WRITTEN = {"kind": ("pdf", "csv"), "token": ("x" * 32,), "filename": ("slate.css",), "key": ("kept/x/original",)}
LEAVING = ("/sign-out", "/static/", "/fs-static/")
ASKED = {"/api/v1/assets/<id:asset_id>/url": "?download=true"}  # what a question adds to the address
SKIPPED = {"static", "security.static"}


class Person:
    """Who reads: by their session on pages, by their token over the API."""

    def __init__(self, app, email, password="demo"):
        self.app, self.email, self.client, self.viewer, self.headers = app, email, app.test_client(), None, {}
        if email:
            with app.app_context():
                person = people.find(email)
                self.viewer = people.viewer(person.id)
                self.headers = {"Authorization": f"Bearer {tokens.issue_whole(person)}"}
                db.session.commit()
            token = re.search(r'name="csrf_token" value="([^"]+)"', self.client.get("/sign-in").text)[1]
            done = self.client.post("/sign-in", data={"email": email, "password": password, "csrf_token": token})
            assert done.status_code == 302, done.text

    def __str__(self):
        return self.email or "a stranger"

    def ask(self, path, method="GET", body=None):
        api = path.startswith("/api/v1")
        response = self.client.open(path, method=method, json=body, headers=self.headers if api else {})
        response.get_data()
        response.close()  # of the file that it is
        return response


class Links(HTMLParser):
    """What a page leads to: its links, pictures, scripts and the forms that only ask."""

    def __init__(self, base):
        super().__init__()
        self.base, self.found, self.form = base, [], None

    def handle_starttag(self, tag, attributes):
        said = dict(attributes)
        for name in ("href", "src", "poster", "data-url", "data-address"):
            if said.get(name):
                self.found.append(said[name])
        if said.get("srcset"):
            self.found += [each.split()[0] for each in said["srcset"].split(",")]
        if tag == "form" and said.get("method", "get").lower() == "get":
            self.form = (said.get("action") or self.base, [])
        elif self.form and tag in ("input", "select", "option", "textarea"):
            if tag == "select":
                self.select = said.get("name")
            name = said.get("name") or (tag == "option" and getattr(self, "select", None))
            if name and said.get("value"):
                self.form[1].append((name, said["value"]))

    def handle_endtag(self, tag):
        if tag == "form" and self.form:
            action, fields = self.form
            self.found.append(action)
            self.found += [f"{action.split('?')[0]}?{urlencode([field])}" for field in fields]  # each value by itself
            self.form = None


def links(path, response) -> list[str]:
    """The addresses of this site that an answer names, as paths."""
    found = [response.location] if response.location else []
    if response.mimetype == "text/html":
        parser = Links(path)
        parser.feed(response.text)
        found += parser.found
    elif "json" in (response.mimetype or ""):
        found += re.findall(r'"((?:https?://[^"\\]+|/)[^"\\ ]*)"', response.text)
    local = []
    for each in found:
        split = urlsplit(urldefrag(urljoin(SITE + path, each)).url)
        if split.netloc == "localhost" and not split.path.startswith(LEAVING):
            local.append(quote(split.path) + (f"?{split.query}" if split.query else ""))
    return local


def routes(app, ids, methods=frozenset({"GET"})) -> list[list[tuple]]:
    """For each rule of the url map the (method, path)s of it with these ids: {table: ids}. An argument that nothing is
    known of is a mistake: no route is left out."""
    found = []
    for rule in sorted(app.url_map.iter_rules(), key=lambda each: each.rule):
        if rule.endpoint in SKIPPED or rule.rule.startswith(LEAVING):
            continue
        paths = [rule.rule]
        for argument in sorted(rule.arguments):
            values = WRITTEN.get(argument) or sorted(ids[NAMED[argument]])
            paths = [re.sub(rf"<(?:\w+:)?{argument}>", str(value), path) for path in paths for value in values]
        paths += [path + ASKED[rule.rule] for path in paths if rule.rule in ASKED]
        found += [[(method, path) for path in paths] for method in sorted(rule.methods & methods)]
    return found


def in_turn(groups) -> list:
    """The first of each group, then the second of each."""
    missing = object()
    return [each for turn in zip_longest(*groups, fillvalue=missing) for each in turn if each is not missing]


class Crawl:
    """Asks, reads, remembers: how many `answers`, the `leaks` in words, and who has `seen` which canary."""

    def __init__(self, canaries):
        self.canaries, self.find, self.answers, self.leaks, self.seen = canaries, canaries.finder(), 0, [], {}

    def read(self, person, path, method="GET", body=None, typed=()):
        """One answer. What was `typed` by the asker says nothing when it comes back."""
        response = person.ask(path, method, body)
        self.answers += 1
        said = reading.of(response)
        assert response.status_code < 500 or path == "/readyz", (str(person), method, path, said[:2000])
        signed_out = response.location == "/sign-in" or (response.location or "").startswith("/sign-in?")
        assert not (person.viewer and signed_out), (str(person), method, path)  # else what comes after proves nothing
        self.look(str(person), person.viewer, f"{method} {path}", said, typed)
        return response

    def look(self, who, viewer, where, said, typed=()):
        for word in self.find(said) - set(typed):
            self.seen.setdefault(word, set()).add(who)
            if not self.canaries.may(viewer, word):
                self.leaks.append(f"{who} reads {self.canaries.labels[word]} in {where}: {_around(said, word)}")

    def follow(self, person, start, most):
        """Whatever the pages lead to, breadth first."""
        queue, known = deque(start), set(start)
        while queue and most:
            path, most = queue.popleft(), most - 1
            for each in links(path, self.read(person, path)):
                if each not in known and len(known) < 50_000:
                    known.add(each)
                    queue.append(each)
        return known


def _around(said, word) -> str:
    at = max(said.lower().find(word[:4]) - 40, 0)
    return " ".join(said[at:at + 100].split())


def told(crawl, app):
    """Read every letter that was sent, as who got it."""
    for file in sorted(Path(app.config["MAIL_FOLDER"]).glob("*.eml")):
        address, said = reading.letter(file.read_bytes())
        with app.app_context():
            person = people.find(address)
        if person is None:  # invited, and told by whom
            continue
        with app.app_context():
            viewer = people.viewer(person.id)
        crawl.answers += 1
        crawl.look(address, viewer, f"letter {file.name}", said)

