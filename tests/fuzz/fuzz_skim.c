/*
 * The first bytes say how large what follows becomes and how it is cut; texts of the rest are made long by repeating a
 * marked run of them ("~"). Whatever comes, pieces are bounded, and bytes told or lost. Where it is an object in JSON that
 * names nothing twice, the pieces say the same as the whole.
 */
#include <stdint.h>
#include <stdio.h>

#include "../unit/wire/skimming.h"

#include "base/check.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Of a mark, so many bytes of text, with a character and an escape now and then. */
static void blow_up(struct buf *out, uint32_t bytes, uint8_t seed)
{
    static const char *const runs[] = {"plain text ", "\\u00e9", "\xE2\x82\xAC", "\\ud83d\\ude00", "\\n"};
    for (uint32_t at = 0; at < bytes; at++)
        buf_append(out, slice_str(runs[(at * 7 + seed) % 11 % 5]));
}

static bool is_twice(const struct json_tape *tape, uint32_t object, uint32_t member)
{
    struct arena arena;
    arena_init(&arena);
    bool has_two = json_has_duplicate(tape, object, json_key_text(tape, member, &arena));
    arena_clear(&arena);
    return has_two;
}

/* Names twice, indices behind what they number, and keys that are written with escapes say something else in pieces. */
static bool is_plain(const struct json_tape *tape)
{
    for (uint32_t n = 0; n < tape->count; n++) {
        uint32_t first = json_is(tape, n, JSON_OBJECT) ? json_first(tape, n) : JSON_NONE;
        if (json_is(tape, n, JSON_ARRAY) && json_count(tape, n) > LIMIT_SKIM_PLACES) return false;
        for (uint32_t m = first; m != JSON_NONE; m = json_next(tape, m)) {
            struct slice key = json_key(tape, m);
            if (key.len > LIMIT_SKIM_KEY_BYTES || memchr(key.ptr, '\\', key.len)) return false;
            if (json_key_is(tape, m, SLICE("index")) && m != first) return false;
            if (json_key_is(tape, m, SLICE("finish_reason")) && json_raw(tape, m).len > 2000) return false;
            if (is_twice(tape, n, m)) return false;
        }
    }
    return true;
}

static bool is_comparable(struct slice json)
{
    struct json_tape tape;
    struct fault why;
    json_init(&tape);
    bool is = json_parse(&tape, json, &why) && json_is(&tape, 0, JSON_OBJECT) && is_plain(&tape);
    json_clear(&tape);
    return is;
}

static void compare(struct slice json, const struct skimming *pieces)
{
    struct skimming whole;
    skimming_open(&whole);
    check(skimming_read(&whole, json));
    const char *difference = skimming_difference(&whole, pieces);
    bool is_full = whole.channel_count == SKIMMING_CHANNELS;
    if (difference && !is_full) fprintf(stderr, "another %s\n", difference);
    check(!difference || is_full);
    check(pieces->is_read && pieces->lost == 0);
    skimming_close(&whole);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const size_t steps[] = {0, 1, 13, 4096, 65536, 70001};
    struct skimming pieces;
    struct buf json = {0};
    if (size < 3) return 0;
    for (size_t i = 3; i < size; i++) {
        if (data[i] == '~' && buf_len(&json) < 300000)
            blow_up(&json, data[1] * 64u, data[2]);
        else
            buf_append_char(&json, (char)data[i]);
    }
    skimming_open(&pieces);
    skimming_feed(&pieces, buf_slice(&json), buf_len(&json) > 20000 && data[0] % 6 == 1 ? 977 : steps[data[0] % 6]);
    check(pieces.largest <= LIMIT_SKIM_BYTES_MAX + LIMIT_SKIM_BYTES);
    check(pieces.lost <= buf_len(&json));
    if (is_comparable(buf_slice(&json))) compare(buf_slice(&json), &pieces);
    skimming_close(&pieces);
    buf_clear(&json);
    return 0;
}
