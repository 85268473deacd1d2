/*
 * Where a text is cut before byte-pair encoding: what the vocabularies' regular expressions match, by hand and without
 * going back further than the last place that counts.
 *
 *     bool is_open;
 *     const unsigned char *next = piece_end_o200k(p, end, &is_open);   // p < next <= end
 *
 * is_open is set, and never cleared, when bytes behind `end` could make it another piece. The text must be valid UTF-8.
 * Linear: each byte is looked at about three times at most. Source: the pat_str of each encoding in OpenAI's tiktoken
 * (tiktoken_ext/openai_public.py); pieces.c quotes them.
 */
#ifndef MOONGATE_WIRE_TOKENS_PIECES_H
#define MOONGATE_WIRE_TOKENS_PIECES_H

#include <stdbool.h>

typedef const unsigned char *(*piece_end_fn)(const unsigned char *p, const unsigned char *end, bool *is_open);

const unsigned char *piece_end_o200k(const unsigned char *p, const unsigned char *end, bool *is_open);
const unsigned char *piece_end_cl100k(const unsigned char *p, const unsigned char *end, bool *is_open);

#endif
