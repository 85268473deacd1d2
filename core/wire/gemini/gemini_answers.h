/*
 * Between the files that translate answers of Gemini's dialect: gemini_answers_read*.c (what its providers say),
 * gemini_answers_write.c (what its clients are told, part by part), gemini_answers_form.c (as events, or as one body)
 * and gemini_answers_words.c (what went wrong). The table of them all, gemini_answers, stands in gemini_translate.c.
 */
#ifndef MOONGATE_WIRE_GEMINI_ANSWERS_H
#define MOONGATE_WIRE_GEMINI_ANSWERS_H

#include "base/buf.h"
#include "wire/translate/answers.h"

/* A text of a content. */
enum gemini_text { GEMINI_NOTHING, GEMINI_SAID, GEMINI_THOUGHT };

/* How a response is written: as events, or as one body. Functions are false when nobody hears more of it. */
struct gemini_out {
    const struct answer_manner *manner;
    answer_event_fn event;
    void *arg;
    struct buf text;  /* the event that is being written, or the body */
    struct buf tail;  /* what each response ends with: whose it is */
    struct buf parts; /* of a body: all so far */
    struct buf held;  /* of events: the last character that was said, or a call: the last event has that in it */
    bool is_call;     /* … a call */
    enum gemini_text open; /* of a body: the part that may go on … */
    uint32_t part;         /* … and its number */
};

struct gemini_form {
    bool (*say)(struct gemini_out *out, enum gemini_text kind, uint32_t part, struct slice lead, struct slice text);
    /* signature: base64. */
    bool (*sign)(struct gemini_out *out, uint32_t part, struct slice signature);
    bool (*call)(struct gemini_out *out, struct slice id, struct slice name, struct slice args);
    bool (*end)(struct gemini_out *out, const char *reason, const struct usage *usage);
};

extern const struct gemini_form gemini_events, gemini_body;

void gemini_out_begin(struct gemini_out *out, const struct delta *start);
void gemini_out_clear(struct gemini_out *out);

struct answer_writer *gemini_writer_new(const struct answer_manner *manner, answer_event_fn event, void *arg,
                                        struct fault *why);
void gemini_writer_free(struct answer_writer *w);
bool gemini_write(struct answer_writer *w, const struct delta *delta);
void gemini_word_failure(const struct failure *failure, struct dialect_error *error, int *status);

#endif
