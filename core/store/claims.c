#include "store/claims.h"

#include <openssl/sha.h>

#include "base/hex.h"
#include "base/limits.h"

struct reader {
    const struct json_tape *tape;
    struct arena *arena;
};

static bool read_one(const struct reader *r, uint32_t node, struct slice *out)
{
    switch (json_type(r->tape, node)) {
    case JSON_STRING: *out = arena_copy(r->arena, json_text(r->tape, node, r->arena)); break;
    case JSON_NULL: *out = SLICE(""); break;
    case JSON_NUMBER:
    case JSON_FALSE:
    case JSON_TRUE: *out = arena_copy(r->arena, json_raw(r->tape, node)); break;
    case JSON_ARRAY:
    case JSON_OBJECT: return false;
    }
    return out->len <= LIMIT_KEY_FIELD_BYTES;
}

static bool read_text(const struct reader *r, uint32_t node, struct slice *out)
{
    if (!json_is(r->tape, node, JSON_ARRAY)) return read_one(r, node, out);
    uint32_t first = json_first(r->tape, node);
    if (first == JSON_NONE) return true;
    return json_next(r->tape, first) == JSON_NONE && read_one(r, first, out);
}

/* "a b c" is a list too (RFC 8693 4.2). */
static bool read_words(const struct reader *r, uint32_t node, struct slice *list, size_t *count)
{
    struct slice rest = json_text(r->tape, node, r->arena);
    while (rest.len) {
        struct slice word = slice_split(rest, ' ', &rest);
        if (!word.len) continue;
        if (*count == LIMIT_KEY_LIST || word.len > LIMIT_KEY_FIELD_BYTES) return false;
        list[(*count)++] = arena_copy(r->arena, word);
    }
    return true;
}

static bool read_list(const struct reader *r, uint32_t node, struct slice **out, size_t *count)
{
    *count = 0;
    if (json_is(r->tape, node, JSON_NULL)) return true;
    *out = arena_alloc(r->arena, LIMIT_KEY_LIST * sizeof **out);
    if (json_is(r->tape, node, JSON_STRING)) return read_words(r, node, *out, count);
    if (!json_is(r->tape, node, JSON_ARRAY)) return false;
    for (uint32_t n = json_first(r->tape, node); n != JSON_NONE; n = json_next(r->tape, n)) {
        if (*count == LIMIT_KEY_LIST || !json_is(r->tape, n, JSON_STRING)) return false;
        if (!read_one(r, n, &(*out)[*count])) return false;
        (*count)++;
    }
    return true;
}

static struct slice *text_field(struct key_record *record, struct slice name)
{
    const struct {
        struct slice name;
        struct slice *field;
    } fields[] = {{SLICE("app"), &record->app},       {SLICE("department"), &record->department},
                  {SLICE("user"), &record->user},     {SLICE("team"), &record->team},
                  {SLICE("tier"), &record->tier},     {SLICE("region"), &record->region},
                  {SLICE("clearance"), &record->clearance}, {SLICE("env"), &record->env}};
    for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++) {
        if (slice_equal(fields[i].name, name)) return fields[i].field;
    }
    return NULL;
}

static bool read_field(const struct reader *r, struct slice field, uint32_t node, struct key_record *record)
{
    struct slice *text = text_field(record, field);
    if (text) return read_text(r, node, text);
    if (slice_equal(field, SLICE("roles"))) return read_list(r, node, &record->roles, &record->role_count);
    if (slice_equal(field, SLICE("approvals"))) return read_list(r, node, &record->approvals, &record->approval_count);
    struct key_label *label = &record->labels[record->label_count++];
    label->name = arena_copy(r->arena, field);
    label->value = SLICE("");
    return read_text(r, node, &label->value);
}

static struct slice subject_of(const struct jwt *token, struct arena *arena)
{
    uint32_t node = json_get(&token->claims, 0, SLICE("sub"));
    return json_is(&token->claims, node, JSON_STRING) ? arena_copy(arena, json_text(&token->claims, node, arena))
                                                      : SLICE("");
}

static struct slice make_id(const struct issuer_rules *issuer, struct slice subject, struct arena *arena)
{
    uint8_t digest[32];
    char hex[65];
    struct slice text = arena_printf(arena, "%.*s%c%.*s", SLICE_FMT(issuer->token.issuer), '\0', SLICE_FMT(subject));
    SHA256((const unsigned char *)text.ptr, text.len, digest);
    hex_write(digest, sizeof digest, hex);
    return arena_printf(arena, "jwt_%s", hex);
}

bool claims_read(const struct issuer_rules *issuer, const struct jwt *token, struct arena *arena,
                 struct key_record *record, struct slice *claim)
{
    struct reader r = {&token->claims, arena};
    struct slice subject = subject_of(token, arena);
    *record = (struct key_record){.id = make_id(issuer, subject, arena), .subject = subject};
    record->labels = arena_alloc(arena, (issuer->claim_count + 1) * sizeof *record->labels);
    for (size_t i = 0; i < issuer->claim_count; i++) {
        uint32_t node = jwt_claim(token, issuer->claims[i].claim);
        if (node == JSON_NONE || read_field(&r, issuer->claims[i].field, node, record)) continue;
        *claim = issuer->claims[i].claim;
        return false;
    }
    return true;
}
