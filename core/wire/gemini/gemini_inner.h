/*
 * Between the files of Gemini's dialect: dialect_gemini.c (the table, errors, lists), gemini_request.c (bodies and
 * their edits), gemini_content.c (what stands in contents), gemini_answer.c (what is said).
 */
#ifndef MOONGATE_WIRE_GEMINI_INNER_H
#define MOONGATE_WIRE_GEMINI_INNER_H

#include "wire/dialect.h"

/* Google reads a member by its name in JSON and by the one of its protocol buffer: "maxOutputTokens",
 * "max_output_tokens". */
struct gemini_name {
    struct slice name, other;
};
/* The first of them; JSON_NONE: there is neither. */
uint32_t gemini_get(const struct json_tape *tape, uint32_t object, struct gemini_name name);

/* As wire/dialect.h says. */
bool gemini_read_request(struct chat_request *r, struct arena *arena, struct fault *why);
bool gemini_walk(const struct chat_request *r, chat_piece_fn fn, void *arg);
void gemini_edit_ask_usage(const struct chat_request *r, struct splice *edits);
void gemini_edit_model(const struct chat_request *r, struct splice *edits, struct slice model);
void gemini_edit_member(const struct chat_request *r, struct splice *edits, enum chat_limit limit, struct slice name,
                        struct slice json);
bool gemini_guess(const struct json_tape *tape, enum chat_kind *kind);
/* Of embeddings: several at a time? */
bool gemini_is_batch(const struct chat_request *r);

void gemini_read_body(struct said_reader *reader, struct dialect_stream *stream, struct slice body, struct said *said);
void gemini_read_event(struct said_reader *reader, struct dialect_stream *stream, struct slice name, struct slice data,
                       struct said *said);
enum dialect_end gemini_judge_end(const struct dialect_stream *stream);
/* A candidate's "finishReason", a word or the number of one: does it say that the candidate has ended? */
bool gemini_is_finish(const struct json_tape *tape, uint32_t reason);

#endif
