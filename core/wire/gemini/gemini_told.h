/*
 * Between the files that write what Gemini's clients are told: gemini_answers_write.c (part by part) and
 * gemini_answers_form.c (as events, or as one body).
 */
#ifndef MOONGATE_WIRE_GEMINI_TOLD_H
#define MOONGATE_WIRE_GEMINI_TOLD_H

#include "base/buf.h"
#include "wire/translate/answers.h"

/* A text of a content; or a part that is whole. */
enum gemini_text { GEMINI_NOTHING, GEMINI_SAID, GEMINI_THOUGHT, GEMINI_PART };

/* How a response is written: as events, or as one body. Functions are false when nobody hears more of it. */
struct gemini_out {
    const struct answer_manner *manner;
    answer_event_fn event;
    void *arg;
    struct buf text;  /* the event that is being written, or the body */
    struct buf tail;  /* what each response ends with: whose it is */
    struct buf parts; /* of a body: all so far */
    struct buf held;  /* of events: what the last one is to have in it, so far … */
    enum gemini_text holds; /* … the last character of a text, or a part */
    enum gemini_text open;  /* of a body: the part that may go on … */
    uint32_t part;          /* … and its number */
};

struct gemini_form {
    bool (*say)(struct gemini_out *out, enum gemini_text kind, uint32_t part, struct slice lead, struct slice text);
    /* signature: base64. */
    bool (*sign)(struct gemini_out *out, uint32_t part, struct slice signature);
    bool (*call)(struct gemini_out *out, struct slice id, struct slice name, struct slice args);
    bool (*end)(struct gemini_out *out, const char *reason, const struct usage *usage);
    /* What is held for the end, where that does not come. */
    bool (*cut)(struct gemini_out *out);
};

extern const struct gemini_form gemini_events, gemini_body;

void gemini_out_begin(struct gemini_out *out, const struct delta *start);
void gemini_out_clear(struct gemini_out *out);

#endif
