/*
 * Between the files of Anthropic's dialect: dialect_anthropic.c (the table, errors, lists), anthropic_request.c
 * (bodies and their edits), anthropic_message.c (what stands in messages), anthropic_answer.c (what is said) and
 * anthropic_rates.c (what limits leave).
 */
#ifndef MOONGATE_WIRE_ANTHROPIC_INNER_H
#define MOONGATE_WIRE_ANTHROPIC_INNER_H

#include "wire/dialect.h"

/* As wire/dialect.h says. */
bool anthropic_read_request(struct chat_request *r, struct arena *arena, struct fault *why);
bool anthropic_walk(const struct chat_request *r, chat_piece_fn fn, void *arg);
void anthropic_edit_ask_usage(const struct chat_request *r, struct splice *edits);
void anthropic_edit_member(const struct chat_request *r, struct splice *edits, enum chat_limit limit, struct slice name,
                           struct slice json);
bool anthropic_guess(const struct json_tape *tape, enum chat_kind *kind);

void anthropic_read_body(struct said_reader *reader, struct dialect_stream *stream, struct slice body,
                         struct said *said);
void anthropic_read_event(struct said_reader *reader, struct dialect_stream *stream, struct slice name,
                          struct slice data, struct said *said);
void anthropic_tell_kept(const struct kept_answer *t);
enum dialect_end anthropic_judge_end(const struct dialect_stream *stream);

size_t anthropic_write_rates(struct arena *arena, const struct dialect_rates *rates, uint64_t now_ns,
                             struct dialect_header *headers);
/* RFC 3339 in UTC, seconds: "2026-03-18T17:50:11Z". */
struct slice anthropic_time(struct arena *arena, int64_t seconds);

#endif
