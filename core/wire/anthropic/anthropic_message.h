/*
 * Messages of requests of Anthropic's API: what each member of a content block is, in one table, and one walk over
 * their pieces. Blocks of kinds that nobody here knows are walked by the same members.
 *
 *     anthropic_walk_messages(tape, r->messages_node, fn, arg);      // wire/chat.h says what pieces are
 *     anthropic_walk_content(tape, r->system_node, fn, arg);         // outside of any message
 *
 * Reads, never judges: a member that stands twice is told of, and its first value taken. Between the files of the
 * dialect only. Source: Anthropic API reference, POST /v1/messages.
 */
#ifndef MOONGATE_WIRE_ANTHROPIC_MESSAGE_H
#define MOONGATE_WIRE_ANTHROPIC_MESSAGE_H

#include "wire/chat.h"

/* Nothing when it is no array. False when fn did. */
bool anthropic_walk_messages(const struct json_tape *tape, uint32_t messages, chat_piece_fn fn, void *arg);
bool anthropic_walk_message(const struct json_tape *tape, uint32_t message, uint32_t number, chat_piece_fn fn,
                            void *arg);
/* The system prompt: a text, or blocks. */
bool anthropic_walk_system(const struct json_tape *tape, uint32_t system, chat_piece_fn fn, void *arg);
enum chat_role anthropic_role(const struct json_tape *tape, uint32_t message);
bool anthropic_is_format(const struct chat_request *r, uint32_t node);
/* Is this tool run by whoever has the model, not by who asks? */
bool anthropic_is_hosted(const struct json_tape *tape, uint32_t tool);

#endif
