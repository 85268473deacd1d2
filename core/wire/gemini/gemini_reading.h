/*
 * Requests of Gemini's API into the hub of translation (wire/translate/conversation.h): between
 * gemini_translate_read.c (settings), gemini_translate_read_tools.c, gemini_translate_read_contents.c,
 * gemini_translate_read_parts.c and gemini_translate_read_schema.c (schemas, in JSON Schema's words).
 */
#ifndef MOONGATE_WIRE_GEMINI_READING_H
#define MOONGATE_WIRE_GEMINI_READING_H

#include "wire/gemini/gemini_inner.h"
#include "wire/gemini/gemini_translate.h"

extern const struct conversation_words gemini_words;

bool gemini_read_for_others(const struct chat_request *r, struct conversation *c, struct dropped *dropped,
                            struct fault *why);
/* Google's own schemas, of tools' parameters and of the answer, become JSON schemas under the same names. */
bool gemini_respell(const struct chat_request *r, struct arena *arena, struct buf *body, struct dropped *dropped);

/* As reading_members(), in either spelling; at most half as many names. */
bool gemini_read_members(const struct reading *in, uint32_t object, const struct gemini_name *names, unsigned count,
                         uint32_t *at) __attribute__((warn_unused_result));
/* tools, one or a list, and which of them may be called. */
bool gemini_read_tools(struct reading *in, uint32_t tools, uint32_t config);
bool gemini_read_contents(struct reading *in, uint32_t system, uint32_t contents);

/* Parts of a content, or of what a tool gave back; JSON_NONE: there is none. */
bool gemini_read_text(const struct reading *in, uint32_t text, struct part_list *list);
bool gemini_read_bytes(struct reading *in, uint32_t media, struct part_list *list);
bool gemini_read_file(struct reading *in, uint32_t media, struct part_list *list);
/* What a tool gave back, as parts of its result. */
bool gemini_read_response(struct reading *in, uint32_t response, uint32_t parts, struct part *result);

#endif
