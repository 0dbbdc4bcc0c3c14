"""What a file is called is for people alone: it leads nowhere, breaks no header and no page, and turns no reading."""
from urllib.parse import unquote

from accounts import people
from core import clock
from core.database import db
from media import grants, types
from media.models import Asset, State
from tests.conftest import Caller
from tests.media import test_assets
from tests.media.files import PAPER
from tests.media.test_assets import AGENT, BUYER, TITLE
from tests.test_pages import Visitor, text

studio = test_assets.studio
LONG = "潮" * 196 + ".pdf"
NAMES = {  # as it is sent → as it is kept
    "../../etc/passwd": "passwd",
    "..\\..\\windows\\system.ini": "system.ini",
    "/etc/cron.d/tide": "tide",
    "tide.pdf\r\nX-Evil: 1\r\n\r\n<script>": "tide.pdf X-Evil: 1 <script>",
    "\u200ftide\ufeff.pdf": "tide.pdf",
    LONG: LONG,
    "...tide.pdf": "tide.pdf",
    'a"; filename="b.exe"; x=\'.pdf': 'a"; filename="b.exe"; x=\'.pdf',
    "<img src=x onerror=alert(1)>.pdf": "<img src=x onerror=alert(1)>.pdf",
    "{{ 7 * 7 }} %s %0d%0aSet-Cookie: a=b.pdf": "{{ 7 * 7 }} %s %0d%0aSet-Cookie: a=b.pdf",
    "https://169.254.169.254/latest/meta-data": "meta-data",
    "tide&continuity 100%.pdf": "tide&continuity 100%.pdf",
    "潮の満ち引き・完全版.pdf": "潮の満ち引き・完全版.pdf",
}


NOTHING = ["..", "../", "/", "\\", "...", "\u202e", "\u200b \u200b", ". .", "a/.."]


def test_a_name_of_which_nothing_is_left_is_refused(world):
    for said in NOTHING:
        answer = Caller(world, AGENT).post(f"/titles/{TITLE}/assets", {
            "kind": "document", "filename": said, "content_type": "application/pdf", "size": 10})
        assert answer.status_code == 422 and list(answer.json["errors"]) == ["filename"], said


def test_a_name_is_read_downloaded_and_listed_and_is_nothing_but_a_name(studio):
    sent = {}
    for said, kept in NAMES.items():
        assert types.plain_name(said) == kept
        told = studio.announce("document", PAPER, filename=said)
        asset, upload = told["asset"]["id"], told["upload"]
        assert told["asset"]["filename"] == kept
        assert kept not in str(upload) and "passwd" not in str(upload)  # the store hears nothing of it
        assert studio.post(upload, PAPER).status in (200, 204)
        assert studio(AGENT).post(f"/assets/{asset}/completion", {}).status_code == 202
        sent[said] = asset
    studio.work()
    for said, kept in NAMES.items():
        url = studio(AGENT).get(f"/assets/{sent[said]}/url").json["url"]
        answer = studio.place.ask("GET", studio.reached(url))
        assert answer.status == 200 and answer.body == PAPER, said
        assert not {"x-evil", "set-cookie"} & answer.headers.keys()
        plain, _, full = answer.headers["content-disposition"].partition("; filename*=UTF-8''")
        assert unquote(full) == kept and plain.startswith('attachment; filename="') and plain.count('"') == 2
    page = Visitor(studio.app, AGENT).get(f"/titles/{TITLE}/media").get_data(as_text=True)
    assert "<img src=x" not in page and "&lt;img src=x onerror=alert(1)&gt;.pdf" in page
    for turned in ("tide\u202efdp.exe", "\u2066tide.pdf"):
        refused = studio(AGENT).post(f"/titles/{TITLE}/assets", {
            "kind": "document", "filename": turned, "content_type": "application/pdf", "size": 9})
        assert refused.status_code == 422 and set(refused.json["errors"]) == {"filename"}
    assert LONG in page and "{{ 7 * 7 }}" in page and "\u202e" not in page
    assert {key.partition("/")[0] for key in studio.objects()} == {"kept"}


def test_what_a_file_is_called_is_told_to_its_sellers_people_alone(world):
    said = {"title_id": TITLE, "person_id": 1, "state": State.READY.value, "type": "video/mp4", "size": 9,
            "sha256": "0" * 64, "filename": "cut 3 for cannes.mp4"}
    with world.app_context():
        films = [Asset(kind=kind, key=f"{kind:x>32}", created_at=clock.now(), changed_at=clock.now(), **said)
                 for kind in ("trailer", "screener")]
        db.session.add_all(films)
        db.session.flush()
        buyer, agent = (people.viewer(people.find(each).id) for each in (BUYER, AGENT))
        grants.give(films[1], agent, email=buyer.email, starts_on=clock.today(), ends_on=clock.today(),
                    download=True)
        trailer, screener = (each.id for each in films)
        db.session.commit()
    for email, knows in ((BUYER, False), (AGENT, True)):
        visitor, caller = Visitor(world, email), Caller(world, email)
        pages = [f"/titles/{TITLE}/media", f"/media/{trailer}/watch", f"/media/{screener}/watch"]
        read = [text(visitor.get(each)) for each in pages] + [
            caller.get(f"/assets/{each}/url?download=true").json["url"] for each in (trailer, screener)]
        assert ["cannes" in each for each in read] == [knows] * 5
        if not knows:
            assert "cannes" not in text(visitor.get("/your-screeners"))
            assert ["name=trailer.mp4" in read[3], "name=screener.mp4" in read[4]] == [True, True]


def test_a_form_whose_file_has_a_hostile_name_of_its_own_is_kept_by_its_key(studio):
    """The name inside the form is the browser's, and read by nobody."""
    told = studio.announce("document")
    asset, upload = told["asset"]["id"], told["upload"]
    edge, fields = "edge", {**upload["fields"]}
    body = "".join(f'--{edge}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'
                   for name, value in fields.items())
    body += (f'--{edge}\r\nContent-Disposition: form-data; name="file"; filename="../../../etc/cron.d/evil"\r\n'
             "Content-Type: text/html\r\n\r\n")
    body = body.encode() + PAPER + f"\r\n--{edge}--\r\n".encode()
    sent = studio.place.ask("POST", studio.reached(upload["url"]), body,
                            {"Content-Type": f"multipart/form-data; boundary={edge}"})
    assert sent.status in (200, 204)
    assert studio.objects() == [fields["key"]]
    studio(AGENT).post(f"/assets/{asset}/completion", {})
    studio.work()
    assert studio.state(asset) == ("ready", None)
