"""What Slate has not, and so cannot get wrong: read off the code, the pages, the scripts and the libraries."""
import ast
import importlib.metadata
import re
import sys

import pytest

from tests.test_architecture import MODULES, ROOT, TOP, imports, top

OURS = {**MODULES, **{f"{name}.py": (ROOT / f"{name}.py").read_text(encoding="utf-8") for name in TOP}}
PAGES = {path.relative_to(ROOT).as_posix(): path.read_text(encoding="utf-8")
         for path in sorted((ROOT / "templates").rglob("*.html"))}
SCRIPTS = {path.name: path.read_text(encoding="utf-8") for path in sorted((ROOT / "static/js").iterdir())}


# ------------------------------------------------------------------ libraries and what they speak

KINDS = {  # what is not spoken here → the libraries that speak it, the words of its addresses
    "OAuth and OpenID Connect": ({"authlib", "oauthlib", "requests_oauthlib", "flask_oauthlib", "flask_dance",
                                  "jwt", "jose", "jwcrypto", "joserfc", "oic", "msal"},
                                 r"oauth|oidc|openid|authorize|\btoken$|\.well-known|userinfo|jwks|callback|consent"),
    "SAML and other identity providers": ({"saml2", "onelogin", "signxml", "cas", "ldap", "ldap3", "kerberos"},
                                          r"saml|\bsso\b|\bacs\b|metadata"),
    "LDAP": ({"ldap", "ldap3", "bonsai"}, r"ldap"),
    "XPath, XSLT and XML written by others": ({"lxml", "xml", "xmltodict", "xmlrpc", "saxonche", "bs4"}, r"\.xml|soap"),
    "LaTeX": ({"pylatex", "latex", "tex2pix", "pypandoc"}, r"latex"),
    "JNDI and Java": ({"jpype", "jnius", "py4j", "pyjnius"}, r"jndi"),
    "memcache": ({"memcache", "pymemcache", "pylibmc", "bmemcached"}, r"memcache"),
    "GraphQL": ({"graphql", "graphene", "strawberry", "ariadne"}, r"graphql|graphiql"),
    "WebSocket": ({"websockets", "websocket", "flask_sock", "flask_socketio", "socketio", "wsproto",
                   "simple_websocket"}, r"socket|\bws\b"),
    "WebRTC": ({"aiortc", "aioice", "pylibsrtp", "pion"}, r"webrtc|turn|stun|signal"),
    "telephones": ({"twilio", "phonenumbers", "vonage", "nexmo", "messagebird"}, r"sms|phone|voice"),
    "markup of people's own": ({"markdown", "mistune", "markdown2", "bbcode", "docutils", "bleach", "nh3",
                                "commonmark"}, r"preview"),
    "objects from bytes": ({"pickle", "marshal", "shelve", "dill", "cloudpickle", "jsonpickle", "yaml",
                            "joblib"}, None),
    "trackers": ({"sentry_sdk", "newrelic", "ddtrace", "analytics", "posthog", "mixpanel"}, r"analytics|beacon|track$"),
}


def speaks(libraries, source):
    return [module for module, _ in imports(source) if module and top(module) in libraries]


@pytest.mark.parametrize("kind", KINDS)
def test_it_is_not_spoken_here(kind, app):
    libraries, addresses = KINDS[kind]
    assert {name: found for name, source in OURS.items() if (found := speaks(libraries, source))} == {}
    wanted = {re.split(r"[\[~=<>;]", line)[0].strip().lower().replace("-", "_") for line in
              (ROOT / "requirements.txt").read_text().splitlines() if line and line[0] not in "#-"}
    assert not wanted & libraries
    if addresses:
        assert [rule.rule for rule in app.url_map.iter_rules()
                if re.search(addresses, re.sub(r"<[^>]*>", "", rule.rule).rstrip("/"))] == []
    words = "RTCPeerConnection|new WebSocket|EventSource|gapi\\.|google-analytics|gtag"
    assert [name for name, text in {**PAGES, **SCRIPTS}.items() if re.search(words, text)] == []


def test_a_library_that_speaks_it_is_found():
    assert speaks({"jwt"}, "import jwt") and speaks({"ldap3"}, "from ldap3 import Server")


def test_the_api_takes_bearer_tokens_and_nothing_else(app):
    schemes = app.extensions["slate-api"].document["components"]["securitySchemes"]
    assert schemes == {"bearer": {"type": "http", "scheme": "bearer"}}


# ------------------------------------------------------------------ dangerous calls

def called(node) -> str:
    """The name of what is called, with its module where it is named."""
    if isinstance(node.func, ast.Attribute):
        before = node.func.value
        return f"{before.id}.{node.func.attr}" if isinstance(before, ast.Name) else f".{node.func.attr}"
    return getattr(node.func, "id", "")


def calls(source):
    return [(called(node), node) for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Call)]


def plain(node) -> bool:
    """Words that stand in the code, or are put together from such words."""
    if isinstance(node, ast.Constant | ast.Name):
        return True  # a name of the module's own; where it comes from is looked at by who reads
    if isinstance(node, ast.BinOp):
        return plain(node.left) and plain(node.right)
    return isinstance(node, ast.JoinedStr)


def evaluating(source):
    """Code made of text, and templates made of text."""
    return [name for name, _ in calls(source) if name in {
        "eval", "exec", "compile", "__import__", "render_template_string", "importlib.import_module"}
        or name.endswith((".from_string", ".eval"))]


def shells(source):
    """Programs started by words that a shell would read."""
    return [name for name, node in calls(source) if name in {"os.system", "os.popen", "subprocess.getoutput",
                                                             "subprocess.getstatusoutput"}
            or name.startswith("subprocess.") and any(each.arg == "shell" for each in node.keywords)
            or (name in {"subprocess.run", "subprocess.Popen"}
                and isinstance(node.args[0], ast.Constant | ast.JoinedStr))]


def statements_of_text(source):
    """SQL put together from text: `text` and `execute` take words of ours alone."""
    return [name for name, node in calls(source)
            if (name == "text" or name.endswith((".execute", ".exec_driver_sql"))) and node.args
            and (isinstance(node.args[0], ast.JoinedStr | ast.BinOp)
                 or isinstance(node.args[0], ast.Call) and called(node.args[0]).endswith(".format"))]


def patterns_of_text(source):
    """Regular expressions that are made from what people say, without `re.escape`."""
    return [ast.unparse(node) for name, node in calls(source)
            if name.split(".")[0] == "re" and name != "re.escape" and node.args and not plain(node.args[0])
            and "re.escape" not in ast.unparse(node.args[0]) and not isinstance(node.args[0], ast.Attribute)]


def formats_of_text(source):
    """Formats that are not words in the code: the two places that keep tables of sentences are named below."""
    return [ast.unparse(node.func) for name, node in calls(source) if name.endswith(".format")
            and not isinstance(node.func.value, ast.Constant) and not name.split(".")[0].isupper()
            and name not in {"each.format", "words.format", "_DAY.format"} and not (
                isinstance(node.func.value, ast.Call) and called(node.func.value) == "Markup")]


def markup_of_text(source):
    """What is called safe for a page: empty, a sign or a pattern in the code, or made by who escapes it."""
    return [ast.unparse(node) for name, node in calls(source) if name == "Markup" and node.args
            and not isinstance(node.args[0], ast.Constant) and "letters.marked" not in ast.unparse(node)]


def mixed_questions(source):
    """A field is read from the form or from the address, and never from whichever has it."""
    return [node.attr for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Attribute)
            and ast.unparse(node) == "request.values"]


def guessable(source):
    """Lots that could be foreseen: to spread out tries, and never for a secret."""
    return [name for name, _ in calls(source) if name.startswith(("random.", "np.random", "numpy.random"))
            and name != "random.uniform"] + [module for module, _ in imports(source)
                                             if module and module.startswith(("random.", "uuid.uuid1"))]


def weak_digests(source):
    """MD5 and SHA-1, but where a protocol asks for a checksum and it is said to be no secret."""
    found = [(name, node) for name, node in calls(source)
             if name in {"hashlib.md5", "hashlib.sha1", "hashlib.new"} or name.endswith((".MD5", ".SHA1"))]
    return [name for name, node in found
            if not any(each.arg == "usedforsecurity" and each.value.value is False for each in node.keywords)]


def ciphers(source):
    """Ciphers, modes, paddings and ways from password to key of one's own choice: Fernet and HKDF are all we use."""
    return [module for module, _ in imports(source) if module and module.startswith("cryptography")
            and not module.startswith(("cryptography.fernet", "cryptography.hazmat.primitives.kdf.hkdf",
                                       "cryptography.hazmat.primitives.hashes"))
            or module and top(module) in {"Crypto", "nacl", "rsa", "ecdsa", "M2Crypto", "pyaes"}] + [
        name for name, _ in calls(source) if name in {"hashlib.pbkdf2_hmac", "hashlib.scrypt"}]


def unmanaged(source):
    """Memory that nobody looks after: ctypes, but for the one call that lets a program end with who started it."""
    return [name for name, node in calls(source)
            if name.startswith("ctypes.") and ast.unparse(node) != "ctypes.CDLL(None)"] + [
        module for module, _ in imports(source) if module and top(module) in {"cffi", "cython", "mmap"}]


def loggers(source):
    """Ways for a line to a log, beside `core.log` and the application's own logger."""
    return [name for name, _ in calls(source) if name.startswith("logging.") or name == "print"] + [
        module for module, _ in imports(source) if module and top(module) in {"logging", "syslog", "loguru"}]


def unchecked(source):
    """Certificates that are not looked at."""
    return re.findall(r"CERT_NONE|check_hostname\s*=\s*False|_create_unverified_context|verify\s*=\s*False", source)


def development(source):
    """What only tests and those who measure need."""
    wanted = {re.split(r"[\[~=]", line)[0].strip().lower().replace("-", "_") for line in
              (ROOT / "requirements-dev.txt").read_text().splitlines() if line and line[0] not in "#-"}
    return [module for module, _ in imports(source) if module and top(module).lower() in {*wanted, "tests", "bench"}]


RULES = [evaluating, shells, statements_of_text, patterns_of_text, formats_of_text, markup_of_text, mixed_questions,
         guessable, weak_digests, ciphers, unmanaged, loggers, unchecked, development]
MAY = {"loggers": {"core/log.py", "media/decoder.py"},  # a program of its own, which answers by printing
       "statements_of_text": {"core/database.py"},  # pragmas, of a list in the code
       "patterns_of_text": {"search/reading.py", "search/analysis.py"}}  # patterns of our words


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_the_code_has_none_of(rule):
    assert {name: found for name, source in OURS.items()
            if name not in MAY.get(rule.__name__, ()) and (found := rule(source))} == {}


@pytest.mark.parametrize("rule, source", [
    (evaluating, "eval(request.args['x'])"), (evaluating, "render_template_string(said)"),
    (evaluating, "jinja.from_string(said)"), (shells, "os.system(said)"), (shells, "subprocess.run(words, shell=True)"),
    (shells, "subprocess.run(f'ffmpeg {name}')"), (statements_of_text, "text(f'SELECT {said}')"),
    (statements_of_text, "db.session.execute('SELECT ' + said)"), (statements_of_text, "text('x {}'.format(said))"),
    (patterns_of_text, "re.search(said.lower(), name)"), (formats_of_text, "person.name.format(x=1)"),
    (markup_of_text, "Markup(title.name)"), (mixed_questions, "request.values['x']"), (guessable, "random.choice(a)"),
    (weak_digests, "hashlib.md5(x)"), (weak_digests, "hashes.SHA1()"),
    (ciphers, "from cryptography.hazmat.primitives.ciphers import modes"),
    (ciphers, "hashlib.pbkdf2_hmac('sha1', a, b, 1)"),
    (unmanaged, "ctypes.string_at(1)"), (loggers, "import logging"), (loggers, "print(said)"),
    (unchecked, "context.check_hostname = False"), (development, "import pytest"), (development, "from tests import x"),
])
def test_each_of_these_rules_bites(rule, source):
    assert rule(source)


# ------------------------------------------------------------------ pages and scripts

FOUND_IN_PAGES = {
    "a script or a style in the page": r"<script(?![^>]*\bsrc=)|<style|\sstyle=|\son[a-z]+=|javascript:",
    "what is not escaped": r"\|\s*safe\b|autoescape\s+false",
    "plugins": r"<(?:object|embed|applet|frame|iframe)\b",
    "addresses elsewhere": r"(?:src|href|action|srcset)=[\"'](?:https?:)?//",
    "a password that can be read": r"(?:name|forms\.field\([^)]*)=?[\"'](?:new_)?password[\"'][^>]*type=[\"']text",
    "a password that nothing may fill in": r"type=[\"']password[\"'][^>]*autocomplete=[\"']off",
    "a secret question": r"(?i)secret question|mother's maiden|password hint|security question",
}
FOUND_IN_SCRIPTS = {
    "text made into a page":
        r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|DOMParser|createContextualFragment",
    "text made into a program": r"\beval\(|new Function|setTimeout\(\s*[\"'`]|import\([^\"'`]",
    "messages of other windows":
        r"(?:window|document|self\.parent)\.(?:addEventListener\(\s*[\"']message|onmessage)|\.opener|parent\.postMessage",
    "names that change every object":
        r"__proto__|\.prototype\b|constructor\[|[\w)\]]\[[A-Za-z_$][\w.$]+\]\s*=(?!=)|for \((?:const|let) \w+ in ",
    "what is kept in the browser": r"sessionStorage|indexedDB|document\.cookie|caches\.",
    "addresses elsewhere": r"[\"'`](?:https?:)?//",
    "clipboard": r"[\"'](?:paste|copy|cut|contextmenu)[\"']",
}


@pytest.mark.parametrize("what", FOUND_IN_PAGES)
def test_no_page_holds(what):
    assert {name: found for name, text in PAGES.items() if (found := re.findall(FOUND_IN_PAGES[what], text))} == {}


@pytest.mark.parametrize("what", FOUND_IN_SCRIPTS)
def test_no_script_holds(what):
    assert {name: found for name, text in SCRIPTS.items() if (found := re.findall(FOUND_IN_SCRIPTS[what], text))} == {}


def test_a_browser_keeps_nothing_but_which_upload_goes_on():
    """An id of ours, by size and time of the file: what it is called is its sellers' alone."""
    assert [name for name, text in SCRIPTS.items() if "localStorage" in text] == ["upload.mjs"]
    words = SCRIPTS["upload.mjs"]
    assert set(re.findall(r"localStorage\.(\w+)\(([^,)]+\))", words)) == {
        ("getItem", "memory(file)"), ("removeItem", "memory(file)"), ("setItem", "memory(file)")}
    assert set(re.findall(r"localStorage\.setItem\((.+?)\);", words)) == {"memory(file), id"}
    assert "file.name" not in re.search(r"const memory = .+", words)[0]


@pytest.mark.parametrize("table, what, text", [
    (FOUND_IN_PAGES, "a script or a style in the page", "<p onclick=x>"),
    (FOUND_IN_PAGES, "what is not escaped", "{{ name | safe }}"),
    (FOUND_IN_PAGES, "addresses elsewhere", '<img src="//cdn.example/x">'),
    (FOUND_IN_SCRIPTS, "text made into a page", "a.innerHTML = b"),
    (FOUND_IN_SCRIPTS, "text made into a program", "eval(x)"),
    (FOUND_IN_SCRIPTS, "names that change every object", "said[name] = value"),
    (FOUND_IN_SCRIPTS, "messages of other windows", "window.addEventListener('message', f)")])
def test_each_of_these_patterns_bites(table, what, text):
    assert re.search(table[what], text)


# ------------------------------------------------------------------ the libraries that are there

def test_every_library_that_is_used_is_in_the_list_and_the_other_way_round():
    """The list of what Slate runs on is whole: nothing is imported that it does not name."""
    listed = {re.split(r"[\[~=]", line)[0].strip().lower() for line in
              (ROOT / "requirements.txt").read_text().splitlines() if line and line[0] not in "#-"}
    of_module = importlib.metadata.packages_distributions()
    used = {top(module) for source in OURS.values() for module, _ in imports(source) if module}
    used -= {*sys.stdlib_module_names, *{top(name.replace("/", ".").removesuffix(".py")) for name in OURS}}
    missing = {module for module in used
               if not {each.lower() for each in of_module.get(module, [module])} & (listed | BROUGHT)}
    assert missing == set()


BROUGHT = {"werkzeug", "markupsafe", "itsdangerous", "click", "botocore", "apispec", "webargs", "limits",
           "flask-login", "libpass"}  # by those that are listed, of which they are a part


def test_every_library_is_held_to_compatible_releases():
    lines = [line for line in (ROOT / "requirements.txt").read_text().splitlines() if line and line[0] not in "#-"]
    assert [line for line in lines if not re.search(r"(~=|==)\d", line)] == []
    assert not re.search(r"git\+|https?://|--index-url|--extra-index-url", (ROOT / "requirements.txt").read_text())
