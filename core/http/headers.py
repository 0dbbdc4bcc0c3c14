"""What every answer tells the browser: where scripts, pictures and films may come from, and that nothing is kept.

No page has a script or a style of its own in it, so the policy needs no nonce: what stands in `static` runs and
nothing else, and there is no nonce to be guessed, kept or reflected. No script makes markup or script out of text;
"worker" is upload.mjs's, which names its own worker by it and can name nothing else.
"""
from flask import Response, request

POLICY = ("default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: {store}; "
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


def init_app(app, store_origin):
    always = {**HEADERS, "Content-Security-Policy": POLICY.format(store=store_origin)}
    if app.config["PRODUCTION"]:
        always["Strict-Transport-Security"] = f"max-age={YEAR}; includeSubDomains"
        app.before_request(refuse_http)

    @app.after_request
    def add_headers(response):
        for name, value in always.items():
            response.headers.setdefault(name, value)
        said = response.headers.get("Cache-Control", "no-store")
        if request.endpoint != "static" and "no-store" in said:
            response.headers["Cache-Control"] = "no-store"  # Flask-Security writes "no-store=True", which says nothing
        return response
