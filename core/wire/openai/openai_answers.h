/*
 * Between the files that translate answers of the OpenAI API's dialect: openai_answers_read.c (what its providers
 * say), openai_answers_write.c (what its clients are told), openai_answers_form.c (in chunks, or in one body) and
 * openai_answers_failure.c.
 */
#ifndef MOONGATE_WIRE_OPENAI_ANSWERS_H
#define MOONGATE_WIRE_OPENAI_ANSWERS_H

#include "base/arena.h"
#include "base/buf.h"
#include "wire/openai/openai_told.h"
#include "wire/translate/answers.h"

/* How a completion is written. Functions are false when nobody hears more of it. */
struct openai_out {
    const struct answer_manner *manner;
    answer_event_fn event;
    void *arg;
    struct buf text; /* the event that is being written, or the body */
    struct buf head; /* of events: what each begins with */
    struct buf content, refusal, reasoning, details, calls; /* of a body's message: inside their quotes and brackets */
    bool has_content, has_refusal, has_reasoning;
    uint32_t open_detail; /* of a body: which thought details ends in, from 1; 0: none is open */
};

/* A text of the message's, by its member. */
enum openai_text { OPENAI_CONTENT, OPENAI_REFUSAL };

struct openai_form {
    bool (*start)(struct openai_out *out, const struct delta *start);
    bool (*text)(struct openai_out *out, enum openai_text kind, const struct delta *text);
    /* thought: numbers them. */
    bool (*think)(struct openai_out *out, uint32_t thought, const struct delta *text);
    bool (*sign)(struct openai_out *out, uint32_t thought, struct slice signature);
    bool (*redacted)(struct openai_out *out, uint32_t thought, struct slice data);
    bool (*call)(struct openai_out *out, uint32_t call, struct slice id, struct slice name);
    bool (*ask)(struct openai_out *out, uint32_t call, const struct delta *arguments);
    bool (*finish)(struct openai_out *out, const char *reason);
    bool (*end)(struct openai_out *out, const char *reason, const struct usage *usage);
};

extern const struct openai_form openai_chunks, openai_body;

struct answer_writer *openai_writer_new(const struct answer_manner *manner, answer_event_fn event, void *arg,
                                        struct fault *why);
void openai_writer_free(struct answer_writer *w);
bool openai_write(struct answer_writer *w, const struct delta *delta);


#endif
