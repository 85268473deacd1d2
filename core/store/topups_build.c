#include "store/topups_build.h"

#include <jansson.h>
#include <string.h>

#include "base/limits.h"
#include "base/mem.h"
#include "store/section/build.h"
#include "store/topups_inner.h"

struct topups_build {
    struct section_build *section;
};

/* Where an error stands. */
struct place {
    size_t topup;
    struct fault *why;
};

static bool bad(const struct place *at, const char *field, const char *what)
{
    return fault_set(at->why, FAULT_INTERNAL, "topups[%zu].%s: %s", at->topup, field, what);
}

/* ---- JSON. */

static bool read_text(const struct place *at, const char *name, const json_t *value, struct slice *out)
{
    if (!json_is_string(value)) return bad(at, name, "not a string");
    *out = slice_of(json_string_value(value), json_string_length(value));
    return out->len <= LIMIT_TOPUP_NAME_BYTES || bad(at, name, "longer than 4096 bytes");
}

static bool read_number(const struct place *at, const char *name, const json_t *value, int64_t least, int64_t most,
                        int64_t *out)
{
    *out = json_integer_value(value);
    if (!json_is_integer(value)) return bad(at, name, "not a whole number");
    return (*out >= least && *out <= most) || bad(at, name, "out of its bounds");
}

static bool read_field(const struct place *at, const char *name, const json_t *value, struct topup *to)
{
    if (strcmp(name, "id") == 0) return read_text(at, name, value, &to->id);
    if (strcmp(name, "budget") == 0) return read_text(at, name, value, &to->budget);
    if (strcmp(name, "scope") == 0) return read_text(at, name, value, &to->scope);
    if (strcmp(name, "nano") == 0) return read_number(at, name, value, 1, LIMIT_TOPUP_NANO, &to->nano);
    if (strcmp(name, "starts_at") == 0) return read_number(at, name, value, 0, INT64_MAX, &to->starts_at);
    if (strcmp(name, "ends_at") == 0) return read_number(at, name, value, 1, INT64_MAX, &to->ends_at);
    return bad(at, name, "no such field");
}

static bool has_all(const struct place *at, const json_t *value)
{
    static const char *const names[] = {"id", "budget", "scope", "nano", "starts_at", "ends_at"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (!json_object_get(value, names[i])) return bad(at, names[i], "missing");
    }
    return true;
}

/* Borrows from the value. */
static bool read_item(const struct place *at, json_t *value, struct topup *to)
{
    const char *name;
    json_t *field;
    if (!json_is_object(value)) return bad(at, "", "not an object");
    json_object_foreach(value, name, field)
    {
        if (!read_field(at, name, field, to)) return false;
    }
    if (!has_all(at, value)) return false;
    return to->budget.len > 0 || bad(at, "budget", "empty");
}

/* ---- Rows. */

struct topups_build *topups_build_new(void)
{
    struct topups_build *b = mem_zalloc(1, sizeof *b);
    b->section = section_build_new(&topups_shape);
    return b;
}

void topups_build_free(struct topups_build *b)
{
    if (!b) return;
    section_build_free(b->section);
    mem_free(b);
}

/* The scope's row from now on names this one, and this one the one before it. */
static bool link_row(struct section_build *to, struct slice scope, struct topup_row *row, struct fault *why)
{
    uint32_t at, own = section_build_count(to, TOPUPS_ITEMS);
    if (!section_build_find(to, TOPUPS_BY_SCOPE, scope, &at)) {
        row->next = own;
        return section_build_row(to, TOPUPS_SCOPES, &(struct topup_scope){.scope = row->scope, .last = own}, why);
    }
    struct topup_scope *known = section_build_at(to, TOPUPS_SCOPES, at);
    row->next = known->last;
    known->last = own;
    return true;
}

static bool check_one(const struct place *at, const struct topup *topup)
{
    const struct slice texts[] = {topup->id, topup->budget, topup->scope};
    for (size_t i = 0; i < 3; i++) {
        if (texts[i].len > LIMIT_TOPUP_NAME_BYTES) return bad(at, "id, budget or scope", "longer than 4096 bytes");
    }
    if (topup->budget.len == 0) return bad(at, "budget", "empty");
    if (topup->nano < 1 || topup->nano > LIMIT_TOPUP_NANO) return bad(at, "nano", "out of its bounds");
    return (topup->starts_at >= 0 && topup->ends_at >= 1) || bad(at, "starts_at or ends_at", "out of its bounds");
}

bool topups_build_add(struct topups_build *b, const struct topup *topup, struct fault *why)
{
    struct section_build *to = b->section;
    struct place at = {section_build_count(to, TOPUPS_ITEMS), why};
    if (!check_one(&at, topup)) return false;
    if (at.topup >= LIMIT_TOPUPS)
        return fault_set(why, FAULT_INTERNAL, "topups: %zu are over the limit of %u", at.topup + 1, LIMIT_TOPUPS);
    struct topup_row row = {.nano = topup->nano, .starts_at = topup->starts_at, .ends_at = topup->ends_at};
    row.id = section_build_text(to, topup->id);
    row.budget = section_build_text(to, topup->budget);
    row.scope = section_build_text(to, topup->scope);
    return link_row(to, topup->scope, &row, why) && section_build_row(to, TOPUPS_ITEMS, &row, why);
}

bool topups_build_end(struct topups_build *b, const struct section_about *about, struct buf *out, struct fault *why)
{
    return section_build_end(b->section, about, out, why);
}

/* ---- Texts. */

static bool add_all(struct topups_build *b, json_t *root, struct fault *why)
{
    size_t i;
    json_t *list = json_object_get(root, "topups"), *value;
    if (!json_is_object(root) || json_object_size(root) != 1 || !json_is_array(list))
        return fault_set(why, FAULT_INTERNAL, "topups: not an object with the one field \"topups\"");
    json_array_foreach(list, i, value)
    {
        struct topup topup;
        if (!read_item(&(struct place){i, why}, value, &topup) || !topups_build_add(b, &topup, why)) return false;
    }
    return true;
}

static json_t *load(struct slice json, struct fault *why)
{
    json_error_t error;
    if (json.len > LIMIT_TOPUPS_BYTES) {
        fault_set(why, FAULT_INTERNAL, "topups: %zu bytes are over the limit of %u", json.len, LIMIT_TOPUPS_BYTES);
        return NULL;
    }
    json_t *root = json_loadb(json.ptr ? json.ptr : "", json.len, JSON_REJECT_DUPLICATES, &error);
    if (!root) fault_set(why, FAULT_INTERNAL, "topups: line %d: %s", error.line, error.text);
    return root;
}

bool topups_build_text(struct slice json, const struct section_about *about, struct buf *out, struct fault *why)
{
    json_t *root = load(json, why);
    if (!root) return false;
    struct topups_build *b = topups_build_new();
    bool is_good = add_all(b, root, why) && topups_build_end(b, about, out, why);
    topups_build_free(b);
    json_decref(root);
    return is_good;
}

struct topups *topups_parse(struct slice json, struct fault *why)
{
    struct buf bytes;
    buf_init(&bytes);
    bool is_good = topups_build_text(json, &(struct section_about){.kind = SECTION_TOPUPS}, &bytes, why);
    struct topups *topups = is_good ? topups_copy(buf_slice(&bytes), why) : NULL;
    buf_clear(&bytes);
    return topups;
}
