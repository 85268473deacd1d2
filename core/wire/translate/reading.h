/*
 * What the readers of all dialects have in common: members by name, places for errors and drops, strings.
 *
 *     struct reading in = {.tape = &r->tape, .c = c, .dropped = dropped, .why = why};
 *     uint32_t at[COUNT];
 *     in.place = (struct place){.list = "messages", .number = 3};
 *     if (!reading_members(&in, object, names, COUNT, at)) …           // what has another name is dropped
 *     if (…) return reading_refuse(&in, "must be a string");           // messages[3]: must be a string
 *
 * For core/wire's dialects alone; holds nothing.
 */
#ifndef MOONGATE_WIRE_TRANSLATE_READING_H
#define MOONGATE_WIRE_TRANSLATE_READING_H

#include "base/fault.h"
#include "wire/translate/conversation.h"
#include "wire/translate/dropped.h"

#define PLACE_UNNUMBERED UINT32_MAX

/* messages[3].content[1].source: each member may be NULL, which ends the path. All zeroes: the root. */
struct place {
    const char *list;
    uint32_t number; /* PLACE_UNNUMBERED: the list is no list */
    bool is_message; /* the list is that of messages */
    const char *inner;
    uint32_t inner_number;
    const char *leaf;
};

struct reading {
    const struct json_tape *tape;
    struct conversation *c;
    struct dropped *dropped;
    struct fault *why;
    struct place place; /* of what is being read */
};

/* Each name's value that is not null, else JSON_NONE; all are none of what is no object. Members of other names are
 * dropped, unless there is nothing in them: null, "", [], {}. At most READING_MEMBERS_MAX names.
 * False: refused, for one stands twice: of two, whoever scanned and counted has read the one, and this might be the
 * other. */
#define READING_MEMBERS_MAX 64u
bool reading_members(const struct reading *in, uint32_t object, const struct slice *names, unsigned count,
                     uint32_t *at) __attribute__((warn_unused_result));
/* That of the present place is left out; empty: the whole of it. */
void reading_drop(const struct reading *in, struct slice name);
/* Sets FAULT_BAD_BODY with the place. Always false. */
bool reading_refuse(const struct reading *in, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Refuses what conversation_add_…() has no room for. Always false. */
bool reading_is_full(const struct reading *in);
/* One more that is read and may leave nothing. False, and refused: there are too many. */
bool reading_counts(const struct reading *in);
/* The JSON of a value of that type; empty where there is none. False: refused, for it is of another type. */
bool reading_string(const struct reading *in, uint32_t node, const char *name, struct slice *raw);
/* False: refused, for it is there and no number. */
bool reading_number(const struct reading *in, uint32_t node, const char *name);
/* For qsort() and bsearch() of slices: by their bytes. */
int reading_compare(const void *a, const void *b);
/* null, "", [], {} */
bool reading_is_empty(const struct json_tape *tape, uint32_t node);
/* What stands inside a JSON string. */
struct slice reading_inside(struct slice raw);
/* A text as it stands inside a JSON string; it is valid UTF-8. */
struct slice reading_quoted(const struct reading *in, struct slice text);
/* One that stands at the present place; NULL, and refused, when there are too many. */
struct part *reading_add_part(const struct reading *in, struct part_list *list, enum part_kind kind);
/* False, and refused: behind `before` (NULL: from the first on) the list has parts of a kind that no one of that kind
 * says, such as a user who calls a tool. */
bool reading_fits(const struct reading *in, enum speaker speaker, const struct part_list *list,
                  const struct part *before);
/* A part of that kind and text; false when there are too many. Empty texts are none. */
bool reading_add_text(const struct reading *in, struct part_list *list, enum part_kind kind, struct slice raw,
                      struct slice cache);
/* Where what one says goes, who speaks next: what opens the conversation stands apart from it. Each is counted, whether
 * anything is said or not. NULL, and refused: there are too many. */
struct part_list *reading_list_for(const struct reading *in, enum speaker speaker);
/* data:image/png;base64,… (RFC 2397) as the part's media type and data; parameters before ";base64" say nothing. */
enum data_url { URL_NONE, URL_DATA, URL_BAD };
enum data_url reading_data_url(const struct reading *in, struct slice raw, struct part *p);
/* OpenAI's "metadata": conversation.labels, unless there is nothing in it; what is no object is dropped. */
void reading_labels(const struct reading *in, uint32_t metadata);
/* What a tool was asked: a string of JSON, or as some clients have it the object itself; none at all is an empty one.
 * scratch: a tape for it. False: refused. */
bool reading_arguments(const struct reading *in, struct json_tape *scratch, uint32_t node, struct slice *json);

#endif
