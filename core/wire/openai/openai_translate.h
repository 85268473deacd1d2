/*
 * Requests of OpenAI's chat API into and out of the hub of translation (wire/translate/conversation.h): between
 * openai_translate.c (settings), openai_translate_message.c (messages) and openai_translate_write.c.
 *
 * What an assistant has thought is read from the extensions that clients send back: reasoning_details or
 * thinking_blocks, lists of {text or thinking, signature} and {data}; else reasoning_content with its signature.
 */
#ifndef MOONGATE_WIRE_OPENAI_TRANSLATE_H
#define MOONGATE_WIRE_OPENAI_TRANSLATE_H

#include "wire/translate/reading.h"
#include "wire/translate/translate.h"

extern const struct request_translation openai_request_translation;
extern const struct conversation_words openai_words;

bool openai_read_conversation(struct reading *in, uint32_t messages);
bool openai_write_conversation(struct conversation *c, const struct translate_target *target, struct buf *out,
                                  struct dropped *dropped, struct fault *why);

#endif
