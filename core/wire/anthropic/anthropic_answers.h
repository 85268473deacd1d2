/*
 * Between the files that translate answers of Anthropic's dialect: anthropic_answers_read.c (what its providers
 * say), anthropic_answers_write.c (what its clients are told, block by block), anthropic_answers_form.c (as
 * events, or as one message) and anthropic_answers_failure.c.
 */
#ifndef MOONGATE_WIRE_ANTHROPIC_ANSWERS_H
#define MOONGATE_WIRE_ANTHROPIC_ANSWERS_H

#include "base/arena.h"
#include "base/buf.h"
#include "wire/translate/answers.h"

/* What of a block is told. */
enum anthropic_block { ANTHROPIC_TEXT, ANTHROPIC_THINKING, ANTHROPIC_CALL };

/* How a message is written: as events, or as one body. Functions are false when nobody hears more of it. */
struct anthropic_out {
    const struct answer_manner *manner;
    answer_event_fn event;
    void *arg;
    struct buf text;      /* the event that is being written, or the body */
    struct buf signature; /* of a body's block: it stands behind the text */
    uint32_t blocks;      /* that were begun */
};

struct anthropic_form {
    bool (*start)(struct anthropic_out *out, const struct delta *start);
    bool (*open)(struct anthropic_out *out, enum anthropic_block kind, struct slice id, struct slice name);
    /* Of text and thinking as it comes, of a call's arguments: what stands inside a JSON string. */
    bool (*add)(struct anthropic_out *out, enum anthropic_block kind, struct slice lead, struct slice text);
    bool (*sign)(struct anthropic_out *out, struct slice signature);
    bool (*close)(struct anthropic_out *out, enum anthropic_block kind, struct slice arguments);
    bool (*redacted)(struct anthropic_out *out, struct slice data);
    bool (*end)(struct anthropic_out *out, const char *stop_reason, const struct usage *usage);
};

extern const struct anthropic_form anthropic_events, anthropic_body;

struct answer_writer *anthropic_writer_new(const struct answer_manner *manner, answer_event_fn event, void *arg,
                                           struct fault *why);
void anthropic_writer_free(struct answer_writer *out);
bool anthropic_write(struct answer_writer *out, const struct delta *delta);

void anthropic_read_failure(const struct json_tape *tape, struct slice name, struct failure *failure,
                            struct arena *arena);
/* "permission_error" of 403. */
struct slice anthropic_type_of_status(int status);
void anthropic_word_failure(const struct failure *failure, struct dialect_error *error, int *status);

#endif
