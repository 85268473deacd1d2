#include <string.h>

#include "base/hex.h"
#include "base/limits.h"
#include "store/verify_inner.h"
#include "wire/json.h"

static int64_t kind_of(const struct json_tape *tape, struct arena *arena)
{
    int64_t number = 0;
    uint32_t kind = json_get(tape, 0, SLICE("kind"));
    if (json_is(tape, kind, JSON_NUMBER)) return json_to_i64(tape, kind, &number) ? number : 0;
    struct slice name = json_is(tape, kind, JSON_STRING) ? json_text(tape, kind, arena) : SLICE_NONE;
    for (int i = CHAIN_START; i <= CHAIN_ALERT; i++) {
        if (slice_equal(name, slice_str(chain_kind_name(i)))) return i;
    }
    return 0;
}

/* The body is a JSON string, or the JSON itself as it was hashed. */
static struct slice body_of(const struct json_tape *tape, struct arena *arena)
{
    uint32_t body = json_get(tape, 0, SLICE("body"));
    return json_is(tape, body, JSON_STRING) ? json_text(tape, body, arena) : json_raw(tape, body);
}

static bool read_entry(const struct json_tape *tape, struct verify_entry *e, uint8_t hash[CHAIN_HASH_BYTES],
                       struct arena *arena)
{
    int64_t seq;
    uint32_t number = json_get(tape, 0, SLICE("seq"));
    struct slice hex = json_raw(tape, json_get(tape, 0, SLICE("hash")));
    if (!json_is(tape, number, JSON_NUMBER) || !json_to_i64(tape, number, &seq) || seq <= 0) return false;
    if (hex.len != 2 * CHAIN_HASH_BYTES + 2 || !hex_read(slice_of(hex.ptr + 1, hex.len - 2), hash, CHAIN_HASH_BYTES))
        return false;
    *e = (struct verify_entry){.seq = (uint64_t)seq,
                               .kind = kind_of(tape, arena),
                               .body = body_of(tape, arena),
                               .hash = slice_of((const char *)hash, CHAIN_HASH_BYTES)};
    return e->body.ptr != NULL;
}

struct export {
    struct verify_lines lines;
    struct json_tape tape;
    struct arena arena;
    bool has_begun;
};

/* Whose chain it is must be known before the witness's lines are sorted by it. */
static bool begin(struct verify *v, struct export *x, const struct verify_entry *e, struct fault *why)
{
    if (x->has_begun) return true;
    x->has_begun = true;
    if (e && e->kind == CHAIN_START) verify_start(v, e->body);
    return !v->options->witness_file || verify_witness_read(v, v->options->witness_file, why);
}

static bool take_anchor(struct verify *v, struct export *x, struct slice line, struct fault *why)
{
    struct anchor a;
    struct fault reason;
    if (!anchor_read(line, &a, &x->arena, &reason))
        return fault_set(why, FAULT_INTERNAL, "%s: line %llu is no anchor", x->lines.path,
                         (unsigned long long)x->lines.line);
    verify_anchor(v, &a);
    return true;
}

/* What the first entry goes on from: {"seq", "hash"} and no more. */
static bool take_base(struct verify *v, const struct json_tape *tape)
{
    int64_t seq;
    uint32_t number = json_get(tape, 0, SLICE("seq"));
    struct slice hex = json_raw(tape, json_get(tape, 0, SLICE("hash")));
    if (v->result->entries || json_get(tape, 0, SLICE("body")) != JSON_NONE) return false;
    if (!json_is(tape, number, JSON_NUMBER) || !json_to_i64(tape, number, &seq) || seq <= 0) return false;
    v->base.seq = (uint64_t)seq;
    return hex.len == 2 * CHAIN_HASH_BYTES + 2 &&
           hex_read(slice_of(hex.ptr + 1, hex.len - 2), v->base.hash, CHAIN_HASH_BYTES);
}

static bool take_line(struct verify *v, struct export *x, struct slice line, struct fault *why)
{
    struct verify_entry e;
    struct fault reason;
    uint8_t hash[CHAIN_HASH_BYTES];
    if (slice_trim(line).len == 0) return true;
    if (slice_starts(line, SLICE("{\"moongate_anchor\""))) return take_anchor(v, x, line, why);
    bool is_json = json_parse(&x->tape, line, &reason);
    if (is_json && take_base(v, &x->tape)) return true;
    if (!is_json || !read_entry(&x->tape, &e, hash, &x->arena))
        return fault_set(why, FAULT_INTERNAL, "%s: line %llu is no entry of a ledger's export", x->lines.path,
                         (unsigned long long)x->lines.line);
    if (!begin(v, x, &e, why)) return false;
    verify_entry(v, &e);
    return true;
}

bool verify_export(struct verify *v, const char *path, struct fault *why)
{
    struct export x = {.has_begun = false};
    struct slice line;
    enum verify_line got = VERIFY_LINE_FAILED;
    json_init(&x.tape);
    if (verify_lines_open(&x.lines, path, why)) {
        while ((got = verify_lines_next(&x.lines, &line, why)) == VERIFY_LINE) {
            arena_init(&x.arena);
            bool is_good = take_line(v, &x, line, why);
            arena_clear(&x.arena);
            if (!is_good) break;
        }
    }
    if (got == VERIFY_NO_LINE && !begin(v, &x, NULL, why)) got = VERIFY_LINE_FAILED;
    verify_lines_close(&x.lines);
    json_clear(&x.tape);
    return got == VERIFY_NO_LINE;
}
