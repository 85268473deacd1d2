/*
 * One form for all JSON that means the same, so that a hash of it names the content and not its spelling.
 *
 *     buf_init(&out);
 *     if (!canonical_append(&tape, 0, &out, &why)) ...   // why: a member stands twice
 *
 * No spaces; members in the order of their names' bytes; strings with the escapes that JSON demands and no others;
 * numbers as the shortest that reads back the same ("1e2" is 100, "0.20" 0.2), whole ones beyond 64 bits as they came.
 * Source: RFC 8785, but for the order of names, which is that of UTF-8 here.
 */
#ifndef MOONGATE_WIRE_CANONICAL_H
#define MOONGATE_WIRE_CANONICAL_H

#include "wire/json.h"

/* Appends the value. False: FAULT_BAD_BODY, and what was appended is to be thrown away. */
bool canonical_append(const struct json_tape *tape, uint32_t node, struct buf *out, struct fault *why);
/* Of a whole text: parsed, then as above. */
bool canonical_text(struct slice json, struct buf *out, struct fault *why);

#endif
