#include "store/anchor/anchor.h"

#include <string.h>

#include "base/clock.h"
#include "base/hex.h"
#include "wire/json.h"

#define NS_PER_US 1000u

/* A line each, none of which holds a newline: what is signed has one reading. */
static void canonical(const struct anchor *a, struct buf *text)
{
    char hash[2 * CHAIN_HASH_BYTES + 1];
    hex_write(a->hash, sizeof a->hash, hash);
    buf_init(text);
    buf_append(text, SLICE("moongate anchor 1\n"));
    buf_append_json(text, a->gateway);
    buf_printf(text, "\n%llu\n%llu\n%s\n", (unsigned long long)a->seq, (unsigned long long)a->time_us, hash);
}

void anchor_sign(const struct anchor_key *key, struct anchor *a)
{
    struct buf text;
    canonical(a, &text);
    anchor_key_sign(key, buf_slice(&text), a->signature);
    buf_clear(&text);
}

/* The newest first: it has signed the most. */
const struct anchor_public *anchor_signer(const struct anchor_trust *trust, const struct anchor *a)
{
    struct buf text;
    const struct anchor_public *signer = NULL;
    canonical(a, &text);
    for (size_t i = trust->count; i-- > 0 && !signer;) {
        if (anchor_public_signed(&trust->keys[i], buf_slice(&text), a->signature)) signer = &trust->keys[i];
    }
    buf_clear(&text);
    return signer;
}

void anchor_write(const struct anchor *a, const struct anchor_public *signer, struct buf *out)
{
    char time[CLOCK_TEXT_BYTES], hash[2 * CHAIN_HASH_BYTES + 1], signature[2 * ANCHOR_SIGNATURE_BYTES + 1];
    clock_format(a->time_us * NS_PER_US, time);
    hex_write(a->hash, sizeof a->hash, hash);
    hex_write(a->signature, sizeof a->signature, signature);
    buf_append(out, SLICE("{\"moongate_anchor\":1,\"gateway\":"));
    buf_append_json(out, a->gateway);
    buf_printf(out,
               ",\"seq\":%llu,\"time\":\"%s\",\"time_us\":%llu,\"hash\":\"%s\",\"key\":\"%s\",\"signature\":\"%s\"}",
               (unsigned long long)a->seq, time, (unsigned long long)a->time_us, hash, signer->fingerprint, signature);
}

/* ---- Reading. */

static bool read_u64(const struct json_tape *tape, struct slice name, uint64_t *value)
{
    int64_t number;
    uint32_t node = json_get(tape, 0, name);
    if (!json_is(tape, node, JSON_NUMBER) || !json_to_i64(tape, node, &number) || number < 0) return false;
    *value = (uint64_t)number;
    return true;
}

static bool read_members(const struct json_tape *tape, struct anchor *a, struct arena *arena)
{
    uint64_t version;
    uint32_t gateway = json_get(tape, 0, SLICE("gateway"));
    if (!read_u64(tape, SLICE("moongate_anchor"), &version) || version != 1) return false;
    if (!json_is(tape, gateway, JSON_STRING)) return false;
    a->gateway = arena_copy(arena, json_text(tape, gateway, arena));
    return read_u64(tape, SLICE("seq"), &a->seq) && read_u64(tape, SLICE("time_us"), &a->time_us) &&
           json_to_bytes(tape, json_get(tape, 0, SLICE("hash")), a->hash, sizeof a->hash) &&
           json_to_bytes(tape, json_get(tape, 0, SLICE("signature")), a->signature, sizeof a->signature);
}

bool anchor_read(struct slice line, struct anchor *a, struct arena *arena, struct fault *why)
{
    struct json_tape tape;
    if (line.len > LIMIT_ANCHOR_LINE_BYTES) return fault_set(why, FAULT_INTERNAL, "the line is too long for an anchor");
    json_init(&tape);
    bool is_good = json_parse(&tape, line, why) &&
                   (read_members(&tape, a, arena) || fault_set(why, FAULT_INTERNAL, "the line is no anchor"));
    json_clear(&tape);
    return is_good;
}
