#include "wire/redact_text.h"

#include "base/mem.h"

/* "[" name "_" number "]" */
#define PLACEHOLDER_BYTES_MAX (LIMIT_DETECT_NAME_BYTES + 13u)

#define PIECE_BYTES (16u * 1024) /* taken in at once: what is seen of it is kept beside it */

void redact_text_init(struct redact_text *t)
{
    *t = (struct redact_text){.is_ended = false};
    buf_init(&t->held);
    sight_init(&t->sight);
}

void redact_text_clear(struct redact_text *t)
{
    buf_clear(&t->held);
    sight_clear(&t->sight);
    mem_free(t->edits);
    t->edits = NULL;
    t->edit_count = t->edit_cap = 0;
}

uint64_t redact_text_length(const struct redact_text *t)
{
    return t->begun + buf_len(&t->held);
}

static struct slice held_between(const struct redact_text *t, uint64_t from, uint64_t to)
{
    return slice_of(buf_ptr(&t->held) + (from - t->begun), (size_t)(to - from));
}

/* --- edits --- */

/* The first edit that ends behind `at`. */
static uint32_t first_behind(const struct redact_text *t, uint64_t at)
{
    uint32_t i = t->edit_count;
    while (i > 0 && t->edits[i - 1].to > at)
        i--;
    return i;
}

static void drop_edits(struct redact_text *t, uint32_t first, uint32_t count)
{
    t->edit_count -= count;
    memmove(t->edits + first, t->edits + first + count, (t->edit_count - first) * sizeof *t->edits);
}

/* A placeholder goes before a hit inside it: hits hold no bracket, so neither can hold the beginning of the other. */
static void add_edit(struct redact_text *t, const struct redact_edit *edit)
{
    uint32_t i = first_behind(t, edit->from);
    while (i < t->edit_count && t->edits[i].from < edit->to) {
        if (edit->is_mask) return;
        drop_edits(t, i, 1);
    }
    if (t->edit_count == t->edit_cap) {
        t->edit_cap = t->edit_cap ? 2 * t->edit_cap : 4;
        t->edits = mem_realloc(t->edits, t->edit_cap * sizeof *t->edits);
    }
    memmove(t->edits + i + 1, t->edits + i, (t->edit_count - i) * sizeof *t->edits);
    t->edits[i] = *edit;
    t->edit_count++;
}

bool redact_text_is_changed(const struct redact_text *t, uint64_t from, uint64_t to, bool *has_mask)
{
    bool is_changed = false;
    for (uint32_t i = first_behind(t, from); i < t->edit_count && t->edits[i].from < to; i++) {
        is_changed = true;
        if (t->edits[i].is_mask) *has_mask = true;
    }
    return is_changed;
}

void redact_text_write(const struct redact_text *t, uint64_t from, struct slice piece, struct buf *out)
{
    uint64_t to = from + piece.len, at = from;
    for (uint32_t i = first_behind(t, from); i < t->edit_count && t->edits[i].from < to; i++) {
        const struct redact_edit *edit = &t->edits[i];
        if (edit->from >= at) {
            buf_append(out, slice_of(piece.ptr + (at - from), (size_t)(edit->from - at)));
            sight_write(edit->text, edit->depth, edit->is_number, out);
        }
        at = edit->to < to ? edit->to : to;
    }
    buf_append(out, slice_of(piece.ptr + (at - from), (size_t)(to - at)));
}

void redact_text_forget(struct redact_text *t, uint64_t to)
{
    uint32_t gone = 0;
    while (gone < t->edit_count && t->edits[gone].to <= to)
        gone++;
    if (gone) drop_edits(t, 0, gone);
}

/* --- finding --- */

struct scan {
    struct redact_text *t;
    struct redact *r;
    uint64_t at; /* of what is seen and being scanned */
};

static bool is_masked_at(const struct redact_text *t, uint64_t at)
{
    uint32_t i = first_behind(t, at);
    return i < t->edit_count && t->edits[i].from <= at && t->edits[i].is_mask;
}

static void mask_part(struct scan *scan, unsigned kind, const struct sight_part *part)
{
    struct redact_text *t = scan->t;
    struct redact_edit edit = {.from = part->from, .to = part->to, .depth = (unsigned char)part->depth,
                               .is_number = part->is_number, .is_mask = true};
    struct buf value;
    if (is_masked_at(t, part->from)) return; /* a second hit in one number */
    buf_init(&value);
    sight_read(held_between(t, part->from, part->to), part->depth, &value);
    if (redact_answer_hit(scan->r, kind, buf_slice(&value), &edit.text)) add_edit(t, &edit);
    buf_clear(&value);
}

static void on_hit(void *arg, const struct detect_hit *hit)
{
    struct scan *scan = arg;
    struct sight_part part;
    uint64_t from = scan->at + hit->from, to = from + hit->len;
    while (sight_next_part(&scan->t->sight, &from, to, &part))
        mask_part(scan, hit->kind, &part);
}

static void scan(struct redact_text *t, struct redact *r, bool is_last)
{
    struct scan scan = {t, r, t->scanned};
    if (!redact_rules_of(r)->response_finds) {
        t->scanned = sight_end(&t->sight);
        return;
    }
    struct slice text = sight_from(&t->sight, t->scanned);
    t->scanned += detect_scan(redact_rules_of(r)->detect, &t->state, text, is_last, on_hit, &scan);
}

static bool is_name(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
}

/* Bytes of what may be a placeholder at the bracket; 0: none. *is_open: it may go on behind the text. */
static size_t placeholder_len(struct slice s, bool *is_open)
{
    size_t at = 1;
    while (at < s.len && at < PLACEHOLDER_BYTES_MAX && is_name(s.ptr[at]))
        at++;
    *is_open = at == s.len && at < PLACEHOLDER_BYTES_MAX;
    return at < s.len && s.ptr[at] == ']' ? at + 1 : 0;
}

static void restore(struct redact_text *t, struct redact *r, size_t len)
{
    struct sight_part place = sight_place(&t->sight, t->looked, t->looked + len);
    struct redact_edit edit = {.from = place.from, .to = place.to, .depth = (unsigned char)place.depth};
    struct slice placeholder = slice_of(sight_from(&t->sight, t->looked).ptr, len);
    if (redact_restore(r, placeholder, &edit.text)) add_edit(t, &edit);
}

static void look_for_placeholders(struct redact_text *t, struct redact *r, bool is_last)
{
    uint64_t end = sight_end(&t->sight);
    bool may_restore = redact_rules_of(r)->is_restoring && redact_masks(r);
    while (t->looked < end) {
        struct slice rest = sight_from(&t->sight, t->looked);
        const char *bracket = may_restore ? memchr(rest.ptr, '[', rest.len) : NULL;
        if (!bracket) {
            t->looked = end;
            return;
        }
        bool is_open;
        t->looked += (uint64_t)(bracket - rest.ptr);
        size_t len = placeholder_len(sight_from(&t->sight, t->looked), &is_open);
        if (is_open && !is_last) return;
        if (len) restore(t, r, len);
        t->looked += len ? len : 1;
    }
}

static void settle(struct redact_text *t, struct redact *r, bool is_last)
{
    scan(t, r, is_last);
    look_for_placeholders(t, r, is_last);
    uint64_t seen = t->scanned < t->looked ? t->scanned : t->looked;
    t->settled = sight_raw(&t->sight, seen);
    sight_forget(&t->sight, seen);
    buf_consume(&t->held, (size_t)(t->settled - t->begun));
    t->begun = t->settled;
    if (t->sight.is_too_deep) redact_note_too_deep(r);
}

void redact_text_feed(struct redact_text *t, struct redact *r, struct slice text)
{
    t->is_ended = false;
    for (size_t at = 0; at < text.len; at += PIECE_BYTES) {
        struct slice piece = slice_of(text.ptr + at, text.len - at < PIECE_BYTES ? text.len - at : PIECE_BYTES);
        buf_append(&t->held, piece);
        sight_feed(&t->sight, piece);
        settle(t, r, false);
    }
}

void redact_text_end(struct redact_text *t, struct redact *r)
{
    if (!t->is_ended) {
        sight_flush(&t->sight);
        settle(t, r, true);
    }
    t->is_ended = true;
    t->state = (struct detect_state){0};
}

void redact_text_restart(struct redact_text *t)
{
    sight_restart(&t->sight);
}
