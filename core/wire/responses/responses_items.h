/*
 * Items of a request's input: what each member of one is, in one table, and one walk over their pieces. An item is a
 * message to whoever counts and quotes, whatever it is: a call, a result, reasoning. Items and parts of kinds that
 * nobody here knows are walked by the same members, and all else in them is read too.
 *
 *     responses_walk_input(tape, r->messages_node, fn, arg);      // wire/chat.h says what pieces are
 *
 * Reads, never judges: a member that stands twice is told of, and its first value taken. Between the files of the
 * dialect only. Source: OpenAI API reference, POST /v1/responses.
 */
#ifndef MOONGATE_WIRE_RESPONSES_ITEMS_H
#define MOONGATE_WIRE_RESPONSES_ITEMS_H

#include "wire/chat.h"

/* A text is the user's message; of what is neither that nor a list nothing is told. False when fn did. */
bool responses_walk_input(const struct json_tape *tape, uint32_t input, chat_piece_fn fn, void *arg);
bool responses_walk_item(const struct json_tape *tape, uint32_t item, uint32_t number, chat_piece_fn fn, void *arg);
enum chat_role responses_role(const struct json_tape *tape, uint32_t item);
bool responses_is_format(const struct chat_request *r, uint32_t node);
/* Does it stand for one that the provider keeps? So does one that has an id and nothing of its own: reasoning without
 * words and encrypted content, a picture that was made without the picture. */
bool responses_is_reference(const struct json_tape *tape, uint32_t item);
/* What tools of that list make the model do, those in namespaces included: of enum chat_uses. Counts them. */
unsigned responses_tool_uses(const struct json_tape *tape, uint32_t tools, uint32_t *count);

#endif
