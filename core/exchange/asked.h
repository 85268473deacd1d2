/*
 * What policies asked about a request beyond the facts that its record holds anyway, with the answers they were given:
 * so that the same decision can be taken again, by a record alone.
 *
 *     asked_note(&x->asked, &x->arena, ASKED_HEADERS, name, ASKED_AS_TEXT, value);   // the first of a key stays
 *     asked_miss(&x->asked, &x->arena, SLICE("request.last_user_text"));         // what is not kept: by its name
 *
 * In a decision that is taken again x->asked.recall holds what was noted then, and whoever would look at the request
 * looks there:
 *
 *     uint32_t node = asked_find(&x->asked, ASKED_CONTAINS, key);   // JSON_NONE: that was not asked then
 *
 * Bounded by LIMIT_ASKED_NOTES and LIMIT_ASKED_BYTES: what goes beyond is a miss too. Never a text of the request as a
 * whole, never a credential.
 */
#ifndef MOONGATE_EXCHANGE_ASKED_H
#define MOONGATE_EXCHANGE_ASKED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/buf.h"
#include "wire/json.h"

enum asked_group {
    ASKED_HEADERS,  /* by name in lower case; null: it was not there */
    ASKED_HINTS,    /* [of the header, of the body], where facts do not say it all */
    ASKED_VALUES,   /* small facts that few policies read: text_bytes, user */
    ASKED_CONTAINS, /* is that text in the request? */
    ASKED_KEYWORDS, /* is a word of that list? By the list's hash */
    ASKED_COPIES,   /* does what a policy says repeat the request's text? By its hash */
    ASKED_TOKENS,   /* as a target counts them: [tokens, is estimated, is a bound] */
    ASKED_ZONES,    /* seconds east of Greenwich */
    ASKED_CACHE,    /* what policies kept for later requests */
    ASKED_TOPUPS,   /* by "budget;scope": [nano-dollars, when the first of them ends, how many] */
    /* lists, in the order of their answers */
    ASKED_COUNTERS,
    ASKED_CALLS,
};
#define ASKED_LISTS ASKED_COUNTERS
#define ASKED_GROUPS (ASKED_CALLS + 1)

enum asked_form { ASKED_AS_TEXT, ASKED_AS_JSON }; /* how a value is given */

struct asked_entry;
struct recall;

struct asked {
    struct asked_entry *first, *last;
    uint32_t count;
    uint32_t groups; /* a set of enum asked_group */
    uint32_t bytes;
    uint32_t miss_count;
    struct asked_entry *misses;
    struct recall *recall; /* NULL: the request itself is there */
};

/* Keeps key and value in the arena. value.ptr NULL: null. */
void asked_note(struct asked *a, struct arena *arena, enum asked_group group, struct slice key, enum asked_form form,
                struct slice value);
/* What was read and is not kept; each name once. */
void asked_miss(struct asked *a, struct arena *arena, struct slice name);
bool asked_has_missed(const struct asked *a);
/* {"headers":{…},"contains":{…},…}: nothing at all where nothing was asked. */
void asked_format(struct buf *out, const struct asked *a);
/* ["request.last_user_text",…] */
void asked_format_misses(struct buf *out, const struct asked *a);
/* Words of a hint, which records may keep: letters, digits and "_-., ", at most LIMIT_ASKED_WORD_BYTES. */
bool asked_is_words(struct slice s);

/* A record that answers, whole; its tape and bytes are the recall's. NULL and *why when it is no JSON object. */
struct recall *recall_new(struct slice record, struct fault *why);
void recall_free(struct recall *r); /* NULL is welcome */
const struct json_tape *recall_tape(const struct recall *r);
/* Was anything of that group asked then? */
bool recall_has(const struct recall *r, enum asked_group group);
/* Only with a recall. */
uint32_t asked_find(const struct asked *a, enum asked_group group, struct slice key);
/* The first of a list's entries that was not given before and for which is_it() holds; it is given then. */
typedef bool (*asked_is_fn)(void *arg, const struct json_tape *tape, uint32_t node);
uint32_t asked_take(struct asked *a, enum asked_group group, asked_is_fn is_it, void *arg);

#endif
