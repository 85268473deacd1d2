/* A template and values from anywhere, with a NUL between: refused with a place, or filled; and every message that is
 * filled is one string of JSON, which the template knows as its own. */
#include <stdlib.h>

#include "base/check.h"
#include "base/limits.h"
#include "wire/template/template.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

static void check_message(const struct template *t, uint32_t m, const struct slice *values, struct arena *arena)
{
    struct json_tape tape;
    struct fault why;
    struct buf text;
    json_init(&tape);
    buf_init(&text);
    buf_append_char(&text, '"');
    template_write(t, m, values, &text);
    buf_append_char(&text, '"');
    check(json_parse(&tape, buf_slice(&text), &why) && json_is(&tape, 0, JSON_STRING));
    check(template_matches(t, m, json_text(&tape, 0, arena)));
    buf_clear(&text);
    json_clear(&tape);
}

static void fill(const struct template *t, struct slice given)
{
    struct slice values[LIMIT_TEMPLATE_VARIABLES];
    struct template_refusal bad;
    struct json_tape tape;
    struct arena arena;
    struct fault why;
    json_init(&tape);
    arena_init(&arena);
    if (json_parse(&tape, given, &why) && template_read(t, &tape, 0, &arena, values, &bad) &&
        template_bytes(t, values) < MIB) {
        for (uint32_t m = 0; m < t->message_count; m++) {
            if (!template_has_parts(t, m)) check_message(t, m, values, &arena);
        }
    }
    arena_clear(&arena);
    json_clear(&tape);
}

static void write_any(const struct template *t)
{
    struct slice values[LIMIT_TEMPLATE_VARIABLES];
    struct buf out;
    buf_init(&out);
    for (uint32_t i = 0; i < t->variable_count; i++)
        values[i] = SLICE("v");
    for (uint32_t m = 0; template_bytes(t, values) < MIB && m < t->message_count; m++) {
        template_write(t, m, values, &out);
        template_matches(t, m, buf_slice(&out));
    }
    buf_clear(&out);
}

/* Bytes that nobody compiled: not opened, or none of theirs lead outside. */
static void open_foreign(struct slice bytes)
{
    struct template t;
    char *copy = aligned_alloc(8, bytes.len / 8 * 8 + 8);
    if (bytes.len) memcpy(copy, bytes.ptr, bytes.len);
    if (template_open(&t, slice_of(copy, bytes.len))) write_any(&t);
    free(copy);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    struct slice given, source = slice_split(slice_of((const char *)bytes, len), '\0', &given);
    struct template_error wrong;
    struct template t;
    struct json_tape tape;
    struct fault why;
    struct buf compiled;
    json_init(&tape);
    buf_init(&compiled);
    if (json_parse(&tape, source, &why)) {
        if (template_compile(&tape, 0, &compiled, &wrong)) {
            check(template_open(&t, buf_slice(&compiled)));
            fill(&t, given);
        } else {
            check(wrong.text[0] && (wrong.message == TEMPLATE_NO_MESSAGE || wrong.line > 0));
        }
    }
    open_foreign(slice_of((const char *)bytes, len));
    buf_clear(&compiled);
    json_clear(&tape);
    return 0;
}
