#include "wire/fitting.h"

#include <string.h>

/* One walk for both questions: edits NULL counts what there is. */
struct walk {
    const struct json_tape *tape;
    struct splice *edits;
    struct dropped *dropped;
    unsigned found;
};

static void take_out(struct walk *w, uint32_t object, uint32_t value)
{
    w->found++;
    if (w->edits) splice_remove(w->edits, object, value);
}

static void name_root(struct walk *w, struct slice name)
{
    if (w->dropped) dropped_add(w->dropped, name);
}

/* --- what is rejected --- */

static bool says_nothing(const struct walk *w, struct slice name, uint32_t value)
{
    int64_t number;
    return slice_equal(name, SLICE("n")) && json_is(w->tape, value, JSON_NUMBER) &&
           json_to_i64(w->tape, value, &number) && number == 1;
}

/* Each of that name: one that stands twice goes twice. */
static void reject_members(struct walk *w, struct slice name)
{
    for (uint32_t n = json_first(w->tape, 0); n != JSON_NONE; n = json_next(w->tape, n)) {
        if (!json_key_is(w->tape, n, name) || says_nothing(w, name, n)) continue;
        take_out(w, 0, n);
        name_root(w, name);
    }
}

static bool reject_of(struct walk *w, uint32_t object, struct slice name)
{
    unsigned before = w->found;
    if (!json_is(w->tape, object, JSON_OBJECT)) return false;
    for (uint32_t n = json_first(w->tape, object); n != JSON_NONE; n = json_next(w->tape, n))
        if (json_key_is(w->tape, n, name)) take_out(w, object, n);
    return w->found > before;
}

static void reject_in_elements(struct walk *w, uint32_t list, const char *list_name, struct slice name)
{
    uint32_t number = 0;
    for (uint32_t n = json_first(w->tape, list); n != JSON_NONE; n = json_next(w->tape, n), number++) {
        bool is_found = reject_of(w, n, name);
        is_found = reject_of(w, json_get(w->tape, n, SLICE("function")), name) || is_found;
        if (is_found && w->dropped) dropped_add_at(w->dropped, list_name, number, name);
    }
}

static void reject_inner(struct walk *w, struct slice path, struct slice outer, struct slice inner)
{
    char list_name[DROPPED_NAME_BYTES];
    uint32_t value = json_get(w->tape, 0, outer);
    if (json_is(w->tape, value, JSON_ARRAY) && outer.len < sizeof list_name) {
        memcpy(list_name, outer.ptr, outer.len);
        list_name[outer.len] = '\0';
        reject_in_elements(w, value, list_name, inner);
    } else if (json_text_is(w->tape, json_get(w->tape, value, SLICE("type")), inner)) {
        take_out(w, 0, value);
        name_root(w, path);
    } else if (reject_of(w, value, inner)) {
        name_root(w, path);
    }
}

static void reject(struct walk *w, struct slice path)
{
    struct slice inner, outer = slice_split(path, '.', &inner);
    if (inner.len)
        reject_inner(w, path, outer, inner);
    else
        reject_members(w, outer);
}

/* --- what has another name --- */

static struct slice quoted(struct walk *w, struct slice text)
{
    return arena_printf(w->edits->arena, "\"%.*s\"", SLICE_FMT(text));
}

static void rename_role(struct walk *w, struct slice old, struct slice new)
{
    uint32_t messages = json_get(w->tape, 0, SLICE("messages"));
    if (!json_is(w->tape, messages, JSON_ARRAY)) return;
    for (uint32_t n = json_first(w->tape, messages); n != JSON_NONE; n = json_next(w->tape, n)) {
        uint32_t role = json_get(w->tape, n, SLICE("role"));
        if (!json_text_is(w->tape, role, old)) continue;
        w->found++;
        if (w->edits) splice_value(w->edits, role, quoted(w, new));
    }
}

/* Only its name changes, in its place. */
static void rename_key(struct walk *w, uint32_t value, struct slice new)
{
    struct slice key = json_key(w->tape, value);
    size_t at = (size_t)(key.ptr - w->tape->bytes);
    w->found++;
    if (w->edits) splice_bytes(w->edits, at, at + key.len, quoted(w, new));
}

/* All of that name but the one; of what says the same nothing is lost. */
static void take_out_others(struct walk *w, struct slice name, uint32_t one)
{
    for (uint32_t n = json_first(w->tape, 0); n != JSON_NONE; n = json_next(w->tape, n)) {
        if (n == one || !json_key_is(w->tape, n, name)) continue;
        take_out(w, 0, n);
        if (!slice_equal(json_raw(w->tape, n), json_raw(w->tape, one))) name_root(w, name);
    }
}

/* The old name is the one that the gateway reads, and sets: a bound of its own is not to give way to the caller's. */
static void rename_member(struct walk *w, struct slice old, struct slice new)
{
    uint32_t value = json_get(w->tape, 0, old);
    if (value == JSON_NONE || slice_equal(old, new)) return;
    take_out_others(w, new, value);
    take_out_others(w, old, value);
    rename_key(w, value, new);
}

static void rename_one(struct walk *w, struct slice line)
{
    struct slice new, old = slice_split(line, '\t', &new), role = SLICE("role.");
    if (slice_starts(old, role))
        rename_role(w, slice_of(old.ptr + role.len, old.len - role.len), new);
    else
        rename_member(w, old, new);
}

static unsigned walk(const struct fitting *f, struct walk *w)
{
    struct slice rest = f->rejects;
    if (!json_is(w->tape, 0, JSON_OBJECT)) return 0;
    while (rest.len)
        reject(w, slice_split(rest, '\n', &rest));
    for (rest = f->renames; rest.len;)
        rename_one(w, slice_split(rest, '\n', &rest));
    return w->found;
}

bool fitting_touches(const struct fitting *f, const struct json_tape *tape)
{
    struct walk w = {.tape = tape};
    return walk(f, &w) > 0;
}

void fitting_edit(const struct fitting *f, struct splice *edits, struct dropped *dropped)
{
    struct walk w = {.tape = edits->tape, .edits = edits, .dropped = dropped};
    walk(f, &w);
}
