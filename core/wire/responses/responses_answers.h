/*
 * Between the files that translate answers of the Responses API: responses_answers_read.c (what its providers say;
 * responses_reading.h), responses_answers_write.c (what its clients are told: which items there are, in their order),
 * responses_answers_form.c (as events, and as JSON) and responses_answers_failure.c.
 *
 * Such a client hears every text again, whole, when its part, its item and the response are done: so all of them is
 * kept, up to LIMIT_RESPONSE_INSPECT_BYTES.
 */
#ifndef MOONGATE_WIRE_RESPONSES_ANSWERS_H
#define MOONGATE_WIRE_RESPONSES_ANSWERS_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/list.h"
#include "wire/translate/answers.h"
#include "wire/translate/arguments.h"

enum responses_kind { RESPONSES_MESSAGE, RESPONSES_REASONING, RESPONSES_CALL, RESPONSES_CUSTOM };

struct responses_item {
    struct list_link link;
    enum responses_kind kind;
    uint32_t index;    /* in the output */
    uint32_t part;     /* as deltas number what goes on in it */
    uint32_t parts;    /* that were begun: of a message's content, or of what it thought */
    bool is_open;      /* more may come */
    bool has_part;     /* … to the last of its parts */
    bool is_refusal;   /* … which says no */
    bool is_cut;       /* the bound of the answer ended it */
    bool is_redacted;  /* REASONING: what is signed is what was thought */
    struct slice call_id, name, space; /* calls; what stands inside a JSON string, in an arena */
    struct buf text;                   /* of the open part, or of what a tool is asked: inside a JSON string */
    struct arguments arguments;        /* CUSTOM: what the text is taken from */
    struct buf done;                   /* parts that are done: JSON, with commas */
    struct buf signature;              /* REASONING */
};

struct responses_out {
    const struct answer_manner *manner;
    answer_event_fn event;
    void *arg;
    struct buf text;          /* the event that is being written, or the body */
    uint64_t sequence;        /* events that were written */
    struct slice id, model;   /* as the provider has them; in an arena */
    struct list_link *items;  /* of struct responses_item */
};

enum responses_status { RESPONSES_IN_PROGRESS, RESPONSES_COMPLETED, RESPONSES_CUT, RESPONSES_FILTERED };

/* All of them are of streams, and true without one, but for the end; false when nobody hears more of it. */
bool responses_tell_start(struct responses_out *out);
/* It begins, or is done. */
bool responses_tell_item(struct responses_out *out, const struct responses_item *item);
bool responses_tell_part(struct responses_out *out, const struct responses_item *item);
bool responses_tell_delta(struct responses_out *out, const struct responses_item *item, struct slice lead,
                          struct slice text);
/* All of its open text. */
bool responses_tell_text(struct responses_out *out, const struct responses_item *item);
bool responses_tell_end(struct responses_out *out, enum responses_status status, const struct usage *usage);
/* The open part, as JSON. */
void responses_append_part(struct buf *out, const struct responses_item *item, struct slice text);

struct answer_writer *responses_writer_new(const struct answer_manner *manner, answer_event_fn event, void *arg,
                                           struct fault *why);
void responses_writer_free(struct answer_writer *out);
bool responses_write(struct answer_writer *out, const struct delta *delta);

void responses_read_failure(const struct json_tape *tape, struct slice name, struct failure *failure,
                            struct arena *arena);

#endif
