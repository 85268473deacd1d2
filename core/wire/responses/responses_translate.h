/*
 * Requests of the Responses API into and out of the hub of translation (wire/translate/conversation.h): between
 * responses_translate.c (settings), responses_translate_tools.c and responses_translate_items.c (the input), and, out
 * of it, responses_translate_write.c (settings) and responses_translate_write_items.c.
 *
 * What a model of OpenAI's has thought goes to clients of other dialects as what is signed, or is for its provider
 * alone: SIGNATURE_OF_OPENAI (wire/translate/writing.h), the item's id, a dot, and its encrypted_content; so it comes
 * back. The words in its summary go with it, where it has any.
 * What another has thought goes to the client as an item whose encrypted_content is the provider's signature behind one
 * of these beginnings, or what its provider alone can read; other encrypted_content is of no use there.
 */
#ifndef MOONGATE_WIRE_RESPONSES_TRANSLATE_H
#define MOONGATE_WIRE_RESPONSES_TRANSLATE_H

#include "wire/translate/reading.h"
#include "wire/translate/translate.h"
#include "wire/translate/writing.h"

#define RESPONSES_SIGNATURE "moongate.signature."
#define RESPONSES_REDACTED "moongate.redacted."

extern const struct request_translation responses_request_translation;

bool responses_read_tools(struct reading *in, uint32_t tools, uint32_t choice);
/* A string, or items; JSON_NONE: nothing. */
bool responses_read_input(struct reading *in, uint32_t input);

bool responses_write_conversation(struct conversation *c, const struct translate_target *target, struct buf *out,
                                  struct dropped *dropped, struct fault *why);
/* In turns, without what nobody may give back. */
void responses_take_turns(struct conversation *c, const struct writing *w);
/* Members "instructions", where that says all that the system opens with, and "input". */
void responses_write_input(const struct writing *w);

#endif
