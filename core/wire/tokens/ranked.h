/*
 * Byte-pair encoding of one piece in the order of its definition: the pair of lowest rank is merged, of equals the
 * leftmost, until none is left. For pieces that the quicker way (merge.h) does not get through.
 *
 *     size_t n = ranked_merge(v, p, len, tokens);    // tokens: room for `len` ids
 */
#ifndef MOONGATE_WIRE_TOKENS_RANKED_H
#define MOONGATE_WIRE_TOKENS_RANKED_H

#include <stddef.h>
#include <stdint.h>

#include "wire/tokens/vocabulary.h"

/* 0 < len <= LIMIT_TOKEN_PIECE_BYTES. n log n; holds 28 bytes of memory a byte while it works. */
size_t ranked_merge(const struct vocabulary *v, const unsigned char *p, size_t len, uint32_t *tokens);

#endif
