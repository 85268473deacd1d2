/*
 * Who may sign: a file of allowed signers, as git and `ssh-keygen -Y verify` read it (ssh-keygen(1), ALLOWED SIGNERS),
 * and more strictly.
 *
 *     struct signers *all = signers_read(text);                              // always one; what it refused it says
 *     const struct signer *who = signers_find(all, principal, sig.key, SLICE("moongate-bundle"), now_s, &why);
 *     if (who->person == other->person) …                                    // one human, however many keys
 *     signers_free(all);
 *
 * A line: principals (ana,ana@example.com), options (valid-after="20260101Z", valid-before=, namespaces="a,b"), the
 * type of a key, the key, a comment. Principals are names and no patterns: a pattern would let one key speak for many.
 * An option that is not understood refuses its line; so does cert-authority. A time without Z is local, as OpenSSH
 * has it.
 * A person is whoever shares a principal or a key: the same key under two names, and two keys of one name, are one.
 *
 * Bounds: LIMIT_SIGNERS_BYTES of text and LIMIT_SIGNERS lines of keys; what is beyond is refused and said.
 */
#ifndef MOONGATE_STORE_SIGNERS_H
#define MOONGATE_STORE_SIGNERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/fault.h"
#include "base/slice.h"

struct signer {
    struct slice principals; /* ana,kim */
    struct slice key;        /* as it is on the wire */
    struct slice names;      /* namespaces, between commas; none: all */
    int64_t after_s, before_s; /* seconds since 1970, both included */
    unsigned line;
    unsigned person; /* the index of the first line of the same one */
};

struct signers_refused {
    unsigned line; /* 0: the whole file */
    struct slice why;
};

struct signers;

struct signers *signers_read(struct slice text);
void signers_free(struct signers *all); /* NULL is welcome */
size_t signers_count(const struct signers *all);
const struct signer *signers_at(const struct signers *all, size_t index);
size_t signers_refused_count(const struct signers *all);
const struct signers_refused *signers_refused_at(const struct signers *all, size_t index);

/* May what stands in this line sign for the namespace then? *why says why not. */
bool signer_may(const struct signer *s, struct slice name, int64_t now_s, struct fault *why);
/* The line that lets the key speak for the principal. NULL: *why. */
const struct signer *signers_find(const struct signers *all, struct slice principal, struct slice key,
                                  struct slice name, int64_t now_s, struct fault *why);
/* The name of a person: the first principal of their first line. */
struct slice signers_person(const struct signers *all, unsigned person);

/* Is it a name that a principal may have, and a file? Letters, digits and . _ @ + -, the first none of . - + */
bool signers_is_principal(struct slice name);

#endif
