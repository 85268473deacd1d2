/*
 * Contents of requests of Gemini's API: what each member of a part is, in one table, and one walk over their pieces.
 * Parts of kinds that nobody here knows are told as they stand.
 *
 *     gemini_walk_contents(tape, r->messages_node, fn, arg);     // wire/chat.h says what pieces are
 *     gemini_walk_apart(tape, r->system_node, CHAT_ROLE_APPLICATION, fn, arg);
 *
 * Where a list of parts is wanted, Google takes one part too, and so does this. Reads, never judges: a member that
 * stands twice, in either spelling, is told of, and its first value taken. Between the files of the dialect only.
 * Source: Gemini API reference, Content and Part.
 */
#ifndef MOONGATE_WIRE_GEMINI_CONTENT_H
#define MOONGATE_WIRE_GEMINI_CONTENT_H

#include "wire/chat.h"

/* Nothing when it is no array. False when fn did. */
bool gemini_walk_contents(const struct json_tape *tape, uint32_t contents, chat_piece_fn fn, void *arg);
bool gemini_walk_content(const struct json_tape *tape, uint32_t content, uint32_t number, chat_piece_fn fn, void *arg);
/* A content that is no message: the system prompt, what is to be embedded. */
bool gemini_walk_apart(const struct json_tape *tape, uint32_t content, enum chat_role role, chat_piece_fn fn,
                       void *arg);
/* What is to be embedded by such a request, and its title. */
bool gemini_walk_embedded(const struct json_tape *tape, uint32_t request, chat_piece_fn fn, void *arg);
enum chat_role gemini_role(const struct json_tape *tape, uint32_t content);
bool gemini_is_format(const struct chat_request *r, uint32_t node);
/* Does the provider keep what a piece of PIECE_ELSEWHERE refers to? Else it lies on the web, at an address that says
 * plainly where. */
bool gemini_is_kept(const struct json_tape *tape, uint32_t uri);
/* The same of its text. */
bool gemini_keeps(struct slice uri);

#endif
