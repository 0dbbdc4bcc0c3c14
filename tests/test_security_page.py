"""What docs/security.md says equals what the code does."""
import re

import pytest
from webauthn.registration.generate_registration_options import default_supported_pub_key_algs

import config
from accounts import invitations, permissions, tokens
from accounts.models import Person
from accounts.security import factors
from core import log
from core.http import limits, text
from licensing.books import reader, uploads
from media import types
from tests.test_absent import OURS
from tests.test_architecture import CONNECT, ROOT, imports, top

PAGE = (ROOT / "docs/security.md").read_text(encoding="utf-8")
SETTINGS = config.read({})


def section(heading) -> str:
    return PAGE.split(f"\n## {heading}\n")[1].split("\n## ")[0]


def rows(heading):
    """The cells of the table below a heading, each a row."""
    lines = [line for line in section(heading).splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[2:]]


def code(words):
    return re.findall(r"`([^`]+)`", words)


def test_each_rule_and_level_names_tests_that_exist():
    named = [name for heading in ("What may be typed", "Data") for row in rows(heading) for name in code(row[-1])]
    assert len(named) > 10 and [name for name in named if not (ROOT / name).is_file()] == []


def test_how_often_is_the_table_of_limits():
    assert [tuple(row) for row in rows("How often")] == [
        (row.kind or "everything", row.who.__name__.removeprefix("by_").replace("_", " "), str(row.times),
         str(row.seconds)) for row in limits.TABLE]


def test_what_costs_most_is_counted_by_itself():
    assert {limits.SEARCH, limits.PAPER, limits.UPLOAD} <= set(re.findall(r"\*(\w+)\*", section("How often")))


def test_how_much_is_what_is_taken():
    assert {row[0]: int(row[1]) for row in rows("How much")} == {
        "bytes of a request": SETTINGS["MAX_CONTENT_LENGTH"], "fields of a form": SETTINGS["MAX_FORM_PARTS"],
        "bytes of a form's fields": SETTINGS["MAX_FORM_MEMORY_SIZE"], "levels of a body": text.DEEP,
        "tokens of a person": tokens.MOST, "entries of a page": 100}


def test_how_long_is_what_is_set():
    def whole(seconds):
        for unit, size in (("days", 86_400), ("hours", 3_600), ("minutes", 60)):
            if seconds % size == 0 and (seconds // size > 1 or unit == "minutes") and not (
                    unit == "hours" and seconds == 7_200):
                return f"{seconds // size:.0f} {unit}"
        return f"{seconds:.0f} seconds"
    said = {"a session that is not used": SETTINGS["SESSION_IDLE"], "a session at all": SETTINGS["SESSION_WHOLE"],
            "a proof of who it is, before what needs one": SETTINGS["PROOF_WITHIN"],
            "a link in a letter about an account": SETTINGS["LINK_WITHIN"], "an invitation": invitations.LASTS,
            "a token": tokens.LONGEST}
    found = dict(rows("How long"))
    assert found.pop("an address of a film") == f"{SETTINGS['READING_SECONDS']} seconds"
    assert {name: lasts for name, lasts in found.items()} == {
        name: {"a link in a letter about an account": "60 minutes"}.get(name) or whole(lasts.total_seconds())
        for name, lasts in said.items()}


def test_the_ways_in_are_those_that_there_are(app):
    """Whatever is open, or waits for a secret, and takes something: each is under a way that is named."""
    named = {code(row[0])[0] for row in rows("Ways in")}
    some = {rule.rule for rule in app.url_map.iter_rules() if "POST" in rule.methods
            and getattr(app.view_functions[rule.endpoint], "permit", None) in {"open", "invitation.answer"}}
    aside = {"/sign-out", "/account/address/<token>", "/sign-in/second"}  # they let nobody in: the last only chooses
    assert {each for each in some - aside if not each.startswith(tuple(named))} == set()
    assert {each for each in named if not any(rule.rule.startswith(each) for rule in app.url_map.iter_rules())} == set()


def test_the_words_that_are_no_passwords_are_those_that_are_named(app):
    words = section("Ways in")
    assert f"{factors.LEAST_PASSWORD} characters or more" in words and "10^8" in words
    person = Person(email="harbourlight@house.test", name="Marguerite Fontaine")
    with app.test_request_context():
        for known in ("harbourlight", "Marguerite", "Fontaine", *code(words.split("A password has")[1])):
            problems, _ = factors._security().password_util.validate(f"{known}-{known}-{known}", False, user=person)
            assert problems, known


def test_files_are_those_that_are_taken():
    assert {row[0]: (set(row[1].split(", ")), int(row[2])) for row in rows("Files")} == {
        str(kind): allowed for kind, allowed in types.ALLOWED.items()}
    for figure in (uploads.MOST_BYTES, reader.MOST_UNPACKED, reader.MOST_PARTS, reader.MOST_ROWS):
        assert re.search(rf"\b{figure}\b", section("Files")), figure


def test_connections_are_those_that_are_made():
    by = {name for row in rows("Connections") for name in code(row[1])}
    assert by >= CONNECT and by - CONNECT == {"core/database.py", "core/http/limits.py"}
    read = re.findall(r'environ\.get\("(\w+)"', (ROOT / "config.py").read_text())
    assert {name for row in rows("Connections") for name in code(row[2])} <= set(read)


CRYPTOGRAPHY = {"hashlib", "hmac", "secrets", "ssl", "cryptography", "itsdangerous", "webauthn", "argon2", "passlib",
                "uuid"}


def test_cryptography_is_where_it_is_said_to_be():
    there = {name for name, source in OURS.items()
             for module, _ in imports(source) if module and top(module) in CRYPTOGRAPHY}
    assert there == {name for row in rows("Cryptography") for name in code(row[2])}


def test_digests_are_those_that_are_said():
    """Of hashlib and cryptography no other is called anywhere."""
    said = " ".join(row[1] for row in rows("Cryptography"))
    used = {each for source in OURS.values() for each in re.findall(r"hashlib\.(\w+)|hashes\.(SHA\w+|MD5)", source)
            for each in each if each}
    assert used == {"sha256", "md5"} and "SHA-256" in said and "MD5" in said


@pytest.mark.parametrize("name", ["SECRET_KEY", "FACTOR_SECRET", "S3_ACCESS_KEY", "S3_SECRET_KEY", "DATABASE_URL",
                                  "MAIL_URL", "LIMITS_STORE"])
def test_each_key_says_what_it_protects_and_how_it_is_changed(name):
    [row] = [row for row in rows("Keys") if code(row[0]) == [name]]
    assert all(row) and f'environ.get("{name}"' in (ROOT / "config.py").read_text()


def test_no_key_is_missing():
    read = re.findall(r'environ\.get\("(\w+)"', (ROOT / "config.py").read_text())
    assert {name for name in read if re.search("SECRET|KEY|TOKEN|PASSWORD", name)} <= {
        code(row[0])[0] for row in rows("Keys")}


def test_programs_that_read_files_of_others_know_no_key():
    """Whatever makes ffmpeg or the reader of pictures run something finds no secret in its surroundings."""
    for name in ("media/films.py", "media/pictures.py"):
        started = re.findall(r"subprocess\.\w+\((?:[^()]|\([^()]*\))*\)", OURS[name], re.S)
        assert [each for each in started if "env={}" not in each] == [] and started


def test_logs_go_where_it_is_said():
    where = " ".join(row[1] for row in rows("Logs"))
    assert "`audit`" in where and "standard error" in where
    assert len(re.findall(r"StreamHandler|FileHandler|SysLogHandler|SocketHandler|HTTPHandler", "".join(
        OURS.values()))) == 1 and "StreamHandler" in OURS["core/log.py"]
    assert {400, 401, 403, 404, 413, 422, 429} == log.SUSPECT


def test_times_to_mend_libraries_are_said():
    assert re.search(r"critical is mended within 3 days, high within 14, the rest within 90", section("Libraries"))
    assert "\naudit:" in (ROOT / "Makefile").read_text()


def test_every_action_says_for_which_roles_and_which_records():
    """The documentation of who may do what is the table itself: whole, and read by what decides."""
    assert all(action and relations for action, _, relations in permissions.TABLE)
    assert {action for action, _, _ in permissions.TABLE} == permissions.ACTIONS


def test_public_keys_are_of_passkeys_alone_and_of_the_algorithms_that_are_said(app):
    """Slate makes no pair of keys; which signatures it takes is the library's list, and that is what the page says."""
    assert [name for name, source in OURS.items() if re.search(
        r"generate_private_key|supported_pub_key_algs|rsa\.|Ed25519|SECP256", source)] == []
    [row] = [row for row in rows("Cryptography") if row[0] == "passkeys"]
    said = {"ES256": "ECDSA_SHA_256", "EdDSA": "EDDSA", "RS256": "RSASSA_PKCS1_v1_5_SHA_256"}
    assert {said[each] for each in row[1].partition(": ")[2].split(", ")} == {
        each.name for each in default_supported_pub_key_algs}
