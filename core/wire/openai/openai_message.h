/*
 * Messages of requests of the OpenAI API: what each member of one is, in one table, and one walk over their pieces.
 *
 *     openai_walk_messages(tape, r->messages_node, fn, arg);      // wire/chat.h says what pieces are
 *     if (openai_is_format(tape, node)) ... no text for a model, nor is anything inside it ...
 *
 * Reads, never judges: a member that stands twice is told of, and its first value taken. Between the files of the
 * dialect only. Source: OpenAI API reference, POST /v1/chat/completions; reasoning_content: DeepSeek and others.
 */
#ifndef MOONGATE_WIRE_OPENAI_MESSAGE_H
#define MOONGATE_WIRE_OPENAI_MESSAGE_H

#include "wire/chat.h"

/* Nothing when it is no array. False when fn did. */
bool openai_walk_messages(const struct json_tape *tape, uint32_t messages, chat_piece_fn fn, void *arg);
bool openai_walk_message(const struct json_tape *tape, uint32_t message, uint32_t number, chat_piece_fn fn, void *arg);
enum chat_role openai_role(const struct json_tape *tape, uint32_t message);
/* A member, anywhere inside messages, of pictures, audio, files, or the words of the format itself. */
bool openai_is_format(const struct chat_request *r, uint32_t node);

#endif
