/*
 * An answer as no dialect writes it, in the order in which it comes: each dialect reads its own into deltas and writes
 * its own from them (wire/translate/answers.h), so that a new one is one reader and one writer.
 *
 *     START                                     once, first; a PING may come before, and anywhere
 *     TEXT REFUSAL                              what the model says, in pieces
 *     REASONING SIGNATURE REDACTED              what it thought, and what its provider wants back with that
 *     CALL ARGUMENTS                            a tool, then what it is asked, in pieces of a JSON text
 *     PART_END                                  nothing comes any more of a part; of those still open FINISH says it
 *     FINISH                                    once
 *     END                                       once, last: the provider's own end
 *     LOST                                      anywhere: what no client can be told
 *
 * A whole answer is the same deltas, all at once.
 * Texts are spans of the source, what stands inside the quotes of its JSON string, escapes and all: they are written as
 * they stand. Borrowed for the call. The parts of one kind are told apart by a number; those that are called with
 * arguments may be told in turns.
 */
#ifndef MOONGATE_WIRE_TRANSLATE_DELTA_H
#define MOONGATE_WIRE_TRANSLATE_DELTA_H

#include <stdbool.h>
#include <stdint.h>

#include "base/slice.h"
#include "wire/usage.h"

enum delta_kind {
    DELTA_START,
    DELTA_TEXT,
    DELTA_REFUSAL,
    DELTA_REASONING,
    DELTA_SIGNATURE,
    DELTA_REDACTED,
    DELTA_CALL,
    DELTA_ARGUMENTS,
    DELTA_PART_END,
    DELTA_FINISH,
    DELTA_END,
    DELTA_PING,
    DELTA_LOST,
};

/* Why the model stopped, in the words that all have. */
enum delta_reason {
    REASON_STOP,    /* it had said all; or its tools are called, where some are */
    REASON_LENGTH,  /* it may say no more */
    REASON_CALLS,   /* its tools are to be called */
    REASON_REFUSED, /* it, or a filter, will not say it */
};

struct delta {
    enum delta_kind kind;
    enum delta_reason reason; /* FINISH */
    uint32_t part;            /* of all kinds from TEXT to PART_END */
    bool is_json;             /* ARGUMENTS: text is no string's inside but the object itself, whole */
    struct slice lead;        /* TEXT, REFUSAL, REASONING, ARGUMENTS: an escape that stands before text; mostly empty */
    struct slice text;        /* those, SIGNATURE, REDACTED */
    struct slice id;          /* START: the answer's; CALL: the call's; empty: not said */
    struct slice name;        /* START: the model's; CALL: the tool's; LOST: a member's or a type's, as it stands */
    const struct usage *usage; /* END */
};

/* False: *why says what is wrong with it; or why->code is FAULT_NONE, and whoever takes it wants no more. */
typedef bool (*delta_fn)(void *arg, const struct delta *delta);

#endif
