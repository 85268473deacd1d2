/*
 * What the writers of all dialects have in common: members, strings put together, ids, drops.
 *
 *     struct writing w = {.c = c, .target = target, .out = out, .dropped = dropped};
 *     writing_member(&w, SLICE("model"), c->model);           // ,"model":"…" ; the first one without its comma
 *     writing_joined(&w, &list, "\\n");                       // one JSON string of all texts
 *
 * All texts are JSON already. For core/wire's dialects alone; holds nothing.
 */
#ifndef MOONGATE_WIRE_TRANSLATE_WRITING_H
#define MOONGATE_WIRE_TRANSLATE_WRITING_H

#include "wire/translate/translate.h"

struct writing {
    const struct conversation *c;
    const struct translate_target *target;
    struct buf *out;
    struct dropped *dropped;
    struct fault *why; /* of writing_refuse() */
};

/* The member's name and colon, behind a comma unless an object or array opens before it. */
void writing_name(const struct writing *w, struct slice name);
/* A comma, unless an object or array opens before it: in front of an array's element. */
void writing_comma(const struct writing *w);
/* Nothing when json is empty. */
void writing_member(const struct writing *w, struct slice name, struct slice json);
void writing_number(const struct writing *w, struct slice name, int64_t value);
/* One string of the list's parts of that kind, with `between` (as inside a JSON string) between them. */
void writing_joined(const struct writing *w, const struct part_list *list, enum part_kind kind, struct slice between);
/* data:image/png;base64,… as a string. */
void writing_data_url(const struct writing *w, const struct part *p);
/* The id of a tool's call; what its provider would not take is written as another one, always the same. */
void writing_call_id(const struct writing *w, struct slice id);
/* The schema of what a tool is asked. */
void writing_parameters(const struct writing *w, const struct tool *t);
/* Where the provider has no word for the answer's format, or not here: the system text says what is wanted, nobody sees
 * to it that it is, and it is dropped. w's conversation is c. */
void writing_hint_format(const struct writing *w, struct conversation *c);
/* Google's signatures (wire/gemini/gemini_translate.h), and what OpenAI encrypts of a thought
 * (wire/responses/responses_translate.h), go to clients of other dialects behind these marks: no other provider takes
 * them, nor has any that begin so. */
#define SIGNATURE_OF_GEMINI "gemini."
#define SIGNATURE_OF_OPENAI "openai."
/* What was thought is signed so, or is there for its provider alone and begins so. */
bool writing_is_marked(const struct part *p, struct slice mark);
/* … with any of the marks. */
bool writing_has_mark(const struct part *p);
/* Parts of that kind in the list. */
size_t writing_count(const struct part_list *list, enum part_kind kind);
/* Does any part carry a cache marker? */
bool writing_has_marks(const struct part_list *list);
/* Spaces, line breaks and tabs alone, as a JSON string. */
bool writing_is_blank(struct slice raw);
/* The string's characters are at most so many; escapes count as they stand. */
bool writing_fits(struct slice raw, size_t most);
/* A member of a part is left out; of no name all of it. */
void writing_drop(const struct writing *w, const struct part *p, struct slice name);
/* Sets FAULT_BAD_BODY with the part's place. Always false. */
bool writing_refuse(const struct writing *w, const struct part *p, const char *text);
/* Of the efforts that the target knows the nearest to the one that is said, from `least` on, of two the lower; another
 * one is named in what is dropped. EFFORT_UNSAID, and not named: it knows none. */
enum effort writing_effort(const struct writing *w, enum effort least);

/* --- what OpenAI's two APIs say alike --- */

/* "ephemeral" is the one kind of marker that it has; how long it lasts is dropped. */
void writing_breakpoint(const struct writing *w, const struct part *p);
/* A number, where it is taken; else it is dropped, unless it says the same as nothing. */
void writing_knob(const struct writing *w, enum knob knob, bool is_taken, double usual);
/* EFFORT_UNSAID: nothing is to be said. Not to think is what a model does that knows no effort. */
enum effort writing_depth(const struct writing *w);
/* Is it to be held to its schema? What cannot be is dropped. */
bool writing_is_strict(const struct writing *w, const struct tool *t);
bool writing_is_schema_strict(const struct writing *w);
/* The beginning of an answer is a message as others are there: the answer begins anew. */
void writing_drop_beginning(const struct writing *w);

#endif
