#include "wire/redact_text.h"

#include "base/mem.h"

/* "[" name "_" number "]" */
#define PLACEHOLDER_BYTES_MAX (LIMIT_DETECT_NAME_BYTES + 13u)

void redact_text_init(struct redact_text *t, bool is_json)
{
    *t = (struct redact_text){.is_json = is_json};
    buf_init(&t->held);
}

void redact_text_clear(struct redact_text *t)
{
    buf_clear(&t->held);
    mem_free(t->edits);
    t->edits = NULL;
    t->edit_count = t->edit_cap = 0;
}

uint64_t redact_text_length(const struct redact_text *t)
{
    return t->begun + buf_len(&t->held);
}

static struct slice held_from(const struct redact_text *t, uint64_t at)
{
    struct slice held = buf_slice(&t->held);
    size_t skip = (size_t)(at - t->begun);
    return slice_of(held.ptr + skip, held.len - skip);
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

/* As it stands inside a JSON string of a text that is JSON. */
static void write_value(const struct redact_text *t, struct slice value, struct buf *out)
{
    struct buf json;
    if (!t->is_json) {
        buf_append(out, value);
        return;
    }
    buf_init(&json);
    buf_append_json(&json, value);
    buf_append(out, slice_of(buf_ptr(&json) + 1, buf_len(&json) - 2));
    buf_clear(&json);
}

void redact_text_write(const struct redact_text *t, uint64_t from, struct slice piece, struct buf *out)
{
    uint64_t to = from + piece.len, at = from;
    for (uint32_t i = first_behind(t, from); i < t->edit_count && t->edits[i].from < to; i++) {
        const struct redact_edit *edit = &t->edits[i];
        if (edit->from >= at) {
            buf_append(out, slice_of(piece.ptr + (at - from), (size_t)(edit->from - at)));
            write_value(t, edit->text, out);
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
    uint64_t at; /* of the text that is being scanned */
};

static void on_hit(void *arg, const struct detect_hit *hit)
{
    struct scan *scan = arg;
    struct redact_edit edit = {.from = scan->at + hit->from, .is_mask = true};
    struct slice value = slice_of(held_from(scan->t, edit.from).ptr, hit->len);
    edit.to = edit.from + hit->len;
    if (redact_answer_hit(scan->r, hit->kind, value, &edit.text)) add_edit(scan->t, &edit);
}

static void scan(struct redact_text *t, struct redact *r, bool is_last)
{
    struct scan scan = {t, r, t->scanned};
    if (!redact_rules_of(r)->response_finds) {
        t->scanned = redact_text_length(t);
        return;
    }
    t->scanned += detect_scan(redact_rules_of(r)->detect, &t->state, held_from(t, t->scanned), is_last, on_hit, &scan);
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

static void look_for_placeholders(struct redact_text *t, struct redact *r, bool is_last)
{
    uint64_t end = redact_text_length(t);
    bool may_restore = redact_rules_of(r)->is_restoring && redact_masks(r);
    while (t->looked < end) {
        struct slice rest = held_from(t, t->looked);
        const char *bracket = may_restore ? memchr(rest.ptr, '[', rest.len) : NULL;
        if (!bracket) {
            t->looked = end;
            return;
        }
        bool is_open;
        t->looked += (uint64_t)(bracket - rest.ptr);
        size_t len = placeholder_len(held_from(t, t->looked), &is_open);
        if (is_open && !is_last) return;
        struct redact_edit edit = {.from = t->looked, .to = t->looked + len};
        if (len && redact_restore(r, slice_of(bracket, len), &edit.text)) add_edit(t, &edit);
        t->looked += len ? len : 1;
    }
}

static void settle(struct redact_text *t, struct redact *r, bool is_last)
{
    scan(t, r, is_last);
    look_for_placeholders(t, r, is_last);
    t->settled = t->scanned < t->looked ? t->scanned : t->looked;
    buf_consume(&t->held, (size_t)(t->settled - t->begun));
    t->begun = t->settled;
}

void redact_text_feed(struct redact_text *t, struct redact *r, struct slice piece)
{
    t->is_ended = false;
    buf_append(&t->held, piece);
    settle(t, r, false);
}

void redact_text_end(struct redact_text *t, struct redact *r)
{
    if (!t->is_ended) settle(t, r, true);
    t->is_ended = true;
    t->state = (struct detect_state){0};
}
