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
/* Google's signatures go to clients of other dialects behind this mark (wire/gemini/gemini_translate.h): no other
 * provider takes them, nor has any that begin so. */
#define SIGNATURE_OF_GEMINI "gemini."
#define SIGNATURE_OF_OPENAI "openai."
bool writing_is_geminis(struct slice signature);
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

#endif
