/*
 * Requests of Anthropic's messages API into and out of the hub of translation (wire/translate/conversation.h): between
 * anthropic_translate.c (settings), anthropic_translate_message.c (messages), anthropic_translate_write.c and
 * anthropic_translate_content.c (messages, written).
 */
#ifndef MOONGATE_WIRE_ANTHROPIC_TRANSLATE_H
#define MOONGATE_WIRE_ANTHROPIC_TRANSLATE_H

#include "wire/translate/reading.h"
#include "wire/translate/translate.h"
#include "wire/translate/writing.h"

extern const struct request_translation anthropic_request_translation;

/* The system prompt and the messages; each JSON_NONE: there is none. */
bool anthropic_read_conversation(struct reading *in, uint32_t system, uint32_t messages);
bool anthropic_write_conversation(struct conversation *c, const struct translate_target *target, struct buf *out,
                                  struct dropped *dropped, struct fault *why);
/* For conversation_prune(), arg the struct writing: can it be written? What cannot is dropped. */
bool anthropic_takes_part(void *arg, const struct part *part);
/* Members "system" and "messages", of a conversation that takes turns. */
void anthropic_write_messages(const struct writing *w);

#endif
