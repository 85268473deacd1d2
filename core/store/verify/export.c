#include <string.h>

#include "base/input.h"
#include "base/limits.h"
#include "store/verify/verify_inner.h"
#include "wire/json.h"

struct export {
    struct input lines;
    struct json_tape tape;
    struct arena arena; /* of one line */
};

static bool is_anchor(struct slice line)
{
    return slice_starts(line, SLICE("{\"moongate_anchor\""));
}

/* ---- A line. */

/* One reading for everybody: a line that had a second body, or more than is hashed, would show others what was never
 * verified. */
static bool has_only(const struct json_tape *tape, const struct slice *names, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        if (json_get(tape, 0, names[i]) == JSON_NONE) return false;
    }
    return json_count(tape, 0) == count;
}

static int64_t kind_of(const struct json_tape *tape)
{
    uint32_t kind = json_get(tape, 0, SLICE("kind"));
    for (int i = CHAIN_START; i <= CHAIN_ALERT; i++) {
        if (json_text_is(tape, kind, slice_str(chain_kind_name(i)))) return i;
    }
    return 0;
}

static bool read_place(const struct json_tape *tape, uint64_t *seq, uint8_t hash[CHAIN_HASH_BYTES])
{
    int64_t number;
    uint32_t node = json_get(tape, 0, SLICE("seq"));
    if (!json_is(tape, node, JSON_NUMBER) || !json_to_i64(tape, node, &number) || number <= 0) return false;
    *seq = (uint64_t)number;
    return json_to_bytes(tape, json_get(tape, 0, SLICE("hash")), hash, CHAIN_HASH_BYTES);
}

/* Its bytes are in the line, the arena and `hash`. */
static bool read_entry(struct export *x, struct verify_entry *e, uint8_t hash[CHAIN_HASH_BYTES])
{
    const struct slice names[] = {SLICE("seq"), SLICE("kind"), SLICE("hash"), SLICE("body")};
    uint32_t body = json_get(&x->tape, 0, SLICE("body"));
    if (!has_only(&x->tape, names, 4) || !json_is(&x->tape, body, JSON_STRING)) return false;
    *e = (struct verify_entry){.kind = kind_of(&x->tape),
                               .body = json_text(&x->tape, body, &x->arena),
                               .hash = slice_of((const char *)hash, CHAIN_HASH_BYTES)};
    return read_place(&x->tape, &e->seq, hash);
}

/* What the first entry goes on from. */
static bool read_base(const struct json_tape *tape, struct verify_base *base)
{
    const struct slice names[] = {SLICE("seq"), SLICE("hash")};
    return has_only(tape, names, 2) && read_place(tape, &base->seq, base->hash);
}

/* ---- The walk. */

static bool fail(const struct export *x, const char *what, struct fault *why)
{
    return fault_set(why, FAULT_INTERNAL, "%s: line %llu is no %s\nverify what `moongate audit export` has written, "
                     "whole and unchanged", x->lines.name, (unsigned long long)x->lines.line, what);
}

static bool take_anchor(struct verify *v, struct export *x, struct slice line, struct fault *why)
{
    struct anchor a;
    struct fault reason;
    if (!anchor_read(line, &a, &x->arena, &reason)) return fail(x, "anchor", why);
    verify_anchor(v, &a);
    return true;
}

static bool take_line(struct verify *v, struct export *x, struct slice line, struct fault *why)
{
    struct verify_entry e;
    struct verify_base base;
    struct fault reason;
    uint8_t hash[CHAIN_HASH_BYTES];
    if (slice_trim(line).len == 0) return true;
    if (is_anchor(line)) return take_anchor(v, x, line, why);
    if (!json_parse(&x->tape, line, &reason)) return fail(x, "entry of a ledger's export", why);
    if (v->result->entries == 0 && read_base(&x->tape, &base)) {
        v->base = base;
        return true;
    }
    if (!read_entry(x, &e, hash)) return fail(x, "entry of a ledger's export", why);
    verify_entry(v, &e);
    return true;
}

/* Whose chain it is must be known before the witness's lines are sorted by it: the first start or signed head says. */
static bool look_ahead(struct verify *v, struct export *x, struct slice line, struct fault *why)
{
    struct anchor a;
    struct verify_entry e;
    struct fault reason;
    uint8_t hash[CHAIN_HASH_BYTES];
    (void)why;
    if (is_anchor(line)) return !anchor_read(line, &a, &x->arena, &reason) || !verify_adopt(v, &a);
    bool is_start = json_parse(&x->tape, line, &reason) && read_entry(x, &e, hash) && e.kind == CHAIN_START;
    if (is_start) verify_start(v, e.body);
    return !is_start;
}

/* Until `take` returns false. */
static enum input_got each_line(struct verify *v, const char *path,
                                  bool (*take)(struct verify *v, struct export *x, struct slice line, struct fault *),
                                  struct fault *why)
{
    struct export x;
    struct slice line;
    enum input_got got = INPUT_FAILED;
    bool goes_on = true;
    if (!input_is_file(path, why)) return got;
    json_init(&x.tape);
    if (input_open(&x.lines, path, why)) {
        while (goes_on && (got = input_line(&x.lines, LIMIT_VERIFY_LINE_BYTES, &line, why)) == INPUT_LINE) {
            arena_init(&x.arena);
            goes_on = take(v, &x, line, why);
            arena_clear(&x.arena);
        }
    }
    input_close(&x.lines);
    json_clear(&x.tape);
    return got;
}

bool verify_export(struct verify *v, const char *path, struct fault *why)
{
    if (each_line(v, path, look_ahead, why) == INPUT_FAILED) return false;
    if (v->options->witness_file && !verify_witness_read(v, v->options->witness_file, why)) return false;
    return each_line(v, path, take_line, why) == INPUT_END;
}
