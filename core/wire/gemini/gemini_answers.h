/*
 * Between the files that translate answers of Gemini's dialect: gemini_answers_read.c (what its providers say),
 * gemini_answers_read_partial.c (calls that come in pieces), gemini_answers_write.c (what its clients are told;
 * gemini_told.h), gemini_answers_failure.c and gemini_answers_words.c. The table of them all, gemini_answers, stands in
 * gemini_translate.c.
 */
#ifndef MOONGATE_WIRE_GEMINI_ANSWERS_H
#define MOONGATE_WIRE_GEMINI_ANSWERS_H

#include "base/map.h"
#include "wire/gemini/gemini_inner.h"
#include "wire/translate/answers.h"

struct answer_writer *gemini_writer_new(const struct answer_manner *manner, answer_event_fn event, void *arg,
                                        struct fault *why);
void gemini_writer_free(struct answer_writer *w);
bool gemini_write(struct answer_writer *w, const struct delta *delta);
bool gemini_write_held(struct answer_writer *w);
void gemini_word_failure(const struct failure *failure, struct dialect_error *error, int *status);

struct answer_reader *gemini_reader_new(delta_fn take, void *arg, struct fault *why);
void gemini_reader_free(struct answer_reader *in);
bool gemini_answers_read_event(struct answer_reader *in, struct slice name, const struct said *said);
bool gemini_answers_read_body(struct answer_reader *in, const struct said *said);
bool gemini_answers_read_end(struct answer_reader *in);
void gemini_read_failure(const struct json_tape *tape, struct slice name, struct failure *failure, struct arena *arena);

/*
 * What a tool is asked, where it comes member by member: {"jsonPath":"$.a[0].b","stringValue":"…","willContinue":true}.
 * In the order in which they would stand in the object: what goes back to a member or to a place of a list that was
 * left is refused, since it would stand there twice, and of two who reads the object takes one.
 *
 *     gemini_partial_begin(&partial);
 *     if (!gemini_partial_add(&partial, tape, arguments)) …      // a list of them
 *     if (!gemini_partial_end(&partial)) …                       // partial.json: the object
 *     gemini_partial_clear(&partial);
 *
 * Source: Vertex AI API reference, PartialArg. At most LIMIT_RESPONSE_INSPECT_BYTES.
 */
#define GEMINI_PARTIAL_DEPTH 32u

/* One container that is open, and what of it was begun last. */
struct gemini_partial_step {
    bool is_list;
    uint32_t index;   /* of a list */
    struct slice key; /* of an object: inside of a JSON string, in names */
    uint64_t place;   /* the hash of all that leads there */
};

struct gemini_partial {
    struct buf json;
    struct arena names;
    struct gemini_partial_step steps[GEMINI_PARTIAL_DEPTH];
    uint32_t depth; /* steps that are open */
    bool in_text;   /* the last value is a string that goes on */
    struct buf places; /* of members that were begun, */
    struct map begun;  /* … by themselves */
};

void gemini_partial_init(struct gemini_partial *partial);
void gemini_partial_begin(struct gemini_partial *partial);
bool gemini_partial_add(struct gemini_partial *partial, const struct json_tape *tape, uint32_t arguments);
bool gemini_partial_end(struct gemini_partial *partial);
void gemini_partial_clear(struct gemini_partial *partial);

#endif
