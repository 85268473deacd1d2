/*
 * Numbers that are remembered of texts, by hash: what was found out about a text need not be found out again when the
 * text is sent again, as agents send their history. Never a text, nor a piece of one.
 *
 *     struct memo *memo = memo_new(16384);              // once a process
 *     struct memo_key key = memo_key(memo, text);
 *     if (!(tokens = memo_find(memo, &key, subject)))   // of that text, as to that subject; 0: not remembered
 *         memo_keep(memo, &key, subject, tokens);
 *
 * Hashed with XXH3, 128 bits, under a secret of 136 random bytes that each memo draws for itself. XXH3 is no digest:
 * who knew the secret could make texts that share a hash. It never leaves the process, nor does any hash. Who does not
 * know it can only guess: of two texts made to share one, by what is known of XXH3, about one pair in 2^32 does, and
 * whether it does is seen by sending both.
 *
 * Of a memo that is full, what was not asked for the longest goes, within MEMO_TOGETHER that fall on one place. It
 * holds MEMO_ENTRY_BYTES for each number, from the start on.
 */
#ifndef MOONGATE_BASE_MEMO_H
#define MOONGATE_BASE_MEMO_H

#include <stddef.h>
#include <stdint.h>

#include "base/slice.h"

#define MEMO_ENTRY_BYTES 24u
#define MEMO_TOGETHER 4u

struct memo;

struct memo_key {
    uint8_t digest[16];
};

/* numbers: how many it remembers at most, a multiple of MEMO_TOGETHER. */
struct memo *memo_new(uint32_t numbers);
void memo_free(struct memo *memo); /* NULL is welcome */
struct memo_key memo_key(const struct memo *memo, struct slice text);
/* The number; 0: not remembered. */
uint32_t memo_find(struct memo *memo, const struct memo_key *key, uint32_t subject);
/* A number that has no room in 32 bits is not kept, and what was known before is known no more. */
void memo_keep(struct memo *memo, const struct memo_key *key, uint32_t subject, uint64_t number);

/* A subject that no one else of this process has had or will have: for what is made anew at each reload. */
uint32_t memo_subject(void);

#endif
