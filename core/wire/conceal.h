/*
 * Takes secrets out of what passes: a provider's words may repeat the key that the gateway has sent it.
 *
 *     struct conceal c;
 *     conceal_init(&c, secrets, count);
 *     write(conceal_pass(&c, bytes, true));      // goes_on: the next bytes belong to the same text
 *     write(conceal_rest(&c));                   // what waited for them
 *     conceal_clear(&c);
 *     if (conceal_finds(secrets, count, value)) ... leave the header out ...
 *
 * Each secret becomes "[secret]", however its characters are escaped: as in JSON ("\/", "\u002f", JSON in JSON) or in
 * a URL ("%2F"); after conceal_encoded() in base64 too, at any place of what else is encoded with it. Bytes without one
 * are given back as they are, not copied. Secrets under LIMIT_CONCEAL_BYTES_MIN are not looked for. What is held back
 * is shorter than one secret with all its characters escaped. Never seen: a secret inside a content coding, in
 * hexadecimal, or in parts.
 */
#ifndef MOONGATE_WIRE_CONCEAL_H
#define MOONGATE_WIRE_CONCEAL_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/slice.h"

struct conceal {
    const struct slice *secrets; /* borrowed */
    size_t count;
    struct slice *encoded; /* owned: the same in base64 */
    size_t encoded_count;
    struct buf held;          /* perhaps the beginning of one */
    struct buf text, changed; /* what was held with what came; the same without secrets */
};

void conceal_init(struct conceal *c, const struct slice *secrets, size_t count);
/* Once, before anything passes. It costs six more searches a secret: for what failed, where others may have encoded
 * it. */
void conceal_encoded(struct conceal *c);
void conceal_clear(struct conceal *c);
/* Good until the next call. goes_on: a secret may end in what comes next, so its beginning is held back. */
struct slice conceal_pass(struct conceal *c, struct slice bytes, bool goes_on);
/* What is still held back; nothing comes behind it. */
struct slice conceal_rest(struct conceal *c);
bool conceal_finds(const struct slice *secrets, size_t count, struct slice text);

#endif
