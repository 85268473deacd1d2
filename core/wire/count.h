/*
 * How many tokens a request is, by its provider's rules, before it is sent.
 *
 *     struct count *c = count_new(&request, 1u << vocabulary_index(v), memo);   // a set of vocabularies
 *     count_stop_above(c, 1000000);                    // who has more than this is decided
 *     while (!count_step(c, 64 * 1024)) ...            // so many bytes of text at a time, between turns of the loop
 *     struct count_total t = count_total(c, rules);    // any number of rules of the vocabularies in the set
 *     count_want(c, another);                          // and count_step() again: in that one, too
 *     count_free(c);
 *
 * The text is counted once a vocabulary; rules then only add. What no rule knows is an estimate and says so.
 * A memo (base/memo.h) remembers what texts came to: agents send their history again and again.
 * Sources: wire formats of the providers' API references, and their own counts in recorded answers.
 */
#ifndef MOONGATE_WIRE_COUNT_H
#define MOONGATE_WIRE_COUNT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/memo.h"
#include "wire/chat.h"
#include "wire/tokens/vocabulary.h"

struct count;
struct count_rules; /* wire/count_rules.h: of one family of models; numbers come from scripts/catalogue/ */

struct count_total {
    uint64_t input_tokens;
    bool is_estimated; /* not the provider's own rule, or not its vocabulary */
    bool is_partial;   /* counting stopped early: it is at least this */
};

/* Borrows r, its tape and body, and memo (NULL: none; its subjects are vocabularies) as long as count_step() or
 * count_want() may be called. vocabularies: one bit each, never 0. */
struct count *count_new(const struct chat_request *r, unsigned vocabularies, struct memo *memo);
void count_free(struct count *c); /* NULL is welcome */
/* Tokens of text above which nobody needs to know more; 0, the default: no such number. */
void count_stop_above(struct count *c, uint64_t tokens);
/* count_message() will be asked for; before the first step. */
void count_keep_messages(struct count *c);
/* Counts some more, about so many bytes of text; true when it is done. */
bool count_step(struct count *c, uint64_t bytes);
/* One more vocabulary than before; its steps count the text again. Nothing happens when it is there.
 * Not between steps. */
void count_want(struct count *c, unsigned vocabulary);
bool count_has(const struct count *c, unsigned vocabulary);
/* After the last step. rules NULL: the usual ones. A vocabulary that was not in the set: another's count, estimated. */
struct count_total count_total(const struct count *c, const struct count_rules *rules);
/* What the total cannot be above, for rules of a vocabulary that was not counted: a token has a byte at least.
 * UINT64_MAX when counting stopped early. */
uint64_t count_at_most(const struct count *c, const struct count_rules *rules);

/* ---- Parts of the total, for who shows them; after the last step. */

struct count_shares {
    uint64_t tools_tokens, schema_tokens, picture_tokens, unknown_tokens;
    uint32_t tools, pictures;
    bool has_unknown; /* sound and files, by their size at most; tools that the provider runs, which count nothing */
    bool is_plain;    /* text of messages, prompt or input alone: what rules count exactly, when they do */
};
struct count_message {
    uint64_t tokens;   /* role, name, content, calls, and what stands around them; rounded down where a factor is */
    bool is_estimated; /* as the whole would be if there were no other */
};
uint32_t count_messages(const struct count *c);
struct count_message count_message(const struct count *c, const struct count_rules *rules, uint32_t message);
struct count_shares count_shares(const struct count *c, const struct count_rules *rules);

/* ---- What rules say; NULL stands for the usual ones everywhere. */

/* For models that nobody knows: o200k_base and three tokens a message, an estimate. Never freed. */
const struct count_rules *count_rules_usual(void);
const struct vocabulary *count_vocabulary(const struct count_rules *rules);
bool count_is_exact(const struct count_rules *rules);
/* The provider's tokens for so many of the vocabulary's. */
uint64_t count_scale(const struct count_rules *rules, uint64_t tokens);
/* Of an answer: its text, and what stands around each tool call. */
uint64_t count_output_tokens(const struct count_rules *rules, uint64_t text_tokens, uint32_t calls);

#endif
