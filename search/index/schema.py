"""What the index holds of a title, in Whoosh's words."""
import warnings
from dataclasses import dataclass, field

from search import analysis, matching

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # Whoosh 2.7.4 has escapes that newer Pythons warn of
    import whoosh.analysis
    from whoosh import columns, fields


@dataclass(frozen=True)
class Document:
    """What is searched of one title. `stamp` tells whether the index is up to date with the record; `codes` are
    found only whole, and the year only orders what is found alike."""
    id: int
    stamp: str
    names: list[str] = field(default_factory=list)
    people: list[str] = field(default_factory=list)
    synopsis: list[str] = field(default_factory=list)
    keywords: list[str] = field(default_factory=list)
    codes: list[str] = field(default_factory=list)
    year: int = 0


class _Words(whoosh.analysis.Tokenizer):
    """Our own terms, in Whoosh's dress."""

    def __call__(self, value, positions=False, chars=False, keeporiginal=False, removestops=True, start_pos=0,
                 start_char=0, tokenize=True, mode="", **kwargs):
        token = whoosh.analysis.Token(positions, chars, removestops=removestops, mode=mode, **kwargs)
        for place, found in enumerate(analysis.tokens(value)):
            token.text, token.boost, token.stopped = found.term, 1.0, False
            if positions:
                token.pos = start_pos + place
            if chars:
                token.startchar, token.endchar = start_char + found.start, start_char + found.end
            yield token


class _Whole(whoosh.analysis.Tokenizer):
    """Each line as one term."""

    def __call__(self, value, positions=False, chars=False, **kwargs):
        token = whoosh.analysis.Token(positions, chars, **kwargs)
        for place, line in enumerate(value.split("\n")):
            token.text, token.boost, token.stopped, token.pos = line, 1.0, False, place
            yield token


SCHEMA = fields.Schema(
    id=fields.ID(stored=True, unique=True), stamp=fields.STORED, said=fields.STORED,
    number=fields.COLUMN(columns.NumericColumn("q")), year=fields.COLUMN(columns.NumericColumn("i")),
    **{name: fields.TEXT(analyzer=_Words()) for name in matching.FIELDS},
    **{name: fields.TEXT(analyzer=_Whole(), phrase=False) for name in ("whole", "sounds", "codes")})


def add(writer, document):
    names = list(map(analysis.whole, document.names))
    lines = {"whole": names, "sounds": map(analysis.sound, names), "codes": map(analysis.whole, document.codes),
             **{name: getattr(document, name) for name in matching.FIELDS}}
    writer.add_document(id=str(document.id), stamp=document.stamp, number=document.id, year=document.year,
                        said=list(map(analysis.folded, document.names)),
                        **{name: "\n".join(filter(None, each)) for name, each in lines.items()})
