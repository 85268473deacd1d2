/*
 * People as a worker sees them: whose sign-in a token's issuer and subject are.
 *
 *     struct people *people = people_map(fd, &why);
 *     struct slice id = people_find(people, SLICE("https://id.example"), SLICE("ana"));   // "per_7Q2f…", or empty
 *     people_unref(people);
 *
 * Who was merged into somebody else is that one. Of who is disabled only the sign-in is there: people_find() finds
 * nobody, and people_is_disabled() says that no token of his counts.
 */
#ifndef MOONGATE_STORE_PEOPLE_H
#define MOONGATE_STORE_PEOPLE_H

#include <stddef.h>

#include "base/buf.h"
#include "base/fault.h"
#include "base/slice.h"
#include "store/section/section.h"

struct people;

/* From a sealed memory file, or of a copy of its bytes. NULL and *why: it is not one, and nothing of it is taken. */
struct people *people_map(int fd, struct fault *why);
struct people *people_copy(struct slice section, struct fault *why);
struct people *people_empty(void);
struct people *people_ref(struct people *people);
void people_unref(struct people *people); /* NULL is welcome */
size_t people_count(const struct people *people);
/* NULL: they are of no section. */
const struct section_about *people_about(const struct people *people);
/* Empty: nobody's. Valid while the people are held. NULL people are none. */
struct slice people_find(const struct people *people, struct slice issuer, struct slice subject);
/* False also of whom nobody knows. */
bool people_is_disabled(const struct people *people, struct slice issuer, struct slice subject);

/* ---- Making the section. */

struct people_build;

struct people_build *people_build_new(void);
void people_build_free(struct people_build *b); /* NULL is welcome */
/* Copies; each text within LIMIT_KEY_FIELD_BYTES. id empty: disabled. False and *why: it is not in it. */
bool people_build_add(struct people_build *b, struct slice issuer, struct slice subject, struct slice id,
                      struct fault *why);
/* Appends; once, last. Of `about` epoch and revision are taken. */
bool people_build_end(struct people_build *b, const struct section_about *about, struct buf *out, struct fault *why);

#endif
