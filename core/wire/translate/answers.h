/*
 * What a dialect does for the translation of answers: its reader makes deltas of what its providers say, its writer
 * makes of deltas what its clients read. Used by wire/translate/translator.h alone.
 *
 *     struct answer_reader *in = provider->answers->reader_new(take, arg, &why);
 *     provider->answers->read_event(in, name, &said);         // deltas into take(arg, …)
 *     struct answer_writer *out = client->answers->writer_new(&manner, event, arg, &why);
 *     client->answers->write(out, &delta);                     // events, or one body, into event(arg, …)
 *
 * Both check the order of what comes: what is out of order, of another dialect, or cut off is a fault
 * (FAULT_UNTRANSLATABLE), never mended by a guess.
 */
#ifndef MOONGATE_WIRE_TRANSLATE_ANSWERS_H
#define MOONGATE_WIRE_TRANSLATE_ANSWERS_H

#include "base/fault.h"
#include "wire/dialect.h"
#include "wire/said.h"
#include "wire/sse.h"
#include "wire/translate/delta.h"
#include "wire/translate/failure.h"
#include "wire/translate/tool_names.h"

struct answer_reader;
struct answer_writer;

/* How the client is to be answered. */
struct answer_manner {
    struct slice id;     /* of the exchange: what has no id of its provider's is named after it */
    struct slice model;  /* as the client asked for it: where the provider names none */
    int64_t created;     /* seconds since 1970 */
    bool is_stream;      /* in events; else in one body */
    bool wants_usage;    /* in a stream: where the dialect's clients are told only when they ask */
    bool hides_thoughts; /* its dialect's clients ask for what is thought, and it did not */
    const struct tool_names *names; /* tools that the client calls otherwise; NULL: there are none */
};

/* A body is an event that has data alone. False: nobody hears more of it. */
typedef bool (*answer_event_fn)(void *arg, const struct sse_event *event);

/* Without reader_new: no provider is spoken to in it but by its own clients. Without writer_new: its clients speak to
 * no other providers. */
struct answer_translation {
    struct answer_reader *(*reader_new)(delta_fn take, void *arg, struct fault *why);
    void (*reader_free)(struct answer_reader *in);
    /* An event, or a whole answer, that is no error; said has a tape of an object, or is an end marker. */
    bool (*read_event)(struct answer_reader *in, struct slice name, const struct said *said);
    bool (*read_body)(struct answer_reader *in, const struct said *said);
    /* The stream came to its end in order, but for an end marker (DIALECT_COMPLETE_UNMARKED). */
    bool (*read_end)(struct answer_reader *in);
    /* An error object, of a body or of an event (status 0); name: what the event, or the answer's head, calls it. */
    void (*read_failure)(const struct json_tape *tape, struct slice name, struct failure *failure,
                         struct arena *arena);

    /* manner is borrowed for the writer's life. */
    struct answer_writer *(*writer_new)(const struct answer_manner *manner, answer_event_fn event, void *arg,
                                        struct fault *why);
    void (*writer_free)(struct answer_writer *out);
    bool (*write)(struct answer_writer *out, const struct delta *delta);
    /* Of a stream that does not come to its end: what was held of it for that is told. NULL: nothing ever is. */
    bool (*write_held)(struct answer_writer *out);
    /* The words and the status that its clients know for it; the message is the failure's. */
    void (*word_failure)(const struct failure *failure, struct dialect_error *error, int *status);
};

#endif
