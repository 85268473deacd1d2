/*
 * What another provider wants back with a thought, as clients of Gemini's API carry it: in a thoughtSignature, which is
 * base64 to them, and comes back in either alphabet, for some libraries decode it. The beginning of what is inside
 * tells whose it is; Google's own have none of these.
 *
 *     gemini_signature_write(&out, GEMINI_SIGNED, text);               // appends base64; text: inside a JSON string
 *     switch (gemini_signature_read(raw, arena, &json)) …              // json: the same as a JSON string
 */
#ifndef MOONGATE_WIRE_GEMINI_SIGNATURE_H
#define MOONGATE_WIRE_GEMINI_SIGNATURE_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/slice.h"

enum gemini_signature {
    GEMINI_UNSIGNED, /* nothing, or a word that stands in place of a signature */
    GEMINI_FOREIGN,  /* another's: Google's own */
    GEMINI_SIGNED,
    GEMINI_REDACTED, /* all that there is of a thought, for its provider alone */
};

/* For GEMINI_SIGNED and GEMINI_REDACTED. */
void gemini_signature_write(struct buf *out, enum gemini_signature kind, struct slice text);
/* raw: a JSON string; of none GEMINI_UNSIGNED. */
enum gemini_signature gemini_signature_read(struct slice raw, struct arena *arena, struct slice *json);

#endif
