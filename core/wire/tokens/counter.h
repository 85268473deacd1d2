/*
 * How many tokens a text is, exactly as the provider's own tokenizer counts ordinary text.
 *
 *     uint64_t n = token_count(v, text);
 *
 *     struct token_counter c;                    // a text that comes in pieces: the sum does not depend on the cuts
 *     token_counter_init(&c, v);
 *     token_counter_feed(&c, piece); …
 *     uint64_t so_far = token_counter_total(&c); // as if the text ended here; feeding may go on
 *     token_counter_clear(&c);
 *
 * Text is UTF-8 as decoded from JSON; bytes that are no UTF-8 and lone surrogates count as U+FFFD. Text of special
 * tokens ("<|endoftext|>") is ordinary text. Linear in time and bounded in memory whatever the text is: what has no
 * boundary for LIMIT_TOKEN_PIECE_BYTES is cut there. A counter holds a few bytes,
 * and more only while a long piece is open.
 */
#ifndef MOONGATE_WIRE_TOKENS_COUNTER_H
#define MOONGATE_WIRE_TOKENS_COUNTER_H

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "wire/tokens/vocabulary.h"

struct token_counter {
    const struct vocabulary *vocabulary;
    uint64_t count;   /* tokens of all that is settled */
    struct buf tail;  /* what may still grow together with what follows */
    size_t looked_at; /* of the tail, when it was last looked at in vain */
    size_t broken;    /* bytes at the tail's end that are not a whole character yet */
};

uint64_t token_count(const struct vocabulary *v, struct slice text);
/* The ids in order, at most max of them; returns how many there are in all. */
size_t token_encode(const struct vocabulary *v, struct slice text, uint32_t *ids, size_t max);

void token_counter_init(struct token_counter *c, const struct vocabulary *v);
void token_counter_clear(struct token_counter *c);
void token_counter_feed(struct token_counter *c, struct slice text);
/* Counts the tail each time: a few bytes mostly, LIMIT_TOKEN_PIECE_BYTES at most. */
uint64_t token_counter_total(const struct token_counter *c);
/* Without the tail: never more than the total. */
uint64_t token_counter_settled(const struct token_counter *c);

#endif
