/*
 * A chat request as no dialect writes it, between the two that do: each dialect reads into it and writes from it
 * (wire/translate/translate.h), so that a new one is one reader and one writer.
 *
 *     struct conversation c;
 *     conversation_init(&c, &request, arena, &words);
 *     struct message *m = conversation_add_message(&c, SPEAKER_USER);
 *     struct part *p = m ? conversation_add_part(&c, &m->parts, PART_TEXT) : NULL;      // NULL: there are too many
 *     p->text = json_raw(tape, node);
 *
 * Its texts are spans of the request's own bytes: a JSON string as it stands, quotes and escapes kept, or what is
 * inside its quotes where that is said. Nothing is decoded that is not looked at, and numbers keep their digits. All
 * else is in the arena; there is nothing to clear. At most LIMIT_TRANSLATE_PARTS messages, parts and tools,
 * those included of which nothing is kept.
 * The shape is that of the richer dialect: calls are parts of what an assistant said, results parts of what a user
 * says next. An empty slice means: not said.
 */
#ifndef MOONGATE_WIRE_TRANSLATE_CONVERSATION_H
#define MOONGATE_WIRE_TRANSLATE_CONVERSATION_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/slice.h"
#include "wire/chat.h"
#include "wire/translate/tool_names.h"

enum part_kind {
    PART_TEXT,
    PART_REFUSAL, /* an assistant's text that says no */
    PART_IMAGE,
    PART_DOCUMENT, /* PDF */
    PART_CALL,     /* of a tool, by an assistant */
    PART_RESULT,   /* what it gave back */
    PART_REASONING,
};

struct part_list {
    struct part *first, *last;
};

struct part {
    enum part_kind kind;
    uint32_t message; /* where it stands in the client's body: its message's number; CHAT_NO_MESSAGE: in none … */
    uint32_t number;  /* … and its own in there, where that has a list */
    bool is_error;    /* RESULT: the tool failed */
    bool is_redacted; /* REASONING: text is data that its provider alone can read */
    struct slice text;       /* TEXT, REFUSAL, REASONING: a JSON string. CALL: the arguments, a JSON object */
    struct slice id;         /* CALL, RESULT: a JSON string that both have */
    struct slice name;       /* CALL: the tool's; DOCUMENT: its title. JSON strings */
    struct slice signature;  /* REASONING: its provider's, a JSON string */
    struct slice url;        /* IMAGE: a JSON string, instead of … */
    struct slice media_type; /* IMAGE, DOCUMENT: what stands inside a JSON string */
    struct slice data;       /* … likewise: base64 */
    struct slice detail;     /* IMAGE: how closely it is looked at, a JSON string, if not as the model likes */
    struct slice cache;      /* the marker that the prompt is to be cached up to here: JSON as Anthropic writes it */
    struct part_list parts;  /* RESULT: TEXT, IMAGE, DOCUMENT */
    struct part *next;
};

enum speaker {
    SPEAKER_SYSTEM, /* in the middle of a conversation; what opens it is conversation.system */
    SPEAKER_USER,
    SPEAKER_ASSISTANT,
};

struct message {
    enum speaker speaker;
    struct part_list parts;
    struct message *next;
};

struct tool {
    uint32_t number;
    bool is_strict;
    bool takes_text; /* it is asked with a text, which others have as the one property "input" */
    struct slice name, description; /* JSON strings */
    uint32_t parameters;            /* a node, of an object; JSON_NONE: it takes none */
    struct slice cache;
    struct tool *next;
};

enum choice { CHOICE_UNSAID, CHOICE_AUTO, CHOICE_NONE, CHOICE_ANY, CHOICE_NAMED };

/* How much a model is to think, in order. */
enum effort {
    EFFORT_UNSAID,
    EFFORT_NONE,
    EFFORT_MINIMAL,
    EFFORT_LOW,
    EFFORT_MEDIUM,
    EFFORT_HIGH,
    EFFORT_XHIGH,
    EFFORT_MAX,
};
#define EFFORTS (EFFORT_MAX + 1)

enum answer_format {
    FORMAT_TEXT,
    FORMAT_OBJECT, /* some JSON object */
    FORMAT_SCHEMA, /* JSON that fits conversation.schema */
};

enum service_tier {
    TIER_UNSAID,
    TIER_AUTO,
    TIER_STANDARD,
    TIER_FLEX,     /* cheaper, and later */
    TIER_PRIORITY, /* dearer, and sooner */
};

/* Numbers that steer how tokens are drawn: all dialects that have one call it by that name. */
enum knob { KNOB_TEMPERATURE, KNOB_TOP_P, KNOB_TOP_K, KNOB_SEED, KNOB_FREQUENCY, KNOB_PRESENCE, KNOBS };
extern const struct slice knob_names[KNOBS];

/* What the client's dialect calls what others may not have a word for: its caller is told in these. */
struct conversation_words {
    const char *messages; /* the list of them */
    const char *content;  /* what one of them is made of; NULL: "content" */
    const struct slice *knobs; /* NULL: knob_names */
    bool has_items;       /* what was thought is an item of that list */
    bool has_beginnings;  /* what an assistant says last is the beginning of the answer */
    struct slice stop, effort, format, user, tier, choice, parallel, title;
    struct slice detail;    /* in a part */
    struct slice reasoning; /* in a message; empty: it is a part of the content, or an item */
};

struct conversation {
    const struct json_tape *tape;
    struct arena *arena;
    const struct conversation_words *words;
    uint32_t count; /* of messages, parts and tools */

    struct slice model; /* a JSON string */
    bool is_stream;
    struct slice cache; /* all of it, as far as it goes */
    struct slice cache_key; /* what is asked with the same one begins alike: a JSON string */
    struct part_list system; /* TEXT alone */
    struct message *first, *last;
    struct tool *tools, *last_tool;
    struct tool_names names; /* of tools that the client calls otherwise */
    enum choice choice;
    struct slice choice_name; /* of CHOICE_NAMED: a JSON string */
    enum chat_flag parallel;  /* may several tools be called at once? */
    int64_t max_tokens;       /* -1: not said */
    struct slice max_tokens_name; /* as the client calls it */
    uint32_t knobs[KNOBS];        /* nodes, of numbers; JSON_NONE: not said */
    struct slice *stops; /* JSON strings */
    size_t stop_count;
    enum effort effort;
    int64_t thinking_tokens; /* how many at most; -1: not said */
    enum answer_format format;
    uint32_t schema;          /* a node, of an object */
    struct slice schema_name; /* a JSON string */
    bool is_schema_strict;
    struct slice user; /* who asks, for the provider's own checks: a JSON string */
    uint32_t labels;   /* "metadata", what the client's own side is to know the request by: a node, of an object;
                          JSON_NONE: none */
    enum service_tier tier;
};

void conversation_init(struct conversation *c, const struct chat_request *r, struct arena *arena,
                       const struct conversation_words *words);
/* One more that is read, though nothing of it may be kept. False: there are LIMIT_TRANSLATE_PARTS already. */
bool conversation_count(struct conversation *c);
/* Zeroed, at the end of its list. NULL: one more than LIMIT_TRANSLATE_PARTS. */
struct message *conversation_add_message(struct conversation *c, enum speaker speaker);
struct part *conversation_add_part(struct conversation *c, struct part_list *list, enum part_kind kind);
struct tool *conversation_add_tool(struct conversation *c, uint32_t number);
/* Parts that `keeps` says no to go, and messages of which nothing is left. */
void conversation_prune(struct conversation *c, bool (*keeps)(void *arg, const struct part *part), void *arg);
/* Messages by one speaker that stand together become one, results in front of what else a user says.
 * hoists: what the system says in the middle goes behind what it says at first. */
void conversation_take_turns(struct conversation *c, bool hoists);
/* As the client's dialect calls it. */
struct slice conversation_knob(const struct conversation *c, enum knob knob);
/* "low" …; EFFORT_UNSAID: no word of that kind. Text, without quotes. */
enum effort effort_named(struct slice word);
struct slice effort_word(enum effort effort);
/* For models that are told how many tokens they may think at most; 0: none. */
int64_t effort_tokens(enum effort effort);

#endif
