/*
 * The JSON tape against jansson: both accept, or both refuse; what both accept they read alike; and no reader of the
 * tape ever leaves the bytes.
 *
 * Known differences, which are passed over: jansson has other bounds (depth 2048, none on values and keys), refuses
 * numbers beyond its types and NUL in keys, overlooks a NUL byte behind a number or word, and keeps the last of two
 * members of one name where the tape keeps both.
 */
#include <stdio.h>
#include <stdlib.h>

#include "../unit/wire/oracle.h"

#include "base/check.h"
#include "base/mem.h"
#include "wire/json.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

/* A later member of the same decoded name. */
static bool is_overruled(const struct json_tape *tape, uint32_t value, struct slice key)
{
    for (uint32_t n = json_next(tape, value); n != JSON_NONE; n = json_next(tape, n)) {
        if (json_key_is(tape, n, key)) return true;
    }
    return false;
}

static void compare(const struct json_tape *tape, uint32_t node, const json_t *value, struct arena *arena);

static void compare_members(const struct json_tape *tape, uint32_t node, const json_t *value, struct arena *arena)
{
    size_t kept = 0;
    for (uint32_t n = json_first(tape, node); n != JSON_NONE; n = json_next(tape, n)) {
        struct slice key = json_key_text(tape, n, arena);
        uint32_t first = json_get(tape, node, key);
        check(key.ptr && json_key_is(tape, n, key) && first != JSON_NONE && first <= n);
        check(json_has_duplicate(tape, node, key) == (first != n || is_overruled(tape, n, key)));
        if (is_overruled(tape, n, key)) continue;
        compare(tape, n, json_object_getn(value, key.ptr, key.len), arena);
        kept++;
    }
    check(kept == json_object_size(value));
}

static void compare_number(const struct json_tape *tape, uint32_t node, const json_t *value)
{
    int64_t integer;
    if (ORACLE_IS(value, INTEGER)) {
        check(json_to_i64(tape, node, &integer) && integer == json_integer_value(value));
    } else {
        check(ORACLE_IS(value, REAL) && json_to_double(tape, node) == json_real_value(value));
    }
}

static void compare(const struct json_tape *tape, uint32_t node, const json_t *value, struct arena *arena)
{
    size_t index = 0;
    check(value);
    switch (json_type(tape, node)) {
    case JSON_NULL: check(ORACLE_IS(value, NULL)); break;
    case JSON_FALSE: check(ORACLE_IS(value, FALSE)); break;
    case JSON_TRUE: check(ORACLE_IS(value, TRUE)); break;
    case JSON_NUMBER: compare_number(tape, node, value); break;
    case JSON_STRING: {
        struct slice text = slice_of(json_string_value(value), json_string_length(value));
        check(ORACLE_IS(value, STRING) && slice_equal(json_text(tape, node, arena), text));
        check(json_text_is(tape, node, text));
        break;
    }
    case JSON_ARRAY:
        check(ORACLE_IS(value, ARRAY) && json_array_size(value) == json_count(tape, node));
        for (uint32_t n = json_first(tape, node); n != JSON_NONE; n = json_next(tape, n)) {
            check(!json_key(tape, n).ptr);
            compare(tape, n, json_array_get(value, index++), arena);
        }
        break;
    case JSON_OBJECT:
        check(ORACLE_IS(value, OBJECT));
        compare_members(tape, node, value, arena);
        break;
    }
}

/* Every slice lies in the bytes, every subtree in its parent's. */
static void walk(const struct json_tape *tape, struct slice bytes)
{
    for (uint32_t n = 0; n < tape->count; n++) {
        struct slice raw = json_raw(tape, n), key = json_key(tape, n);
        uint32_t after = json_after(tape, n);
        check(raw.len > 0 && raw.ptr >= bytes.ptr && raw.ptr + raw.len <= bytes.ptr + bytes.len);
        check(!key.ptr || (key.ptr >= bytes.ptr && key.len >= 2 && key.ptr + key.len < raw.ptr));
        check(after > n && after <= tape->count);
        for (uint32_t c = json_first(tape, n); c != JSON_NONE; c = json_next(tape, c)) {
            struct slice inner = json_raw(tape, c);
            check(c > n && c < after && inner.ptr > raw.ptr && inner.ptr + inner.len < raw.ptr + raw.len);
        }
    }
}

static bool may_refuse(const struct fault *why)
{
    return strstr(why->text, "more than") || strstr(why->text, "found byte 0x00");
}

static bool may_be_refused(const json_error_t *error)
{
    return json_error_code(error) == json_error_numeric_overflow ||
           json_error_code(error) == json_error_null_byte_in_key;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    struct slice text = slice_of((const char *)bytes, len);
    struct json_tape tape;
    struct fault why = {0};
    json_error_t error;
    json_init(&tape);
    bool accepts = json_parse(&tape, text, &why);
    json_t *value = len ? json_loadb(text.ptr, text.len, JSON_DECODE_ANY | JSON_ALLOW_NUL, &error) : NULL;
    if (accepts) walk(&tape, text);
    if (accepts && value) {
        struct arena arena;
        arena_init(&arena);
        compare(&tape, 0, value, &arena);
        arena_clear(&arena);
    } else if (accepts && len && !may_be_refused(&error)) {
        fprintf(stderr, "only jansson refuses: %s\n", error.text);
        abort();
    } else if (!accepts && value && !may_refuse(&why)) {
        fprintf(stderr, "only the tape refuses: %s\n", why.text);
        abort();
    }
    check(accepts || (why.code == FAULT_BAD_JSON && why.text[0]));
    json_decref(value);
    json_clear(&tape);
    return 0;
}
