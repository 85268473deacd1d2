/*
 * Between the files that read answers of the Responses API for clients of other dialects: responses_answers_items.c
 * (whole items, and what grows in them) and responses_answers_read.c (events and bodies).
 *
 * In a stream what was told in pieces is told again, whole, when its part, its item and the response are done: a text
 * of which no piece came is told then, once. A message's contents are parts of their own; a thought is one part,
 * whatever it is made of. What no other API has (tools that the provider runs, annotations) is told as lost.
 * Items may be told in turns: they are told apart by their place in the output. All functions are false where nobody
 * hears more of it, or after a refusal.
 * Bounds: DIALECT_ITEMS_MAX items, RESPONSES_CONTENTS_MAX contents of a message.
 */
#ifndef MOONGATE_WIRE_RESPONSES_READING_H
#define MOONGATE_WIRE_RESPONSES_READING_H

#include "wire/translate/answers.h"

#define RESPONSES_CONTENTS_MAX 64u

enum responses_item_kind {
    RESPONSES_NOTHING, /* was told of it */
    RESPONSES_SAID,
    RESPONSES_THOUGHT,
    RESPONSES_ASKED,  /* a call of a function */
    RESPONSES_GIVEN,  /* of a custom tool, which takes a text */
    RESPONSES_ELSE,
};

/* One of the output, by its place there. */
struct responses_told {
    enum responses_item_kind kind;
    bool is_ended;
    bool is_called;               /* ASKED, GIVEN: its name was told … */
    bool has_text;                /* … and some of what it is asked; THOUGHT: some words */
    uint64_t told;                /* SAID: contents of which some was told, a bit each */
    uint32_t summaries, contents; /* THOUGHT: those that were begun */
};

struct answer_reader {
    delta_fn take;
    void *arg;
    struct fault *why;
    const struct json_tape *tape; /* of what is being read */
    struct responses_told *items; /* NULL: there was none */
    uint32_t item_count, item_cap;
    uint32_t begun;               /* items of which something was told */
    struct buf id, model;         /* the response's, as they stand inside their strings */
    struct buf text;              /* what is put together */
    bool has_begun, has_started, has_calls, has_ended; /* started: the client heard of it */
    bool is_cut;                  /* it ends, and is not whole */
};

/* FAULT_UNTRANSLATABLE. Always false. */
bool responses_refuse(const struct answer_reader *in, const char *text);
uint32_t responses_get(const struct answer_reader *in, uint32_t object, const char *name);
/* What stands inside a string member; empty: it is none. */
struct slice responses_member(const struct answer_reader *in, uint32_t object, const char *name);
/* JSON_NONE: it is empty, or no list. */
uint32_t responses_first(const struct answer_reader *in, uint32_t object, const char *name);
bool responses_lose(const struct answer_reader *in, struct slice name);
/* That member, unless there is nothing in it. */
bool responses_lose_filled(const struct answer_reader *in, uint32_t object, const char *name);

/* NULL, and refused: it is beyond DIALECT_ITEMS_MAX. Good until the next is asked for. */
struct responses_told *responses_item_at(struct answer_reader *in, uint32_t place);
/* Something of that kind is told of it. False, and refused: it has ended, or is of another kind. */
bool responses_enter(struct answer_reader *in, struct responses_told *item, enum responses_item_kind kind);
/* It begins; it is done, and stands there whole. */
bool responses_begin_item(struct answer_reader *in, uint32_t place, uint32_t node);
bool responses_end_item(struct answer_reader *in, uint32_t place, uint32_t node);
/* Of a message's content. is_whole: it is done, and counts when no piece of it came. */
bool responses_say(const struct answer_reader *in, struct responses_told *item, uint32_t content, enum delta_kind kind,
                   struct slice text, bool is_whole);
/* Of a thought's summary or content; begun: how many of those have, which is the item's. */
bool responses_think(const struct answer_reader *in, struct responses_told *item, uint32_t *begun, uint32_t number,
                     struct slice text);
/* What a tool is asked. */
bool responses_ask(const struct answer_reader *in, struct responses_told *item, struct slice text);

#endif
