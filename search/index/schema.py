"""What the index holds of a title, in Whoosh's words."""
import warnings
from secrets import token_hex

from search import analysis, matching

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # Whoosh 2.7.4 has escapes that newer Pythons warn of
    from whoosh import columns, fields, formats
    from whoosh.codec.whoosh3 import W3Codec


class Terms(fields.FieldType):
    """A field of our own terms, handed to Whoosh as it writes them: what its analyzers do besides takes as long."""
    indexed, scorable, stored, unique = True, False, False, False

    def __init__(self, cut, placed):
        self.cut, self.format = cut, formats.Positions() if placed else formats.Existence()

    def index(self, value, **kwargs):
        """(term, how often, weight, its places as the format has them) of each term."""
        places = {}
        for place, term in enumerate(self.cut(value)):
            places.setdefault(term, []).append(place)
        encoded = self.format.encode
        for term, found in places.items():
            yield term.encode(), len(found), 1.0, encoded(found)


def words(value: str) -> list[str]:
    """The terms of a text."""
    return [token.term for token in analysis.tokens(value)]


SCHEMA = fields.Schema(
    id=fields.ID(stored=True, unique=True), stamp=fields.STORED, said=fields.STORED,
    number=fields.COLUMN(columns.NumericColumn("q")), year=fields.COLUMN(columns.NumericColumn("i")),
    **{name: Terms(words, placed=True) for name in matching.FIELDS},
    **{name: Terms(str.splitlines, placed=False) for name in ("whole", "sounds", "codes")})


class Codec(W3Codec):
    """Whoosh names a segment with `random`: where that is seeded, a second one would be written over the first."""

    def new_segment(self, storage, indexname):
        made = super().new_segment(storage, indexname)
        made.segid = token_hex(8)
        return made


CODEC = Codec(compression=0)  # most blocks hold one title: packing each takes time and saves little
CODEC.length_stats = False  # nobody asks how long a field is, and Whoosh would look for a file of it at every term


def add(writer, document):
    names = list(map(analysis.whole, document.names))
    lines = {"whole": names, "sounds": map(analysis.sound, names), "codes": map(analysis.whole, document.codes),
             **{name: getattr(document, name) for name in matching.FIELDS}}
    writer.add_document(id=str(document.id), stamp=document.stamp, number=document.id, year=document.year,
                        said=list(map(analysis.folded, document.names)),
                        **{name: "\n".join(filter(None, each)) for name, each in lines.items()})
