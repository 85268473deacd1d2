/*
 * What clients of OpenAI's APIs are told, alike in all of them: errors with a status, lists of models, what limits
 * leave. Between the dialects that OpenAI speaks (wire/openai, wire/responses) only; each as wire/dialect.h says of the
 * member of its name.
 */
#ifndef MOONGATE_WIRE_OPENAI_TOLD_H
#define MOONGATE_WIRE_OPENAI_TOLD_H

#include "wire/dialect.h"
#include "wire/translate/failure.h"

#define OPENAI_RATE_NAMES                                                                                              \
    "x-ratelimit-limit-requests, x-ratelimit-remaining-requests, x-ratelimit-reset-requests, "                         \
    "x-ratelimit-limit-tokens, x-ratelimit-remaining-tokens, x-ratelimit-reset-tokens"

/* {"message":…,"type":…}, and {"error":…} around it. */
void openai_write_error(struct buf *out, const struct dialect_error *error);
void openai_write_body_error(struct buf *out, const struct dialect_error *error);
void openai_write_models(struct buf *out, const struct slice *names, size_t count, int64_t since);
void openai_write_model(struct buf *out, struct slice name, int64_t since);
/* What these providers say went wrong. */
void openai_read_failure(const struct json_tape *tape, struct slice name, struct failure *failure, struct arena *arena);
/* What went wrong, in the words and with the status that these clients know. */
void openai_word_failure(const struct failure *failure, struct dialect_error *error, int *status);
size_t openai_write_rates(struct arena *arena, const struct dialect_rates *rates, uint64_t now_ns,
                          struct dialect_header *headers);

#endif
