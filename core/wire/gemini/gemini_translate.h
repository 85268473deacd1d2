/*
 * Gemini's half of the hub of translation (wire/translate/), of requests and of answers: the tables stand in
 * gemini_translate.c. Its clients' requests are read, and what they are told is written, by gemini_translate_read*.c
 * and gemini_answers_write*.c; requests for its providers are written, and what they say is read, by
 * gemini_translate_write.c (settings), gemini_translate_write_content.c (messages) and gemini_answers_read*.c.
 * gemini_answers.h is what answers are made of.
 *
 * What a model of Google's wants back of its thoughts is a signature on one of its parts: a call of a tool, a text, or
 * one that has nothing else. Other dialects have signatures of thoughts alone. So their clients keep it as the one of a
 * thought that stands in front of that part, or, of a part that has nothing else, last; a mark before it says which
 * part that was, and that it is Google's. Marks hold a character that base64 has not.
 * Source: Gemini API, "Thought signatures".
 */
#ifndef MOONGATE_WIRE_GEMINI_TRANSLATE_H
#define MOONGATE_WIRE_GEMINI_TRANSLATE_H

#include "wire/translate/reading.h"
#include "wire/translate/translate.h"
#include "wire/translate/writing.h"

extern const struct request_translation gemini_request_translation;

#define GEMINI_SIGNED_CALL SIGNATURE_OF_GEMINI "call."
#define GEMINI_SIGNED_TEXT SIGNATURE_OF_GEMINI "text."
#define GEMINI_SIGNED_END SIGNATURE_OF_GEMINI "end."

bool gemini_write_conversation(struct conversation *c, const struct translate_target *target, struct buf *out,
                               struct dropped *dropped, struct fault *why);
/* For conversation_prune(), arg the struct writing: can it be written? What cannot is dropped. */
bool gemini_takes_part(void *arg, const struct part *part);
/* False: refused, for a file is one that the provider keeps: an address does not say whose it is. */
bool gemini_check_files(const struct writing *w);
/* Members "systemInstruction" and "contents", of a conversation that takes turns. */
void gemini_write_contents(const struct writing *w);

#endif
