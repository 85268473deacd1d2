/*
 * Which tools a model may or must call, as OpenAI's APIs say it: a word, {"type":"allowed_tools",…}, or one by name.
 *
 *     uint32_t allowed = choice_allowed(&in, choice);                // JSON_NONE: all of them
 *     if (choice_allows(&in, allowed, name)) …
 *     if (!choice_read(&in, choice)) …                               // conversation.choice and .choice_name
 *
 * For core/wire's dialects alone; holds nothing. Source: OpenAI API reference, tool_choice of chats and responses.
 */
#ifndef MOONGATE_WIRE_TRANSLATE_CHOICE_H
#define MOONGATE_WIRE_TRANSLATE_CHOICE_H

#include "wire/translate/reading.h"

/* The list of tools that the choice leaves; more than such an API takes are not asked for. */
#define CHOICE_ALLOWED_MAX 128u
uint32_t choice_allowed(const struct reading *in, uint32_t choice);
/* name: a node. */
bool choice_allows(const struct reading *in, uint32_t allowed, uint32_t name);
/* False: refused. */
bool choice_read(const struct reading *in, uint32_t choice);

#endif
