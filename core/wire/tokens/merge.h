/*
 * Byte-pair encoding of one piece.
 *
 *     size_t n = merge_piece(v, p, len, tokens);     // tokens: room for `len` ids
 *
 * The result is that of merging the pair of lowest rank again and again, found otherwise: the longest token at each
 * place is taken, unless a merge would have reached over its border with the one before, then the next shorter; where
 * none fits, the one before is taken back (after GitHub's "bpe" crate and its account of it). Near-linear on what
 * people write; a piece that makes it go back too often is merged in order of rank instead, in n log n.
 */
#ifndef MOONGATE_WIRE_TOKENS_MERGE_H
#define MOONGATE_WIRE_TOKENS_MERGE_H

#include <stddef.h>
#include <stdint.h>

#include "wire/tokens/vocabulary.h"

/* 0 < len <= LIMIT_TOKEN_PIECE_BYTES. Returns how many tokens it is; their ids are in tokens, in order. */
size_t merge_piece(const struct vocabulary *v, const unsigned char *p, size_t len, uint32_t *tokens);
#endif
