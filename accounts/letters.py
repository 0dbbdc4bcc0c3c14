"""A notice as a letter: the same words as plain text and as HTML, with the link to where it happened."""
import re
from html import escape

from core.mail import Letter

SCRIPTS = {"yue": "zh-Hant-HK", "cmn": "zh-Hant", "nan": "zh-Hant", "zh": "zh-Hant", None: "und"}  # as HTML says them
STYLE = "font:15px/1.5 -apple-system,Segoe UI,Helvetica,Arial,sans-serif;color:#14181a"


def of(notice, site: str) -> Letter:
    """The letter of a notice; `site` is the address people open Slate at."""
    body, link, choice = notice.body, f"{site}{notice.path}", f"{site}/account#notices"
    return Letter(key=notice.key, thread=notice.path.strip("/").partition("#")[0].replace("/", "-") or "slate",
                  name=notice.person.name, address=notice.person.email, subject=notice.subject, at=notice.at,
                  text=_text(notice, body, link, choice), html=_html(notice, body, link, choice))


def plain(*, key, thread, name, address, subject, said, link, at) -> Letter:
    """A letter that is no notice: sentences and a link, to who may have no account."""
    html = "".join(f"<p>{_lines(each, {})}</p>" for each in said)
    return Letter(key=key, thread=thread, name=name, address=address, subject=subject, at=at,
                  text="\n\n".join([subject, *said, link]) + "\n",
                  html=_page(subject, f'<h1 style="font:600 20px/1.3 Georgia,serif">{escape(subject)}</h1>{html}'
                                      f'<p><a href="{escape(link)}">{escape(link)}</a></p>'))


def _page(title, body):
    return (f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{escape(title)}</title></head>'
            f'<body style="{STYLE}">{body}</body></html>')


def said(change: dict) -> str:
    """A change in one line: "Territories: − Switzerland"."""
    return f"{change['term']}: {change['delta']}"


def by_title(changes: list[dict]) -> dict[str, list[dict]]:
    """The changes of each title, in their order."""
    found = {}
    for each in changes:
        found.setdefault(each["title"], []).append(each)
    return found


def marked(words: str, names: dict) -> str:
    """Words as HTML, in which every name says its language, so that it is set in the letters of its own script."""
    if not names or not words:
        return escape(words)
    found = re.split(f"({'|'.join(map(re.escape, sorted(names, key=len, reverse=True)))})", words)
    return "".join(f'<span lang="{escape(SCRIPTS.get(names[each], names[each]) or "")}">{escape(each)}</span>'
                   if each in names else escape(each) for each in found)


def _text(notice, body, link, choice):
    parts = [notice.subject, *body["said"]]
    for title, changes in by_title(body["changes"]).items():
        parts.append("\n".join([title, *(f"  {said(each)}" for each in changes)]))
    parts += [body["todo"]] * bool(body["todo"])
    return "\n\n".join([*parts, link, f"-- \nChoose what reaches you: {choice}"]) + "\n"


def _html(notice, body, link, choice):
    names = body["names"]
    parts = [f'<h1 style="font:600 20px/1.3 Georgia,serif">{marked(notice.subject, names)}</h1>',
             *(f"<p>{_lines(each, names)}</p>" for each in body["said"])]
    for title, changes in by_title(body["changes"]).items():
        rows = "".join(f'<tr><th scope="row" style="text-align:left;vertical-align:top;padding:2px 16px 2px 0;'
                       f'font-weight:400;color:#5d666b">{escape(each["term"])}</th><td style="padding:2px 0">'
                       f'{marked(each["delta"], names)}</td></tr>' for each in changes)
        parts.append(f'<h2 style="font:600 17px/1.3 Georgia,serif">{marked(title, names)}</h2><table>{rows}</table>')
    parts += [f"<p><b>{_lines(body['todo'], names)}</b></p>"] * bool(body["todo"])
    parts += [f'<p><a href="{escape(link)}">{escape(link)}</a></p>',
              f'<p style="color:#5d666b;font-size:13px"><a href="{escape(choice)}" style="color:#5d666b">'
              "Choose what reaches you</a></p>"]
    return _page(notice.subject, "".join(parts))


def _lines(words, names):
    return "<br>".join(marked(each, names) for each in words.splitlines())
