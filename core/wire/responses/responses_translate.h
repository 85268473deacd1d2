/*
 * Requests of the Responses API into the hub of translation (wire/translate/conversation.h): between
 * responses_translate.c (settings), responses_translate_tools.c and responses_translate_items.c (the input).
 *
 * What a model has thought goes to the client as an item whose encrypted_content is the provider's signature behind one
 * of these beginnings, or what its provider alone can read; other encrypted_content is of no use there.
 */
#ifndef MOONGATE_WIRE_RESPONSES_TRANSLATE_H
#define MOONGATE_WIRE_RESPONSES_TRANSLATE_H

#include "wire/translate/reading.h"
#include "wire/translate/translate.h"

#define RESPONSES_SIGNATURE "moongate.signature."
#define RESPONSES_REDACTED "moongate.redacted."

extern const struct request_translation responses_request_translation;

bool responses_read_tools(struct reading *in, uint32_t tools, uint32_t choice);
/* A string, or items; JSON_NONE: nothing. */
bool responses_read_input(struct reading *in, uint32_t input);

#endif
