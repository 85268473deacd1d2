/*
 * Which tools a model may or must call, as OpenAI's APIs say it: a word, {"type":"allowed_tools",…}, or one by name.
 *
 *     struct choice_allowed allowed;
 *     if (!choice_read_allowed(&in, choice, &allowed)) …             // once, in front of the tools
 *     if (choice_allows(&in, &allowed, name)) …
 *     if (!choice_read(&in, choice)) …                               // conversation.choice and .choice_name
 *
 * For core/wire's dialects alone; holds nothing. Source: OpenAI API reference, tool_choice of chats and responses.
 */
#ifndef MOONGATE_WIRE_TRANSLATE_CHOICE_H
#define MOONGATE_WIRE_TRANSLATE_CHOICE_H

#include "wire/translate/reading.h"

/* Names of the tools that the choice leaves; more than such an API takes are not asked for. */
#define CHOICE_ALLOWED_MAX 128u
struct choice_allowed {
    bool is_all;
    struct slice *names; /* sorted, in the conversation's arena */
    uint32_t count;
};
/* False: refused, for there are too many. */
bool choice_read_allowed(const struct reading *in, uint32_t choice, struct choice_allowed *allowed);
/* name: a node. */
bool choice_allows(const struct reading *in, const struct choice_allowed *allowed, uint32_t name);
/* False: refused. */
bool choice_read(const struct reading *in, uint32_t choice);

#endif
