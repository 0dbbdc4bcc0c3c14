"""The same as `scan`, compiled: a pass over all rows, and one more over what it leaves open.

What the tables of sets cannot decide is decided by subtraction: a box (bits on three axes, a span of days) less the
boxes of other rows, piece by piece, until a piece is left over or none is. Importing this module takes about a
second, for numba is heavy. The first question ever compiles, for some ten to twenty seconds; the code is kept beside
the source, or where NUMBA_CACHE_DIR says, and later processes load it in half a second.
"""
import numpy as np
from numba import njit

from licensing.rights.columns import Columns
from licensing.rights.scan import AVAILABLE, PARTIAL, UNAVAILABLE, UNSURE, Question

OPEN = -2  # a share that the passes so far have not decided
MOST_STEPS = 20_000  # of one subtraction, before it is left to the exact algebra
MOST_BOXES = 64  # in which the mandates of several shares may agree
MINE, THEIRS = 0, 1  # lists of rows: mandates, and what is in their way
compiled = njit(cache=True, nogil=True)
inlined = njit(cache=True, nogil=True, forceinline=True)


def scan(columns: Columns, question: Question):
    """The verdict of each title; UNSURE where the exact algebra must say. Equal to `scan.scan` but for those."""
    shares, cuts, numbers, days = map(_read_only, columns[1:])
    axes = question.territories, question.media, question.languages
    classes = _table([*(each.classes for each in axes), question.roles])
    words, layout = np.concatenate([part for each in axes for part in (each.words.ravel(), each.asked)]), _layout(axes)
    (most, single), width = _size(shares, cuts), sum(len(each.asked) for each in axes)
    rows = np.empty((2, most), dtype=np.int64)
    boxes, spans = np.empty((5 * most + 8, width), dtype=np.uint64), np.empty((5 * most + 8, 3), dtype=np.int64)
    pools, pool_spans = np.empty((2, MOST_BOXES, width), np.uint64), np.empty((2, MOST_BOXES, 2), np.int64)
    start, end = question.start, question.end
    of_shares = np.empty(len(cuts) // 2, dtype=np.int8)
    _by_sets(cuts, numbers, days, classes, start, end, question.whole, words, layout, rows, of_shares)
    _by_subtraction(cuts, numbers, days, classes, start, end, words, layout, rows, boxes, spans, of_shares)
    if single:
        return of_shares
    found = np.empty(len(columns.ids), dtype=np.int8)
    _of_titles(shares, of_shares, found)
    _in_common(shares, cuts, numbers, days, classes, start, end, words, layout, rows, boxes, spans, pools, pool_spans,
               found)
    return found


def _read_only(column):
    """Of one type for the compiler, whether mapped from a file or in memory."""
    column = column.view()
    column.flags.writeable = False
    return column


def _table(classes):
    table = np.zeros((len(classes), max(map(len, classes))), dtype=np.uint8)
    for place, each in enumerate(classes):
        table[place, :len(each)] = each
    return table


def _layout(axes):
    """(3 x 4) for each axis: where it begins among the words of all sets, the words of one set, where those begin in a
    box, and the number under which, after all sets, what is asked itself is found."""
    widths = [len(each.asked) for each in axes]
    sizes = [each.words.size + len(each.asked) for each in axes]
    return np.array([[sum(sizes[:n]), widths[n], sum(widths[:n]), len(each.words)] for n, each in enumerate(axes)])


# What follows passes plain arrays: compiled code counts references to anything else on each call. `classes` are the
# question's tables, one for each column of `numbers`; `words` its sets on all axes end to end, found by `layout`. The
# rest is scratch: `rows` two lists of rows; `boxes` a stack, and in `spans` the days of each with the next row to
# subtract; `pools` two lists of boxes, with their days in `pool_spans`. Each pass is a function of its own and keeps to
# few arrays: together they ran half as fast.

@compiled
def _size(shares, cuts):
    """(more than the rows of any title, whether each has one share)."""
    most, single = 0, True
    for title in range(len(shares) - 1):
        first, last = np.int64(shares[title]), np.int64(shares[title + 1])
        most = max(most, np.int64(cuts[2 * last]) - np.int64(cuts[2 * first]))
        single &= last - first == 1
    return most + 1, single


@inlined
def _mandates(share, cuts):
    return np.int64(cuts[2 * share]), np.int64(cuts[2 * share + 1])


@inlined
def _others(share, cuts):
    return np.int64(cuts[2 * share + 1]), np.int64(cuts[2 * share + 2])


@inlined
def _class(row, numbers, days, classes, start, end):
    """0 the row does not meet the question, 1 it does, 3 it covers it. No `if`: a branch wrongly guessed costs the
    processor more than all of this."""
    met = np.int64(classes[0, numbers[row, 0]] & classes[1, numbers[row, 1]] & classes[2, numbers[row, 2]]
                   & classes[3, numbers[row, 3]])
    begins, ends = days[row, 0], days[row, 1]
    return met & (np.int64((begins < end) & (ends > start)) | np.int64((begins <= start) & (ends >= end)) << 1)


@inlined
def _list(first, last, numbers, days, classes, start, end, rows, which, count):
    """Append the rows that meet the question to a list that holds `count`; (the new count, all their classes)."""
    every = 0
    for row in range(first, last):
        met = _class(row, numbers, days, classes, start, end)
        rows[which, count] = row
        count += met & 1
        every |= met
    return count, every


@compiled
def _by_sets(cuts, numbers, days, classes, start, end, wanted_whole, words, layout, rows, found):
    """What single rows decide, and nearly all else."""
    for share in range(len(found)):
        owned, whole = _list(*_mandates(share, cuts), numbers, days, classes, start, end, rows, MINE, 0)
        if owned == 0:
            found[share] = UNAVAILABLE
            continue
        blocked, shut = _list(*_others(share, cuts), numbers, days, classes, start, end, rows, THEIRS, 0)
        if shut & 2 or wanted_whole and blocked:
            found[share] = UNAVAILABLE
        elif blocked == 0 and whole & 2:
            found[share] = AVAILABLE
        elif blocked == 0 and owned == 1:
            found[share] = PARTIAL
        else:
            found[share] = _by_unions(owned, blocked, numbers, days, start, end, words, layout, rows)


@compiled
def _by_unions(owned, blocked, numbers, days, start, end, words, layout, rows):
    """PARTIAL if it is plain that a mandate has something that nothing in its way has (or, with nothing in the way, the
    question something that no mandate has); else OPEN. Cheap, and mostly enough."""
    many, which, count = (owned, THEIRS, blocked) if blocked else (1, MINE, owned)
    for n in range(many):
        box = rows[MINE, n] if blocked else -1
        if (_sticks_out(box, which, count, numbers, days, start, end, words, layout, rows)
                or _held_alone(box, which, count, numbers, days, start, end, words, layout, rows)):
            return PARTIAL
    return OPEN


@inlined
def _first_word(row, axis, numbers, layout):
    """Where the words of a row begin; of what is asked, for row -1."""
    number = layout[axis, 3] if row < 0 else np.int64(numbers[row, axis])
    return layout[axis, 0] + number * layout[axis, 1]


@inlined
def _span(row, days, start, end):
    return (start, end) if row < 0 else (max(start, np.int64(days[row, 0])), min(end, np.int64(days[row, 1])))


@inlined
def _sticks_out(box, which, count, numbers, days, start, end, words, layout, rows):
    """Whether a row (-1: what is asked) has, on one axis alone, something that no listed row has."""
    day, last = _span(box, days, start, end)
    earliest, latest = last, day
    for n in range(count):
        earliest = min(earliest, np.int64(days[rows[which, n], 0]))
        latest = max(latest, np.int64(days[rows[which, n], 1]))
    if earliest > day or latest < last:
        return True
    for axis in range(3):
        first = _first_word(box, axis, numbers, layout)
        for each in range(layout[axis, 1]):
            left = words[first + each]
            for n in range(count):
                left &= ~words[_first_word(rows[which, n], axis, numbers, layout) + each]
            if left:
                return True
    while day < last:
        reached = day
        for n in range(count):
            if days[rows[which, n], 0] <= day:
                reached = max(reached, np.int64(days[rows[which, n], 1]))
        if reached == day:
            return True
        day = reached
    return False


@inlined
def _held_alone(box, which, count, numbers, days, start, end, words, layout, rows):
    """Whether a row (-1: what is asked) has a territory, medium or language that one listed row alone has, and that one
    not in all the rest of it."""
    for axis in range(3):
        first = _first_word(box, axis, numbers, layout)
        for each in range(layout[axis, 1]):
            once, again = np.uint64(0), np.uint64(0)
            for n in range(count):
                word = words[_first_word(rows[which, n], axis, numbers, layout) + each]
                again |= once & word
                once |= word
            alone = words[first + each] & once & ~again
            if alone == 0:
                continue
            for n in range(count):
                if words[_first_word(rows[which, n], axis, numbers, layout) + each] & alone and not _covers(
                        rows[which, n], box, axis, numbers, days, start, end, words, layout):
                    return True
    return False


@inlined
def _covers(row, box, but, numbers, days, start, end, words, layout):
    """Whether a row has all that another (-1: what is asked) has, on all axes but one."""
    begins, ends = _span(box, days, start, end)
    if days[row, 0] > begins or days[row, 1] < ends:
        return False
    for axis in range(3):
        mine, first = _first_word(row, axis, numbers, layout), _first_word(box, axis, numbers, layout)
        for n in range(layout[axis, 1] if axis != but else 0):
            if words[first + n] & ~words[mine + n]:
                return False
    return True


@compiled
def _by_subtraction(cuts, numbers, days, classes, start, end, words, layout, rows, boxes, spans, found):
    """What is still open, decided to the end."""
    for share in range(len(found)):
        if found[share] != OPEN:
            continue
        owned, _ = _list(*_mandates(share, cuts), numbers, days, classes, start, end, rows, MINE, 0)
        blocked, _ = _list(*_others(share, cuts), numbers, days, classes, start, end, rows, THEIRS, 0)
        many, which, count = (owned, THEIRS, blocked) if blocked else (1, MINE, owned)
        verdict = UNAVAILABLE if blocked else AVAILABLE  # if nothing is left over
        for n in range(many):
            _lay(rows[MINE, n] if blocked else -1, numbers, days, start, end, words, layout, boxes, spans)
            left = _left_over(which, count, numbers, days, words, layout, rows, boxes, spans)
            if left > 0:
                verdict = PARTIAL
                break
            if left < 0:
                verdict = UNSURE
        found[share] = verdict


@inlined
def _lay(row, numbers, days, start, end, words, layout, boxes, spans):
    """Begin the stack with what a row (-1: everything) has of the question."""
    for axis in range(3):
        first = _first_word(row, axis, numbers, layout)
        for n in range(layout[axis, 1]):
            boxes[0, layout[axis, 2] + n] = words[first + n]
    spans[0, 0], spans[0, 1] = _span(row, days, start, end)
    spans[0, 2] = 0


@inlined
def _meets(row, numbers, days, words, layout, boxes, spans, here):
    if days[row, 0] >= spans[here, 1] or days[row, 1] <= spans[here, 0]:
        return False
    for axis in range(3):
        width, word = layout[axis, 1], layout[axis, 2]
        place = _first_word(row, axis, numbers, layout)
        some = np.uint64(0)
        for n in range(width):
            some |= boxes[here, word + n] & words[place + n]
        if some == 0:
            return False
    return True


@compiled
def _left_over(which, count, numbers, days, words, layout, rows, boxes, spans):
    """Of the box that begins the stack, is anything in none of the listed rows? 1, 0, or -1 after too many steps."""
    here = len(boxes) - 1  # the box in hand
    size, steps = 1, 0
    while size:
        size -= 1
        steps += 1
        if steps > MOST_STEPS:
            return -1
        _copy(boxes, spans, size, here)
        n = spans[here, 2]
        while n < count and not _meets(rows[which, n], numbers, days, words, layout, boxes, spans, here):
            n += 1
        if n == count:
            return 1
        spans[here, 2] = n + 1
        size = _cut_off(rows[which, n], numbers, days, words, layout, boxes, spans, here, size)
    return 0


@inlined
def _cut_off(row, numbers, days, words, layout, boxes, spans, here, size):
    """Put what the box in hand has outside a row that meets it on the stack, in pieces; the new size of the stack."""
    for axis in range(3):
        width, word = layout[axis, 1], layout[axis, 2]
        place = _first_word(row, axis, numbers, layout)
        outside = np.uint64(0)
        for n in range(width):
            outside |= boxes[here, word + n] & ~words[place + n]
        if outside:
            _copy(boxes, spans, here, size)
            for n in range(width):
                boxes[size, word + n] &= ~words[place + n]
                boxes[here, word + n] &= words[place + n]
            size += 1
    starts, ends = np.int64(days[row, 0]), np.int64(days[row, 1])
    if spans[here, 0] < starts:
        _copy(boxes, spans, here, size)
        spans[size, 1] = starts
        size += 1
    if ends < spans[here, 1]:
        _copy(boxes, spans, here, size)
        spans[size, 0] = ends
        size += 1
    return size


@inlined
def _copy(boxes, spans, source, target):
    for word in range(boxes.shape[1]):
        boxes[target, word] = boxes[source, word]
    for n in range(3):
        spans[target, n] = spans[source, n]


@compiled
def _of_titles(shares, of_shares, found):
    """What is free on every share: one that is UNAVAILABLE settles it, one that is AVAILABLE changes nothing, and where
    several are PARTIAL it is OPEN."""
    for title in range(len(found)):
        first, last = np.int64(shares[title]), np.int64(shares[title + 1])
        verdict, some = AVAILABLE if first < last else UNAVAILABLE, 0
        for share in range(first, last):
            said = of_shares[share]
            if said == UNAVAILABLE:
                verdict = UNAVAILABLE
                break
            if said == UNSURE:
                verdict = UNSURE
            some += said == PARTIAL
        if verdict == AVAILABLE and some:
            verdict = PARTIAL if some == 1 else OPEN
        found[title] = verdict


@compiled
def _in_common(shares, cuts, numbers, days, classes, start, end, words, layout, rows, boxes, spans, pools, pool_spans,
               found):
    """The verdict of titles of which several shares are PARTIAL: is anything free on each of them?

    What is asked is cut down to the mandates of one share after the other; then what blocks any share is subtracted.
    """
    for title in range(len(found)):
        if found[title] != OPEN:
            continue
        first, last = np.int64(shares[title]), np.int64(shares[title + 1])
        blocked, everywhere = 0, 0
        for share in range(first, last):
            blocked, _ = _list(*_others(share, cuts), numbers, days, classes, start, end, rows, THEIRS, blocked)
        owned, _ = _list(*_mandates(first, cuts), numbers, days, classes, start, end, rows, MINE, 0)
        for n in range(owned):  # most series have mandates for all of it
            rows[MINE, everywhere] = rows[MINE, n]
            everywhere += _in_each(rows[MINE, n], first + 1, last, cuts, numbers, days)
        if blocked and _by_unions(everywhere, blocked, numbers, days, start, end, words, layout, rows) == PARTIAL:
            found[title] = PARTIAL
            continue
        _lay(-1, numbers, days, start, end, words, layout, boxes, spans)
        _keep(0, 0, boxes, spans, pools, pool_spans)
        pool, size, share = 0, 1, first
        while share < last and size > 0:
            owned, _ = _list(*_mandates(share, cuts), numbers, days, classes, start, end, rows, MINE, 0)
            size = _cut_down(owned, numbers, days, words, layout, rows, boxes, spans, pools, pool_spans, pool, size)
            pool, share = 1 - pool, share + 1
        verdict = UNAVAILABLE if size >= 0 else UNSURE
        for n in range(size):
            _take(pool, n, boxes, spans, pools, pool_spans)
            left = _left_over(THEIRS, blocked, numbers, days, words, layout, rows, boxes, spans)
            if left > 0:
                verdict = PARTIAL
                break
            if left < 0:
                verdict = UNSURE
        found[title] = verdict


@inlined
def _in_each(row, first, last, cuts, numbers, days):
    """Whether these shares all have a mandate like this row."""
    for share in range(first, last):
        there = False
        for other in range(*_mandates(share, cuts)):
            same = days[other, 0] == days[row, 0] and days[other, 1] == days[row, 1]
            for column in range(4):
                same &= numbers[other, column] == numbers[row, column]
            there |= same
        if not there:
            return False
    return True


@inlined
def _cut_down(owned, numbers, days, words, layout, rows, boxes, spans, pools, pool_spans, pool, size):
    """The boxes of one pool, each met with the listed mandates, into the other; how many, or -1 if too many."""
    count = 0
    for each in range(size):
        before = count
        for n in range(owned):
            _take(pool, each, boxes, spans, pools, pool_spans)
            if not _meet(rows[MINE, n], numbers, days, words, layout, boxes, spans):
                continue
            whole = _same(pool, each, boxes, spans, pools, pool_spans)
            if whole:
                count = before  # what other mandates have of this box lies inside
            if count == MOST_BOXES:
                return -1
            _keep(1 - pool, count, boxes, spans, pools, pool_spans)
            count += 1
            if whole:
                break
    return count


@inlined
def _meet(row, numbers, days, words, layout, boxes, spans):
    """Cut the box that begins the stack down to what it has in common with a row; whether that is anything."""
    full = True
    for axis in range(3):
        first, word = _first_word(row, axis, numbers, layout), layout[axis, 2]
        some = np.uint64(0)
        for n in range(layout[axis, 1]):
            boxes[0, word + n] &= words[first + n]
            some |= boxes[0, word + n]
        full &= some != 0
    spans[0, 0], spans[0, 1] = _span(row, days, spans[0, 0], spans[0, 1])
    return full and spans[0, 0] < spans[0, 1]


@inlined
def _take(pool, place, boxes, spans, pools, pool_spans):
    """Begin the stack with a box of a pool."""
    for word in range(boxes.shape[1]):
        boxes[0, word] = pools[pool, place, word]
    spans[0, 0], spans[0, 1], spans[0, 2] = pool_spans[pool, place, 0], pool_spans[pool, place, 1], 0


@inlined
def _keep(pool, place, boxes, spans, pools, pool_spans):
    """Put the box that begins the stack into a pool."""
    for word in range(boxes.shape[1]):
        pools[pool, place, word] = boxes[0, word]
    pool_spans[pool, place, 0], pool_spans[pool, place, 1] = spans[0, 0], spans[0, 1]


@inlined
def _same(pool, place, boxes, spans, pools, pool_spans):
    for word in range(boxes.shape[1]):
        if pools[pool, place, word] != boxes[0, word]:
            return False
    return pool_spans[pool, place, 0] == spans[0, 0] and pool_spans[pool, place, 1] == spans[0, 1]
