/*
 * The parts of a form in a body that is whole: multipart/form-data, read as strictly as can be, since policy and
 * provider must find the same parts in it.
 *
 *     struct multipart m;
 *     if (!multipart_boundary(type, arena, &boundary, &why)) ...          // of "multipart/form-data; boundary=…"
 *     if (!multipart_parse(&m, body, boundary, arena, &why)) ...
 *     for (size_t i = 0; i < m.count; i++) ... multipart_value(&m.parts[i], body) ...
 *
 * Refused is all that two readers could take apart differently: a preamble or an epilogue, the boundary behind a line
 * end that is none of a delimiter's, lines that end otherwise than in CRLF, folded or repeated headers, a transfer
 * encoding, names in other words than "name", "filename" and "filename*" (RFC 8187), escapes in them, a charset other
 * than UTF-8, no end.
 * Parts are offsets into the body, which is borrowed for no longer than the call; names are in the arena.
 * Limits: LIMIT_FORM_PARTS, LIMIT_FORM_HEAD_BYTES of a part's head, LIMIT_FORM_NAME_BYTES of a name.
 * Source: RFC 7578; RFC 2046 5.1.1 (boundaries); RFC 2183 (Content-Disposition); RFC 9110 5.6 (tokens, quoted strings).
 */
#ifndef MOONGATE_WIRE_MULTIPART_H
#define MOONGATE_WIRE_MULTIPART_H

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "base/fault.h"
#include "base/slice.h"

struct multipart_part {
    size_t from;      /* of its delimiter, "--boundary" */
    size_t head;      /* of its first header */
    size_t value, to; /* what it holds, up to the CRLF of the next delimiter */
    struct slice name, filename, type; /* type: as its header says it; empty: it says none */
    bool is_file; /* it has a filename, which may be empty */
};

struct multipart {
    struct multipart_part *parts;
    size_t count;
    size_t end; /* of the last delimiter, "--boundary--" */
};

/* The boundary, in the arena. False: FAULT_MEDIA_TYPE, it is no form, or has no boundary that may be one. */
bool multipart_boundary(struct slice content_type, struct arena *arena, struct slice *boundary, struct fault *why);
/* At least one part. False: FAULT_BAD_BODY. */
bool multipart_parse(struct multipart *m, struct slice body, struct slice boundary, struct arena *arena,
                     struct fault *why);
static inline struct slice multipart_value(const struct multipart_part *part, struct slice body)
{
    return slice_of(body.ptr + part->value, part->to - part->value);
}

#endif
