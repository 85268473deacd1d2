/*
 * What the Responses API wants back with a thought, as clients of other dialects carry it: the item's id and its
 * encrypted content in one text, for the content is good for the item of that id alone. The beginning of the text tells
 * whose it is: no other provider takes it, nor has any that begins so.
 *
 *     responses_signature_write(&out, id, encrypted);                     // appends responses.rs_1 gAAAAAB…
 *     if (responses_signature_read(text, &id, &encrypted)) …              // false: another's
 *
 * All of them stand inside a JSON string, escapes and all; what is read is borrowed from the text. It is what
 * DELTA_SIGNATURE has of a thought in words, and DELTA_REDACTED of one without any, and so is a part's signature, and
 * its text where it is redacted (wire/translate/conversation.h). An id that has a blank in it is none.
 * Source: OpenAI, "Reasoning models", encrypted reasoning items.
 */
#ifndef MOONGATE_WIRE_RESPONSES_SIGNATURE_H
#define MOONGATE_WIRE_RESPONSES_SIGNATURE_H

#include <stdbool.h>

#include "base/buf.h"
#include "base/slice.h"

#define SIGNATURE_OF_RESPONSES "responses."

/* id may be empty: it had none. */
void responses_signature_write(struct buf *out, struct slice id, struct slice encrypted);
/* *id may be empty; *encrypted is not. */
bool responses_signature_read(struct slice text, struct slice *id, struct slice *encrypted);

#endif
