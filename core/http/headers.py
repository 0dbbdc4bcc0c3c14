"""What every answer tells the browser: where scripts, pictures and films may come from, and that nothing is kept.

No page has a script or a style in it, and those it names in `static` carry the nonce of this one answer: a tag that
somebody smuggles in loads nothing, not even a file that was uploaded here. An answer that is no page lets nothing run.
No script makes markup or script out of text; "worker" is upload.mjs's, which names its own worker by it and can name
nothing else.
"""
from secrets import token_urlsafe

from flask import Response, g, request

POLICY = ("default-src 'none'; script-src {ours}; style-src {ours}; worker-src 'self'; img-src 'self' data: {store}; "
          "media-src 'self' {store}; connect-src 'self' {store}; object-src 'none'; base-uri 'none'; "
          "form-action 'self'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types worker")
NEVER = ("accelerometer", "camera", "display-capture", "geolocation", "gyroscope", "hid",
         "magnetometer", "microphone", "midi", "payment", "serial", "usb")
HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Permissions-Policy": ", ".join(f"{each}=()" for each in NEVER),
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}
HEALTH = "health"  # the blueprint of probes, which come to the machine itself
YEAR = 365 * 24 * 60 * 60


def refuse_http():
    """No redirect to https: a program that sends its token in the clear must be told, not served."""
    if not request.is_secure and request.blueprint != HEALTH:
        return Response("Slate answers over https alone. Open the same address with https. Whoever runs it behind a "
                        "proxy sets PROXIES to how many there are.\n", 403, mimetype="text/plain")


def nonce() -> str:
    """What the scripts and styles of the page that is being made are known by."""
    if "nonce" not in g:
        g.nonce = token_urlsafe(16)
    return g.nonce


def init_app(app, store_origin):
    app.jinja_env.globals["nonce"] = nonce
    always = HEADERS.copy()
    if app.config["PRODUCTION"]:
        always["Strict-Transport-Security"] = f"max-age={YEAR}; includeSubDomains"
        app.before_request(refuse_http)

    @app.after_request
    def add_headers(response):
        ours = f"'nonce-{g.nonce}'" if "nonce" in g else "'none'"
        response.headers.setdefault("Content-Security-Policy", POLICY.format(ours=ours, store=store_origin))
        for name, value in always.items():
            response.headers.setdefault(name, value)
        said = response.headers.get("Cache-Control", "no-store")
        if request.endpoint != "static" and "no-store" in said:
            response.headers["Cache-Control"] = "no-store"  # Flask-Security writes "no-store=True", which says nothing
        return response
