/*
 * Strict JSON (RFC 8259) into a tape of nodes over the caller's bytes: one pass, no copies, nothing decoded.
 *
 *     struct json_tape tape;
 *     json_init(&tape);
 *     if (!json_parse(&tape, body, &why)) ...              // why: byte offset and what was expected there
 *     uint32_t model = json_get(&tape, 0, SLICE("model")); // JSON_NONE when absent; decodes escapes in keys
 *     struct slice raw = json_raw(&tape, model);           // the bytes as they stand, quotes included
 *     json_clear(&tape);
 *
 * Nodes are numbered in document order; 0 is the root. The bytes are borrowed for the tape's life.
 * Refused: invalid UTF-8, lone surrogates, control characters in strings, leading zeros, bytes after the value, a byte
 * order mark, and more than the bounds of base/limits.h (depth, nodes, bytes of a key as written).
 * Duplicate keys are legal JSON and left to the caller (json_has_duplicate).
 */
#ifndef MOONGATE_WIRE_JSON_H
#define MOONGATE_WIRE_JSON_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/fault.h"
#include "base/slice.h"

#define JSON_NONE UINT32_MAX

enum json_type { JSON_NULL, JSON_FALSE, JSON_TRUE, JSON_NUMBER, JSON_STRING, JSON_ARRAY, JSON_OBJECT };

struct json_node; /* 16 bytes */

struct json_tape {
    const char *bytes;
    struct json_node *nodes;
    uint32_t count, cap;
};

void json_init(struct json_tape *tape);
/* Frees the memory; the tape is empty and usable again. */
void json_clear(struct json_tape *tape);
/* Of memory, beside the bytes themselves. */
size_t json_bytes(const struct json_tape *tape);
/* Replaces what the tape held, reusing its memory. False: FAULT_BAD_JSON, or FAULT_OUT_OF_MEMORY, in
 * *why, and the tape is empty. */
bool json_parse(struct json_tape *tape, struct slice bytes, struct fault *why);

enum json_type json_type(const struct json_tape *tape, uint32_t node);
bool json_is(const struct json_tape *tape, uint32_t node, enum json_type type); /* false for JSON_NONE */
/* Elements of an array, members of an object; 0 for all else. Walks them. */
uint32_t json_count(const struct json_tape *tape, uint32_t node);
/* First value inside an array or object, then the next beside it; JSON_NONE at the end. */
uint32_t json_first(const struct json_tape *tape, uint32_t container);
uint32_t json_next(const struct json_tape *tape, uint32_t value);
/* One after the last node inside `node`: for (n = node; n < json_after(tape, node); n++) visits all of it in order. */
uint32_t json_after(const struct json_tape *tape, uint32_t node);
/* The raw key (quotes included) of a member value of an object; SLICE_NONE for array elements and the root. */
struct slice json_key(const struct json_tape *tape, uint32_t value);
/* The key's decoded text, as json_text(); SLICE_NONE for array elements and the root. */
struct slice json_key_text(const struct json_tape *tape, uint32_t value, struct arena *arena);
/* True when the member's decoded name is `name`; allocates nothing. */
bool json_key_is(const struct json_tape *tape, uint32_t value, struct slice name);
/* The next member behind `node`, wherever it stands, whose key begins and is as long as one of those that are looked
 * for, or is written with escapes: few others need be compared. JSON_NONE: there is none. */
struct json_keys {
    uint64_t lengths[32]; /* by the first letter's last five bits, of either case: a bit for each length below 64 */
};
#define JSON_KEYS_OF(letter) [(letter) & 31]
uint32_t json_next_key(const struct json_tape *tape, uint32_t node, const struct json_keys *keys);
/* The value of the first member of that decoded name; JSON_NONE when absent or when node is no object. */
uint32_t json_get(const struct json_tape *tape, uint32_t object, struct slice name);
/* The same among the members that stand behind one of the object's. */
uint32_t json_get_behind(const struct json_tape *tape, uint32_t object, uint32_t member, struct slice name);
/* True when two members' decoded names equal `name`. */
bool json_has_duplicate(const struct json_tape *tape, uint32_t object, struct slice name);
/* The value's bytes as they stand; SLICE_NONE for JSON_NONE. */
struct slice json_raw(const struct json_tape *tape, uint32_t node);
/* A string's decoded text: borrowed from the bytes when it has no escapes, else made in the arena. */
struct slice json_text(const struct json_tape *tape, uint32_t string, struct arena *arena);
/* The same of a string's bytes as they stand in valid JSON, quotes included, when the tape is gone. */
struct slice json_decode(struct slice raw, struct arena *arena);
/* The next piece of a long string's decoded text: of about max bytes (at least 16) as they stand, from *at on, which
 * begins at 0 and is moved. Borrowed from the bytes when it has no escapes, else made in out, which is emptied. A
 * character may be cut in two, an escape never. False: there is no more. */
bool json_text_piece(const struct json_tape *tape, uint32_t string, size_t *at, size_t max, struct buf *out,
                     struct slice *piece);
/* True for a string whose decoded text is `text`; allocates nothing. */
bool json_text_is(const struct json_tape *tape, uint32_t node, struct slice text);
/* False when the number is not an integer of that range ("1e3", "1.0" are not). */
bool json_to_i64(const struct json_tape *tape, uint32_t number, int64_t *value);
/* False when the node is not a string of 2 * len hexadecimal digits, none of them escaped. */
bool json_to_bytes(const struct json_tape *tape, uint32_t node, uint8_t *bytes, size_t len);
/* The nearest double; beyond its range an infinity. */
double json_to_double(const struct json_tape *tape, uint32_t number);

#endif
