#include <string.h>

#include "base/clock.h"
#include "base/hex.h"
#include "store/anchor/anchor.h"
#include "wire/json.h"

static void succession_text(struct slice gateway, const struct anchor_public *old, const struct anchor_public *next,
                            struct buf *text)
{
    buf_init(text);
    buf_append(text, SLICE("moongate anchor key 1\n"));
    buf_append_json(text, gateway);
    buf_printf(text, "\n%s\n%s\n", old->fingerprint, next->fingerprint);
}

static void append_key(struct buf *body, const char *name, const struct anchor_public *key)
{
    char hex[2 * ANCHOR_PUBLIC_BYTES + 1];
    hex_write(key->bytes, sizeof key->bytes, hex);
    buf_printf(body, ",\"%s\":{\"key\":\"%s\",\"public\":\"%s\"}", name, key->fingerprint, hex);
}

void anchor_succession_write(const struct anchor_key *old, const struct anchor_public *next, struct slice gateway,
                             struct slice actor, struct buf *body)
{
    struct buf text;
    uint8_t signature[ANCHOR_SIGNATURE_BYTES];
    char time[CLOCK_TEXT_BYTES], hex[2 * ANCHOR_SIGNATURE_BYTES + 1];
    succession_text(gateway, anchor_key_public(old), next, &text);
    anchor_key_sign(old, buf_slice(&text), signature);
    buf_clear(&text);
    hex_write(signature, sizeof signature, hex);
    clock_format(clock_wall_ns(), time);
    buf_printf(body, "{\"time\":\"%s\",\"actor\":", time);
    buf_append_json(body, actor);
    buf_append(body, SLICE(",\"action\":\"" ANCHOR_SUCCESSION "\",\"target\":\"" ANCHOR_KEY_FILE "\""));
    append_key(body, "before", anchor_key_public(old));
    append_key(body, "after", next);
    buf_printf(body, ",\"signature\":\"%s\"}", hex);
}

static bool read_key(const struct json_tape *tape, struct slice name, struct anchor_public *key)
{
    uint8_t bytes[ANCHOR_PUBLIC_BYTES];
    uint32_t object = json_get(tape, 0, name);
    if (!json_to_bytes(tape, json_get(tape, object, SLICE("public")), bytes, sizeof bytes)) return false;
    anchor_public_set(key, bytes);
    return true;
}

static bool is_announced(const struct json_tape *tape, struct slice gateway, const struct anchor_trust *trust,
                         struct anchor_public *next)
{
    struct anchor_public old;
    struct buf text;
    uint8_t signature[ANCHOR_SIGNATURE_BYTES];
    if (!read_key(tape, SLICE("before"), &old) || !read_key(tape, SLICE("after"), next)) return false;
    if (!json_to_bytes(tape, json_get(tape, 0, SLICE("signature")), signature, sizeof signature)) return false;
    succession_text(gateway, &old, next, &text);
    bool is_good = anchor_trust_has(trust, &old) && anchor_public_signed(&old, buf_slice(&text), signature);
    buf_clear(&text);
    return is_good;
}

enum anchor_succession anchor_succession_read(struct slice body, struct slice gateway, const struct anchor_trust *trust,
                                              struct anchor_public *next)
{
    struct json_tape tape;
    struct fault why;
    enum anchor_succession found = SUCCESSION_NONE;
    if (!memmem(body.ptr, body.len, ANCHOR_SUCCESSION, sizeof ANCHOR_SUCCESSION - 1)) return found;
    json_init(&tape);
    if (json_parse(&tape, body, &why) &&
        json_text_is(&tape, json_get(&tape, 0, SLICE("action")), SLICE(ANCHOR_SUCCESSION)))
        found = is_announced(&tape, gateway, trust, next) ? SUCCESSION_GOOD : SUCCESSION_FORGED;
    json_clear(&tape);
    return found;
}
