/*
 * What one event of an answer, or a whole answer, says: read once, and shared by all that look at it.
 *
 *     struct said_reader reader;
 *     said_reader_init(&reader);                       // one for many answers: it keeps the memory of the last reading
 *     struct said said;
 *     dialect->read(&reader, &stream, &source, &said);            // wire/dialect.h
 *     ... said.what, said_has_texts(&said), said_decode(&said, &said.texts[i], &arena) ...
 *     said_append_text(&said, &out);                   // what the model says to the client, as one text
 *     said_reader_clear(&reader);
 *
 * Texts are places in the JSON they stand in, not copies: who wants one decodes it. Who keeps a reading beyond the next
 * one copies json and texts; tape is then NULL. Holds at most one tape and one list of texts.
 */
#ifndef MOONGATE_WIRE_SAID_H
#define MOONGATE_WIRE_SAID_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/slice.h"
#include "wire/json.h"

/* What one event was; 0: nothing of note. */
enum said_what {
    SAID_UNREADABLE = 1, /* not what this dialect sends; count it, relay it */
    SAID_DONE = 2,       /* the end marker */
    SAID_USAGE_ONLY = 4, /* carries usage and no choice: may be left out when the client did not ask for it */
    SAID_ERROR = 8,      /* an error object in the stream; the client's library raises it */
    SAID_FINISHED = 16,  /* some choice got its finish reason here */
    SAID_PART_ENDS = 32, /* nothing comes any more of the texts of that "index", or part */
};

enum said_kind {
    SAID_CONTENT,
    SAID_REFUSAL,
    SAID_REASONING,
    SAID_CALL_NAME, /* of a tool; not for people, but it is paid for */
    SAID_CALL_ARGUMENTS,
};

/* A piece of what the model writes. */
struct said_text {
    uint32_t at, len;      /* of the JSON string in said.json, quotes included; never an empty text */
    uint32_t choice, call; /* which choice, and which of its tool calls or blocks */
    enum said_kind kind;
    bool is_whole;         /* of an answer in one piece: texts of one kind are apart, not one running on */
    bool is_json;          /* no string but an object, which is read as its JSON */
};

struct said {
    unsigned what;                 /* a set of enum said_what */
    struct slice json;             /* the event's data, or the body without a byte order mark */
    const struct json_tape *tape;  /* over json; NULL: it is no JSON, or was edited since */
    const struct said_text *texts; /* in the order in which they stand */
    uint32_t text_count;
    /* Of an event: its strings stand whole in it, all but "delta", which goes on with that of the same part; of other
     * events each string goes on with what stood at its place in the one before. */
    bool has_parts;
    uint64_t part;
};

struct said_reader {
    struct json_tape tape;
    struct said_text *texts;
    uint32_t count, cap;
};

void said_reader_init(struct said_reader *reader);
void said_reader_clear(struct said_reader *reader);

/* For dialects: an empty reading of `json`, and one more text of it,
 * which is left out when it is empty or no string. */
void said_begin(struct said_reader *reader, struct said *said, struct slice json);
void said_add(struct said_reader *reader, uint32_t node, struct said_text text);
/* Of any other value: what is read is its JSON. */
void said_add_json(struct said_reader *reader, uint32_t node, struct said_text text);
void said_end(struct said_reader *reader, struct said *said);

/* A walk over an answer that adds texts: where the next one stands; its place is said_add()'s. */
struct said_telling {
    struct said_reader *reader;
    const struct json_tape *tape; /* the reader's */
    struct said_text text;
};
void said_tell(struct said_telling *t, uint32_t node, enum said_kind kind);

/* The text as its reader sees it: borrowed from json when it has no escapes, else made in the arena. */
struct slice said_decode(const struct said *said, const struct said_text *text, struct arena *arena);
/* Appends all texts but the names of tools. Parts of a whole answer stand on lines of their own. */
void said_append_text(const struct said *said, struct buf *out);

/* The blocks of a whole answer, each a text of its own; nothing of what is no list. */
void said_tell_blocks(struct said_telling *t, uint32_t content,
                      void (*tell_block)(struct said_telling *t, uint32_t block));

#endif
