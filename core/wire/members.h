/*
 * The members of a request's root that decide what it costs, may do or says: what all dialects read alike.
 *
 *     struct members m = {.r = r, .arena = arena, .why = why, .names = names, .count = COUNT, .nodes = nodes};
 *     if (!members_read(&m)) ...                        // one stands twice, or in other letter case
 *     uint32_t stream = members_value(&m, KEY_STREAM);  // JSON_NONE: not there, or null
 *
 * names: in lower case, in the order of the dialect's own enum; nodes has room for as many. A key of theirs in other
 * letter case is refused ("Model": some JSON readers take it for "model"), also when spelt with escapes, as a second
 * one is: policy and provider might otherwise read different values. For core/wire's dialects alone; holds nothing.
 */
#ifndef MOONGATE_WIRE_MEMBERS_H
#define MOONGATE_WIRE_MEMBERS_H

#include "wire/chat.h"

/* A dialect's names, of a list KEYS(X) of X(MODEL, "model"): enum key { KEYS(MEMBERS_KEY) KEYS_COUNT }; and
 * static const struct slice key_names[] = {KEYS(MEMBERS_NAME)}; */
#define MEMBERS_KEY(name, text) KEY_##name,
#define MEMBERS_NAME(name, text) {text, sizeof text - 1},

struct members {
    struct chat_request *r; /* its tape is read */
    struct arena *arena;    /* of all texts that are kept */
    struct fault *why;
    const struct slice *names;
    const struct slice *others; /* each name's other spelling, which means the same; NULL: they have none */
    unsigned count;
    uint32_t *nodes; /* of each name's value; JSON_NONE: it is not there */
};

/* Fills nodes. False: FAULT_BAD_BODY. */
bool members_read(struct members *m);
/* A present value that is not null, else JSON_NONE. */
uint32_t members_value(const struct members *m, unsigned name);
/* Sets FAULT_BAD_BODY: it must be `must`. Always false. */
bool members_refuse(const struct members *m, unsigned name, const char *must);
/* A string's text. Copied: what is kept of a request outlives its body. */
struct slice members_keep_text(const struct members *m, uint32_t string);
/* r->model becomes this text, unless it is none, or too long: FAULT_BAD_BODY. */
bool members_keep_model(const struct members *m, unsigned name, struct slice model);
/* r->model and its node. */
bool members_read_model(struct members *m, unsigned name);
/* r->is_stream and its node. */
bool members_read_stream(struct members *m, unsigned name);
/* r->metadata_node, and the hints in it. */
bool members_read_hints(struct members *m, unsigned name);
/* What policies read or set inside of a member: of two they would have the first, the provider the last. False:
 * FAULT_BAD_BODY. */
struct members_inner {
    unsigned outer; /* a name's number */
    struct slice inner;
};
bool members_check_inner(const struct members *m, const struct members_inner *inner, size_t count);
/* Neither of its two spellings twice, nor one beside the other. */
bool members_is_once(const struct json_tape *tape, uint32_t object, struct slice name, struct slice other);
/* A whole number, also one written as 100.0 or 1e2; false when it is none. */
bool members_whole_number(const struct json_tape *tape, uint32_t node, int64_t *value);
/* Of what may be paid for by the piece, so many more. */
void members_foresee(int64_t *count, int64_t more);
/* That member of the root becomes this JSON; empty: it goes. */
void members_edit(const struct chat_request *r, struct splice *edits, struct slice name, struct slice json);
/* A member of an object in the root, which may not be there. */
void members_edit_inside(const struct chat_request *r, struct splice *edits, struct slice object, struct slice name,
                         struct slice json);
/* {"name":json} */
struct slice members_object(struct arena *arena, struct slice name, struct slice json);

#endif
