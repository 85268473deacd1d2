/*
 * Between the files of the OpenAI dialect: dialect_openai.c (the table, ends), openai_request.c (bodies),
 * openai_message.c (what stands in messages), openai_answer.c (what is said).
 * What its clients are told is openai_told.h.
 */
#ifndef MOONGATE_WIRE_OPENAI_INNER_H
#define MOONGATE_WIRE_OPENAI_INNER_H

#include "wire/dialect.h"

/* As wire/dialect.h says. */
bool openai_read_request(struct chat_request *r, struct arena *arena, struct fault *why);
bool openai_walk(const struct chat_request *r, chat_piece_fn fn, void *arg);
void openai_edit_ask_usage(const struct chat_request *r, struct splice *edits);
void openai_edit_member(const struct chat_request *r, struct splice *edits, enum chat_limit limit, struct slice name,
                        struct slice json);
void openai_edit_limit_name(const struct chat_request *r, struct splice *edits, enum chat_limit limit);
bool openai_guess(const struct json_tape *tape, enum chat_kind *kind);

/* Finish reasons into the stream, texts into the reader, whose tape holds `choices`. A set of enum said_what. */
unsigned openai_read_choices(struct said_reader *reader, struct dialect_stream *stream, uint32_t choices);

#endif
