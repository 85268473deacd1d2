/*
 * Between the files of the Responses dialect: dialect_responses.c (the table, errors), responses_request.c (bodies and
 * their edits), responses_conversation.c (those of conversations), responses_items.c (what stands in input),
 * responses_answer.c (what is said) and responses_kept.c (what is kept).
 */
#ifndef MOONGATE_WIRE_RESPONSES_INNER_H
#define MOONGATE_WIRE_RESPONSES_INNER_H

#include "wire/dialect.h"

/* As wire/dialect.h says. */
bool responses_read_request(struct chat_request *r, struct arena *arena, struct fault *why);
/* The request's items, wherever they stand; JSON_NONE: there are none. False: FAULT_BAD_BODY. */
struct members;
bool responses_read_items(struct members *in, uint32_t items);
/* Of CHAT_CONVERSATIONS. */
bool responses_read_conversation(struct chat_request *r, struct arena *arena, struct fault *why);
bool responses_walk(const struct chat_request *r, chat_piece_fn fn, void *arg);
void responses_edit_ask_usage(const struct chat_request *r, struct splice *edits);
void responses_edit_member(const struct chat_request *r, struct splice *edits, enum chat_limit limit, struct slice name,
                           struct slice json);
bool responses_guess(const struct json_tape *tape, enum chat_kind *kind);

void responses_read_body(struct said_reader *reader, struct dialect_stream *stream, struct slice body,
                         struct said *said);
void responses_read_event(struct said_reader *reader, struct dialect_stream *stream, struct slice name,
                          struct slice data, struct said *said);
void responses_tell_kept(const struct kept_answer *t);
enum dialect_end responses_judge_end(const struct dialect_stream *stream);

#endif
