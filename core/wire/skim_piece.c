/* The piece that is being written: the path to where the text stands, and what of it has come. */
#include "wire/skim_inner.h"

#include "base/limits.h"

/* Else a piece would have no room behind its path. */
_Static_assert(LIMIT_JSON_DEPTH * (5 * LIMIT_SKIM_PLACES + LIMIT_SKIM_KEY_BYTES + SKIM_WORD_BYTES + 16) <
                   LIMIT_SKIM_BYTES,
               "the longest path");

/* ---- The piece. */

void skim_write_place(struct skim *s, struct level *level)
{
    if (level->has_written) buf_append_char(&s->piece, ',');
    level->has_written = true;
    if (level->is_list) return;
    buf_append_char(&s->piece, '"');
    buf_append(&s->piece, slice_of(level->key, level->key_len));
    buf_append(&s->piece, SLICE("\":"));
}

/* The elements that stand in other pieces, and not the one under way. */
static void write_places_before(struct skim *s, struct level *level)
{
    uint32_t before = level->count ? level->count - 1 : 0;
    if (before > LIMIT_SKIM_PLACES) before = LIMIT_SKIM_PLACES;
    for (uint32_t i = 0; i < before; i++)
        buf_append(&s->piece, i ? SLICE(",null") : SLICE("null"));
    level->has_written = before > 0;
}

static void write_index(struct skim *s, struct level *level)
{
    level->has_written = level->index_len > 0;
    if (!level->has_written) return;
    buf_append(&s->piece, SLICE("\"index\":"));
    buf_append(&s->piece, slice_of(level->index, level->index_len));
}

/* All that is open again, in a new piece. is_in_text: a text of the innermost level is under way. */
static void reopen(struct skim *s, bool is_in_text)
{
    for (unsigned i = 0; i < s->depth; i++) {
        struct level *level = &s->levels[i];
        if (i) skim_write_place(s, &s->levels[i - 1]);
        buf_append_char(&s->piece, level->is_list ? '[' : '{');
        if (level->is_list)
            write_places_before(s, level);
        else
            write_index(s, level);
    }
    if (!is_in_text) return;
    skim_write_place(s, skim_innermost(s));
    buf_append_char(&s->piece, '"');
}

void skim_tell(struct skim *s)
{
    for (unsigned i = s->depth; i-- > 0;)
        buf_append_char(&s->piece, s->levels[i].is_list ? ']' : '}');
    s->fn(s->arg, buf_slice(&s->piece));
    buf_reset(&s->piece);
    s->told_bytes = s->fed_bytes;
}

void skim_cut_text(struct skim *s)
{
    buf_append_char(&s->piece, '"');
    skim_tell(s);
    reopen(s, true);
}

/* Between two values. What is inside of a member of the root belongs together, as long as it is not too much. */
void skim_cut_if_long(struct skim *s)
{
    size_t most = s->depth <= 2 ? LIMIT_SKIM_BYTES : LIMIT_SKIM_BYTES_MAX;
    if (buf_len(&s->piece) < most) return;
    skim_tell(s);
    reopen(s, false);
}

/* ---- Texts. */

static void write_unknown(struct skim *s)
{
    buf_append(&s->piece, SLICE("\xEF\xBF\xBD"));
}

void skim_end_half(struct skim *s)
{
    if (s->half) write_unknown(s);
    s->half = 0;
}

static bool is_inside_character(char c)
{
    return ((unsigned char)c & 0xC0) == 0x80;
}

/* How many of these plain bytes the piece may take: up to a character's beginning, unless there is none for long. */
static size_t room_for(const struct skim *s, struct slice plain)
{
    size_t len = buf_len(&s->piece), at = len < LIMIT_SKIM_BYTES ? LIMIT_SKIM_BYTES - len : 0;
    if (at >= plain.len) return plain.len;
    while (at < plain.len && is_inside_character(plain.ptr[at]) && len + at < LIMIT_SKIM_BYTES_MAX)
        at++;
    return at;
}

void skim_write_plain(struct skim *s, struct slice plain)
{
    skim_end_half(s);
    while (plain.len) {
        size_t room = room_for(s, plain);
        buf_append(&s->piece, slice_of(plain.ptr, room));
        plain = slice_of(plain.ptr + room, plain.len - room);
        if (plain.len) skim_cut_text(s);
    }
}

void skim_write_unit(struct skim *s, uint32_t unit)
{
    bool is_first = unit >= 0xD800 && unit <= 0xDBFF, is_second = unit >= 0xDC00 && unit <= 0xDFFF;
    if (is_second && s->half) {
        buf_printf(&s->piece, "\\u%04x\\u%04x", s->half, unit);
        s->half = 0;
        return;
    }
    skim_end_half(s);
    if (is_first)
        s->half = unit;
    else if (is_second)
        write_unknown(s);
    else
        buf_printf(&s->piece, "\\u%04x", unit);
}
