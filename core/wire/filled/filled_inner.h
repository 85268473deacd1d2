/*
 * What the files of wire/filled share; nobody else includes it.
 *
 *     filled.c           what is asked for, what is taken out, the order of things
 *     filled_fields.c    what the version sets beside messages
 *     filled_chat.c, filled_responses.c, filled_messages.c, filled_gemini.c    messages and tools, a dialect each
 *     filled_verify.c    is it an instance?
 *     filled_holes.c     where in the result callers' values stand in the application's voice
 *     filled_media.c     pictures, files and sound
 */
#ifndef MOONGATE_WIRE_FILLED_FILLED_INNER_H
#define MOONGATE_WIRE_FILLED_FILLED_INNER_H

#include "wire/filled/filled.h"

/* Where a dialect has what the chat API calls so. */
struct filled_place {
    const char *name;   /* "max_tokens" */
    const char *outer;  /* an object of the root; NULL: the root */
    const char *member; /* "maxOutputTokens" */
};

struct filling {
    struct filled *f;
    const struct filled_dialect *d;
    const struct slice *values;
    struct splice edits;
};

/* The messages [from, to) of a template, each after a comma but the first. */
struct filled_dialect {
    bool takes_members; /* bodies may name a prompt by the gateway's own members */
    const struct filled_place *places; /* ends with a name of NULL */
    const char *list, *list_other;     /* of messages, and its other name; NULL: it has none */
    const char *system, *system_other; /* where the system prompt stands apart; NULL: among the messages */
    const char *content;               /* of a message: "content", "parts" */
    const char *assistant;             /* "assistant", "model" */
    bool (*write_messages)(struct filling *w);
    /* Tools and a response format of the chat API as this dialect writes them; false: it has no words for it. */
    bool (*write_tools)(struct filling *w, const struct json_tape *tape, struct buf *out);
    bool (*write_format)(struct filling *w, const struct json_tape *tape, struct buf *out);
};

/* False, with a fault whose param is that place. */
bool filled_refuse(struct filled *f, enum fault_code code, const char *param, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
/* A member of an object that is not null; JSON_NONE: it is not there. */
uint32_t filled_member(const struct filled *f, uint32_t object, const char *name);
/* The caller's list of messages, by either name. */
uint32_t filled_list(const struct filled *f, const struct filled_dialect *d);
uint32_t filled_system(const struct filled *f, const struct filled_dialect *d);
/* A caller may write system texts and the like only where the version opens it. */
bool filled_check_roles(struct filling *w);
/* Is it a message that speaks as the application? */
bool filled_is_application(const struct filled *f, uint32_t message);
bool filled_set_fields(struct filling *w);

/* Is the message's place the system prompt's, apart from all others? */
bool filled_is_apart(const struct filling *w, uint32_t message);
/* How many of [from, to) are not. */
uint32_t filled_count_own(const struct filling *w, uint32_t from, uint32_t to);
/* "…" with the message's text in it. */
void filled_append_text(const struct filling *w, uint32_t message, struct buf *out);
/* Each message [from, to) that is not apart by `each`, commas between. Returns how many. */
typedef bool (*filled_each_fn)(struct filling *w, uint32_t message, struct buf *out);
bool filled_append_messages(struct filling *w, uint32_t from, uint32_t to, filled_each_fn each, struct buf *out,
                            uint32_t *count);
/* Puts them before and behind those of the caller's list, which may not be there. `given`: what stands for the caller's
 * where it is no list, as an element; empty: nothing. */
bool filled_place_messages(struct filling *w, filled_each_fn each, struct slice given);
/* All texts apart, as one string's inside, blank lines between. */
void filled_append_apart(const struct filling *w, struct buf *out);
bool filled_has_apart(const struct filling *w);

/* {"role":…,"content":…}, as three of them write it. */
bool filled_append_message(struct filling *w, uint32_t message, struct buf *out);
/* Of tools of the chat API: each function; false: one is none. `each` writes one, after a comma but the first. */
typedef void (*filled_function_fn)(const struct json_tape *tape, uint32_t function, struct buf *out);
bool filled_append_functions(const struct json_tape *tape, filled_function_fn each, struct buf *out);
/* ,"name":value, where the object has it. */
void filled_append_member(const struct json_tape *tape, uint32_t object, const char *name, const char *as,
                          struct buf *out);
/* Of a response_format: its JSON schema; JSON_NONE: it asks for any JSON object, or for none (*is_json false). */
uint32_t filled_schema(const struct json_tape *tape, bool *is_json);

/* One value of a picture and the like, as the dialect's part. False: it has no words for it. */
bool filled_append_media(struct filling *w, const struct template_part *part, struct buf *out);

#endif
