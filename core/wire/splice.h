/*
 * Edits of a JSON body as a list of (byte range → new bytes), applied in one pass: every byte that no edit names is
 * forwarded as it came, whatever its spacing, key order or spelling of numbers.
 *
 *     struct splice edits;
 *     splice_init(&edits, &tape, body, arena);
 *     splice_value(&edits, model, SLICE("\"other\""));
 *     splice_remove(&edits, 0, metadata);
 *     splice_append(&edits, 0, SLICE("stream_options"), SLICE("{\"include_usage\":true}"));
 *     splice_apply(&edits, &out);                     // or splice_iovecs()
 *
 * Everything lives in the arena; there is nothing to clear. Texts are borrowed until the edits are applied and must be
 * valid JSON. Commas are set when the edits are applied, from what is left of each object: any mix of removals and
 * insertions gives valid JSON.
 * Two replacements of one value: the later wins. Edits inside a value that is removed, or replaced afterwards, vanish
 * with it. An edit inside a value that was replaced before, or ranges that cross, are bugs (check).
 */
#ifndef MOONGATE_WIRE_SPLICE_H
#define MOONGATE_WIRE_SPLICE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/uio.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/slice.h"
#include "wire/json.h"

struct splice_edit;

struct splice {
    const struct json_tape *tape;
    struct slice body;
    struct arena *arena;
    struct splice_edit *edits; /* as they were asked for */
    uint32_t count, cap;
    struct splice_range *ranges; /* resolved: sorted, apart; NULL until needed */
    uint32_t range_count;
};

/* body is what the tape was parsed from. All three are borrowed until the last use of s. */
void splice_init(struct splice *s, const struct json_tape *tape, struct slice body, struct arena *arena);
static inline bool splice_is_empty(const struct splice *s)
{
    return s->count == 0;
}

/* The value's bytes become `json`. */
void splice_value(struct splice *s, uint32_t node, struct slice json);
/* Takes the member with that value out of its object, key and one comma included. Twice is once. */
void splice_remove(struct splice *s, uint32_t object, uint32_t value);
/* A member behind the last, or before the first, of an object that may be empty. `name` is text, not JSON.
 * Several appended ones follow each other in the order of the calls; so do several prepended ones. */
void splice_append(struct splice *s, uint32_t object, struct slice name, struct slice json);
void splice_prepend(struct splice *s, uint32_t object, struct slice name, struct slice json);
/* A member more in the object that splice_append() gave that object under `name`. False: it gave none. */
bool splice_append_inside(struct splice *s, uint32_t object, struct slice name, struct slice inner, struct slice json);
/* Bytes [from, to) of the body become `bytes`: for edits inside a string. from == to inserts. */
void splice_bytes(struct splice *s, size_t from, size_t to, struct slice bytes);

/* Length of the edited body. */
size_t splice_length(struct splice *s);
/* Appends the edited body. */
void splice_apply(struct splice *s, struct buf *out);
/* The edited body as pieces of body and texts, none empty; the array lives in the arena. Returns their number. */
size_t splice_iovecs(struct splice *s, struct iovec **pieces);

#endif
