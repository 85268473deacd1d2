/*
 * Requests of Amazon's Converse API out of the hub of translation (wire/translate/conversation.h): between
 * converse_translate.c (settings), converse_translate_tools.c, converse_translate_content.c (messages) and
 * converse_names.c (of documents). Nobody reads them.
 */
#ifndef MOONGATE_WIRE_CONVERSE_TRANSLATE_H
#define MOONGATE_WIRE_CONVERSE_TRANSLATE_H

#include "wire/translate/thinking.h"
#include "wire/translate/translate.h"
#include "wire/translate/writing.h"

extern const struct request_translation converse_request_translation;

/* Without what cannot be written, which is dropped; in turns. */
void converse_take_turns(struct conversation *c, const struct writing *w);
/* Behind that: is there a form for all of it? False: FAULT_BAD_BODY. */
bool converse_has_form(const struct writing *w);
/* Members "system" and "messages", of a conversation that takes turns. */
void converse_write_messages(const struct writing *w);

/* Member "toolConfig". */
void converse_write_tools(const struct writing *w, const struct thinking *thinking);

/* Are texts of a model of those traits marked where they are cached up to, or, as well, tools? */
bool converse_takes_marks(const struct writing *w);
bool converse_takes_tool_marks(const struct writing *w);
/* An element: {"cachePoint":…}; how long it lives is kept. */
void converse_write_mark(const struct writing *w, struct slice cache);

/* What the document is called there, a JSON string: the number-th of its request, from 1 on. What its name has besides
 * what is allowed is left out, and `is_changed` says so. */
struct slice converse_document_name(const struct writing *w, const struct part *p, uint32_t number, bool *is_changed);

#endif
