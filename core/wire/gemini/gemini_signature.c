#include "wire/gemini/gemini_signature.h"

#include "base/base64.h"
#include "base/utf8.h"
#include "wire/json.h"

#define SIGNED SLICE("moongate.signature.")
#define REDACTED SLICE("moongate.redacted.")

/* RFC 4648 4. */
static void append_base64(struct buf *out, struct slice bytes)
{
    static const char signs[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    for (size_t i = 0; i < bytes.len; i += 3) {
        size_t left = bytes.len - i;
        uint32_t group = (uint32_t)(unsigned char)bytes.ptr[i] << 16;
        if (left > 1) group |= (uint32_t)(unsigned char)bytes.ptr[i + 1] << 8;
        if (left > 2) group |= (unsigned char)bytes.ptr[i + 2];
        buf_append_char(out, signs[group >> 18]);
        buf_append_char(out, signs[group >> 12 & 63]);
        buf_append_char(out, left > 1 ? signs[group >> 6 & 63] : '=');
        buf_append_char(out, left > 2 ? signs[group & 63] : '=');
    }
}

void gemini_signature_write(struct buf *out, enum gemini_signature kind, struct slice text)
{
    struct arena arena;
    arena_init(&arena);
    struct slice raw = arena_printf(&arena, "\"%.*s\"", SLICE_FMT(text));
    struct slice inner = json_decode(raw, &arena);
    append_base64(out, arena_join(&arena, kind == GEMINI_REDACTED ? REDACTED : SIGNED, inner));
    arena_clear(&arena);
}

/* The other alphabet, without padding, which base64url_read() takes. */
static struct slice as_url(struct slice text, struct arena *arena)
{
    struct slice copy = arena_copy(arena, text);
    char *to = arena_alloc(arena, copy.len + 1);
    while (copy.len && copy.ptr[copy.len - 1] == '=')
        copy.len--;
    for (size_t i = 0; i < copy.len; i++)
        to[i] = copy.ptr[i] == '+' ? '-' : copy.ptr[i] == '/' ? '_' : copy.ptr[i];
    return slice_of(to, copy.len);
}

/* What Google's documentation gives those who have none. */
static bool is_placeholder(struct slice text)
{
    static const struct slice words[] = {{"skip_thought_signature_validator", 32},
                                         {"context_engineering_is_the_way_to_go", 36}};
    return slice_equal(text, words[0]) || slice_equal(text, words[1]);
}

static struct slice quote(struct slice text, struct arena *arena)
{
    struct buf json;
    buf_init(&json);
    buf_append_json(&json, text);
    struct slice kept = arena_copy(arena, buf_slice(&json));
    buf_clear(&json);
    return kept;
}

static struct slice behind(struct slice text, struct slice beginning)
{
    return slice_of(text.ptr + beginning.len, text.len - beginning.len);
}

enum gemini_signature gemini_signature_read(struct slice raw, struct arena *arena, struct slice *json)
{
    if (raw.len <= 2) return GEMINI_UNSIGNED;
    struct slice text = json_decode(raw, arena), coded = as_url(text, arena);
    if (is_placeholder(text)) return GEMINI_UNSIGNED;
    uint8_t *bytes = arena_alloc(arena, BASE64URL_BYTES(coded.len) + 1);
    if (!base64url_read(coded, bytes)) return GEMINI_FOREIGN;
    struct slice inner = slice_of((const char *)bytes, BASE64URL_BYTES(coded.len));
    bool is_redacted = slice_starts(inner, REDACTED);
    if (!is_redacted && !slice_starts(inner, SIGNED)) return GEMINI_FOREIGN;
    if (!utf8_is_valid(inner)) return GEMINI_FOREIGN;
    *json = quote(behind(inner, is_redacted ? REDACTED : SIGNED), arena);
    return is_redacted ? GEMINI_REDACTED : GEMINI_SIGNED;
}
