/*
 * A JSON text that is too large to be kept, or not quite JSON, as many small ones that say the same: each has a piece
 * of it at the path where that stands, as the chunks of a stream do,
 * so that what reads those (wire/dialect.h) reads it too.
 *
 *     struct skim *skim = skim_new();
 *     skim_feed(skim, bytes, on_piece, job);        // {"choices":[{"message":{"content":"a long"}}]}
 *     skim_feed(skim, bytes, on_piece, job);        // {"choices":[{"message":{"content":" text"}}],"usage":{…}}
 *     bool is_read = skim_finish(skim, on_piece, job);
 *     skim_free(skim);
 *
 * Each piece is JSON of an object, about LIMIT_SKIM_BYTES long; a long text is cut between two characters, all else
 * between two values, and what is inside of a member of the root is cut only where it is much longer than that. The
 * places of elements are kept by nulls before them (up to LIMIT_SKIM_PLACES), and an object's number "index" comes
 * again in each piece of it. Left out: numbers in a list (an embedding has a thousand), what is nested deeper than
 * LIMIT_JSON_DEPTH, the name of a key over LIMIT_SKIM_KEY_BYTES.
 *
 * Texts behind one another are read in turn (NDJSON), and what stands between them is passed over: a byte order mark,
 * an end marker of a stream. A word that JSON does not know (NaN) is null, half a surrogate pair U+FFFD. What is broken
 * beyond that ends the reading. Holds one piece, never more; whatever comes.
 */
#ifndef MOONGATE_WIRE_SKIM_H
#define MOONGATE_WIRE_SKIM_H

#include <stdbool.h>
#include <stdint.h>

#include "base/slice.h"

struct skim;

/* The piece is borrowed for the call, which must not call back into the same skim. */
typedef void (*skim_fn)(void *arg, struct slice json);

struct skim *skim_new(void);
void skim_free(struct skim *s); /* NULL is welcome */
void skim_feed(struct skim *s, struct slice bytes, skim_fn fn, void *arg);
/* The last piece. False: it broke off, was broken, or held no object. */
bool skim_finish(struct skim *s, skim_fn fn, void *arg);
/* Bytes that no piece tells: all, where there was no object; those behind the place where it broke. */
uint64_t skim_lost_bytes(const struct skim *s);

#endif
