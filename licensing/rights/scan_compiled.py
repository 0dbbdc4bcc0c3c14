"""The same as `scan`, compiled: one pass over the rows, and nearly all that it leaves open decided on the spot.

What the tables of sets cannot decide is decided by subtraction: a box (bits on three axes, a span of days) less the
boxes of other rows, piece by piece, until a piece is left over or none is. Importing this module takes about a
second, for numba is heavy; its compiled code is kept beside the source, or where NUMBA_CACHE_DIR says.
"""
import numpy as np
from numba import njit

from licensing.rights.columns import Columns
from licensing.rights.scan import AVAILABLE, PARTIAL, UNAVAILABLE, UNSURE, Question

MOST_STEPS = 20_000  # of one subtraction, before it is left to the exact algebra
MOST_BOXES = 64  # in which the mandates of several shares may agree
compiled = njit(cache=True, nogil=True)
inlined = njit(cache=True, nogil=True, forceinline=True)  # what every title runs through: a call costs as much as a row
NO_PLACES = np.empty(0, dtype=np.int64)
MINE, THEIRS, ALL_THEIRS = 0, 1, 2  # lists of rows: a share's mandates, what is in their way, and in that of all shares


def scan(columns: Columns, question: Question, places=None):
    """The verdict of each title at these places (None: all), all of which have a share; UNSURE as in `scan.scan`."""
    every, wanted = (True, NO_PLACES) if places is None else (False, places)
    found = np.empty(len(columns.ids) if every else len(wanted), dtype=np.int8)
    shares, cuts, numbers, days = map(_read_only, columns[1:])
    axes = question.territories, question.media, question.languages
    asked = np.concatenate([each.asked for each in axes])
    most, width = _most_rows(every, wanted, shares, cuts) + 1, len(asked)
    _titles(every, wanted, shares, cuts, numbers, days, _table([*(each.classes for each in axes), question.roles]),
            question.start, question.end, np.concatenate([each.words.ravel() for each in axes]), _layout(axes), asked,
            np.empty((3, most), np.int64), np.empty((5 * most + 8, width), np.uint64),
            np.empty((5 * most + 8, 3), np.int64), np.empty((2, MOST_BOXES, width), np.uint64),
            np.empty((2, MOST_BOXES, 2), np.int64), found)
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
    """(3 x 3): where an axis begins among the words of all sets, the words of one set, where those begin in a box."""
    widths = [len(each.asked) for each in axes]
    sizes = [each.words.size for each in axes]
    return np.array([[sum(sizes[:n]), widths[n], sum(widths[:n])] for n in range(len(axes))])


# What follows passes plain arrays: compiled code counts references to anything else on each call. `classes` are the
# question's tables, one for each column of `numbers`; `words` its sets on all axes end to end, found by `layout`;
# `asked` the words of the question. The rest is scratch: `rows` lists of rows; `boxes` a stack, and in `spans` the days
# of each with the next row to subtract; `pools` two lists of boxes, with their days in `pool_spans`.

@compiled
def _most_rows(every, places, shares, cuts):
    """Of any title: how much room its rows need."""
    most = 0
    for n in range(len(shares) - 1 if every else len(places)):
        title = n if every else places[n]
        most = max(most, np.int64(cuts[2 * shares[title + 1]]) - np.int64(cuts[2 * shares[title]]))
    return most


@compiled
def _titles(every, places, shares, cuts, numbers, days, classes, start, end, words, layout, asked, rows, boxes, spans,
            pools, pool_spans, found):
    for n in range(len(found)):
        title = n if every else places[n]
        first, last = np.int64(shares[title]), np.int64(shares[title + 1])
        verdict, some, unsure = AVAILABLE, 0, False
        for share in range(first, last):
            said = _share(share, cuts, numbers, days, classes, start, end, words, layout, asked, rows, boxes, spans)
            if said == UNAVAILABLE:
                verdict = UNAVAILABLE
                break
            some += said == PARTIAL
            unsure |= said == UNSURE
        if verdict != UNAVAILABLE and unsure:
            verdict = UNSURE
        elif verdict != UNAVAILABLE and some == 1:
            verdict = PARTIAL
        elif verdict != UNAVAILABLE and some > 1:
            verdict = _in_common(first, last, cuts, numbers, days, classes, start, end, words, layout, asked, rows,
                                 boxes, spans, pools, pool_spans)
        found[n] = verdict


@inlined
def _share(share, cuts, numbers, days, classes, start, end, words, layout, asked, rows, boxes, spans):
    first, middle, last = np.int64(cuts[2 * share]), np.int64(cuts[2 * share + 1]), np.int64(cuts[2 * share + 2])
    whole, owned = _meeting(first, middle, numbers, days, classes, start, end, rows, MINE, 0)
    if owned == 0:
        return UNAVAILABLE
    shut, blocked = _meeting(middle, last, numbers, days, classes, start, end, rows, THEIRS, 0)
    if shut:
        return UNAVAILABLE
    if blocked == 0:
        if whole:
            return AVAILABLE
        if owned == 1:
            return PARTIAL
        return _covered(owned, numbers, days, start, end, words, layout, asked, rows, boxes, spans)
    for n in range(owned):
        if _sticks_out(rows[MINE, n], blocked, numbers, days, start, end, words, layout, rows):
            return PARTIAL
    return _beyond(owned, blocked, numbers, days, start, end, words, layout, rows, boxes, spans)


@inlined
def _meeting(first, last, numbers, days, classes, start, end, rows, into, count):
    """(does one cover the question, how many are listed): appends the rows that meet it to a list of `count` so far.

    Nothing is skipped by an `if`: a branch wrongly guessed costs the processor more than the whole row.
    """
    all_classes = 0
    for row in range(first, last):
        met = np.int64(classes[0, numbers[row, 0]] & classes[1, numbers[row, 1]] & classes[2, numbers[row, 2]]
                       & classes[3, numbers[row, 3]])
        begins, ends = days[row, 0], days[row, 1]
        met &= np.int64((begins < end) & (ends > start)) | np.int64((begins <= start) & (ends >= end)) << 1
        rows[into, count] = row
        count += met & 1
        all_classes |= met
    return all_classes > 1, count


@inlined
def _sticks_out(mandate, blocked, numbers, days, start, end, words, layout, rows):
    """Whether a mandate has, on one axis alone, something that nothing in its way has: cheap, and mostly enough."""
    for axis in range(3):
        first, width = layout[axis, 0], layout[axis, 1]
        for word in range(first, first + width):
            left = words[word + np.int64(numbers[mandate, axis]) * width]
            for n in range(blocked):
                left &= ~words[word + np.int64(numbers[rows[THEIRS, n], axis]) * width]
            if left:
                return True
    day, last = max(start, np.int64(days[mandate, 0])), min(end, np.int64(days[mandate, 1]))
    while day < last:
        reached = day
        for n in range(blocked):
            row = rows[THEIRS, n]
            if days[row, 0] <= day:
                reached = max(reached, np.int64(days[row, 1]))
        if reached == day:
            return True
        day = reached
    return False


@compiled
def _beyond(owned, blocked, numbers, days, start, end, words, layout, rows, boxes, spans):
    """PARTIAL if a mandate reaches beyond what blocks it, else UNAVAILABLE."""
    verdict = UNAVAILABLE
    for n in range(owned):
        _lay_row(rows[MINE, n], numbers, days, start, end, words, layout, boxes, spans)
        left = _left_over(THEIRS, blocked, numbers, days, words, layout, rows, boxes, spans)
        if left > 0:
            return PARTIAL
        if left < 0:
            verdict = UNSURE
    return verdict


@compiled
def _covered(owned, numbers, days, start, end, words, layout, asked, rows, boxes, spans):
    """AVAILABLE if the mandates cover the question together, else PARTIAL."""
    _lay(asked, start, end, boxes, spans)
    left = _left_over(MINE, owned, numbers, days, words, layout, rows, boxes, spans)
    return AVAILABLE if left == 0 else PARTIAL if left > 0 else UNSURE


@inlined
def _lay_row(row, numbers, days, start, end, words, layout, boxes, spans):
    """Begin the stack with what a row has of the question."""
    for axis in range(3):
        width, word = layout[axis, 1], layout[axis, 2]
        place = layout[axis, 0] + np.int64(numbers[row, axis]) * width
        for n in range(width):
            boxes[0, word + n] = words[place + n]
    spans[0, 0], spans[0, 1] = max(start, np.int64(days[row, 0])), min(end, np.int64(days[row, 1]))
    spans[0, 2] = 0


@inlined
def _lay(box, start, end, boxes, spans):
    """Begin the stack with a box."""
    for word in range(len(box)):
        boxes[0, word] = box[word]
    spans[0, 0], spans[0, 1], spans[0, 2] = start, end, 0


@inlined
def _meet(row, numbers, days, words, layout, boxes, spans, here):
    """Cut a box down to what it has in common with a row; whether that is anything."""
    full = True
    for axis in range(3):
        width, word = layout[axis, 1], layout[axis, 2]
        place = layout[axis, 0] + np.int64(numbers[row, axis]) * width
        some = np.uint64(0)
        for n in range(width):
            boxes[here, word + n] &= words[place + n]
            some |= boxes[here, word + n]
        full &= some != 0
    spans[here, 0] = max(spans[here, 0], np.int64(days[row, 0]))
    spans[here, 1] = min(spans[here, 1], np.int64(days[row, 1]))
    return full and spans[here, 0] < spans[here, 1]


@inlined
def _meets(row, numbers, days, words, layout, boxes, spans, here):
    if days[row, 0] >= spans[here, 1] or days[row, 1] <= spans[here, 0]:
        return False
    for axis in range(3):
        width, word = layout[axis, 1], layout[axis, 2]
        place = layout[axis, 0] + np.int64(numbers[row, axis]) * width
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
        place = layout[axis, 0] + np.int64(numbers[row, axis]) * width
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
def _in_common(first, last, cuts, numbers, days, classes, start, end, words, layout, asked, rows, boxes, spans, pools,
               pool_spans):
    """The verdict of shares of which several are PARTIAL: is anything free on each of them?

    In turn, what is left of the question is cut down to the mandates of each share; then whatever blocks any share is
    subtracted.
    """
    for word in range(len(asked)):
        pools[0, 0, word] = asked[word]
    pool_spans[0, 0, 0], pool_spans[0, 0, 1] = start, end
    pool, size, blocked = 0, 1, 0
    for share in range(first, last):
        middle = np.int64(cuts[2 * share + 1])
        _, owned = _meeting(np.int64(cuts[2 * share]), middle, numbers, days, classes, start, end, rows, MINE, 0)
        _, blocked = _meeting(middle, np.int64(cuts[2 * share + 2]), numbers, days, classes, start, end, rows,
                              ALL_THEIRS, blocked)
        more = _cut_down(owned, numbers, days, words, layout, rows, boxes, spans, pools, pool_spans, pool, size)
        if more < 0:
            return UNSURE
        pool, size = 1 - pool, more
    verdict = UNAVAILABLE
    for n in range(size):
        _lay(pools[pool, n], pool_spans[pool, n, 0], pool_spans[pool, n, 1], boxes, spans)
        left = _left_over(ALL_THEIRS, blocked, numbers, days, words, layout, rows, boxes, spans)
        if left > 0:
            return PARTIAL
        if left < 0:
            verdict = UNSURE
    return verdict


@compiled
def _cut_down(owned, numbers, days, words, layout, rows, boxes, spans, pools, pool_spans, pool, size):
    """The boxes of one pool, each met with the listed mandates, into the other; how many, or -1 if too many."""
    count = 0
    for each in range(size):
        before = count
        for n in range(owned):
            _lay(pools[pool, each], pool_spans[pool, each, 0], pool_spans[pool, each, 1], boxes, spans)
            if not _meet(rows[MINE, n], numbers, days, words, layout, boxes, spans, 0):
                continue
            whole = _same(pools, pool_spans, pool, each, boxes, spans)
            if whole:
                count = before  # the other pieces lie inside this one
            if count == MOST_BOXES:
                return -1
            for word in range(boxes.shape[1]):
                pools[1 - pool, count, word] = boxes[0, word]
            pool_spans[1 - pool, count, 0], pool_spans[1 - pool, count, 1] = spans[0, 0], spans[0, 1]
            count += 1
            if whole:
                break
    return count


@inlined
def _same(pools, pool_spans, pool, each, boxes, spans):
    for word in range(boxes.shape[1]):
        if pools[pool, each, word] != boxes[0, word]:
            return False
    return pool_spans[pool, each, 0] == spans[0, 0] and pool_spans[pool, each, 1] == spans[0, 1]
