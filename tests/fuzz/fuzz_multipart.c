/*
 * Forms from anybody: no reader leaves the bytes, what is taken leaves again as it came, and what an edit makes of it is
 * a form that is read as the edit says.
 *
 * The first line of the input is the boundary, the rest the body.
 */
#include <stdint.h>
#include <string.h>

#include "base/check.h"
#include "wire/form.h"
#include "wire/json.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

static struct buf join(const struct slice *pieces, size_t count)
{
    struct buf out;
    buf_init(&out);
    for (size_t i = 0; i < count; i++) {
        check(pieces[i].len > 0);
        buf_append(&out, pieces[i]);
    }
    return out;
}

static struct buf write(const struct form *form, struct slice body, struct slice edited, struct arena *arena,
                        bool *is_written)
{
    struct slice *pieces;
    size_t count;
    struct fault why;
    *is_written = form_write(form, body, edited, arena, &pieces, &count, &why);
    return join(pieces, *is_written ? count : 0);
}

/* One member more, and every text changed: read again, that is what stands there. */
static void edit(const struct form *form, struct slice type, struct slice body, struct slice json, struct arena *arena)
{
    struct buf edited, again;
    struct chat_attached attached;
    struct fault why;
    bool is_written;
    buf_init(&edited);
    buf_init(&again);
    buf_append(&edited, slice_of(json.ptr, json.len - 1));
    buf_append(&edited, SLICE(",\"added\":\"a \\u00e9\"}"));
    struct buf out = write(form, body, buf_slice(&edited), arena, &is_written);
    if (is_written) {
        const struct form *second =
            form_read(type, buf_slice(&out), CHAT_IMAGE_EDITS, arena, &again, &attached, &why);
        check(second != NULL);
        struct slice end = SLICE(",\"added\":\"a \xC3\xA9\"}");
        check(buf_len(&again) == json.len - 1 + end.len);
        check(memcmp(buf_ptr(&again), json.ptr, json.len - 1) == 0);
        check(memcmp(buf_ptr(&again) + json.len - 1, end.ptr, end.len) == 0);
    }
    buf_clear(&out);
    buf_clear(&edited);
    buf_clear(&again);
}

static void judge(struct slice type, struct slice body, struct arena *arena)
{
    struct buf json;
    struct chat_attached attached;
    struct fault why;
    struct json_tape tape;
    bool is_written;
    buf_init(&json);
    json_init(&tape);
    const struct form *form = form_read(type, body, CHAT_IMAGE_EDITS, arena, &json, &attached, &why);
    if (form && json_parse(&tape, buf_slice(&json), &why)) {
        struct buf out = write(form, body, buf_slice(&json), arena, &is_written);
        check(is_written && slice_equal(body, buf_slice(&out)));
        buf_clear(&out);
        edit(form, type, body, buf_slice(&json), arena);
    }
    json_clear(&tape);
    buf_clear(&json);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    struct arena arena;
    struct slice body, boundary = slice_split(slice_of((const char *)bytes, len), '\n', &body);
    arena_init(&arena);
    if (boundary.len < 200) {
        struct slice type = arena_join(&arena, SLICE("multipart/form-data; boundary="), boundary);
        if (body.ptr) judge(type, body, &arena);
    }
    arena_clear(&arena);
    return 0;
}
