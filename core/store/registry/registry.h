/*
 * What operators enter at run time and must outlive the gateway: <data>/registry.db (SQLite, 0600): people and roles
 * (store/registry/people.h), API keys, top-ups of budgets, and what is under governance.
 *
 *     struct registry *r = registry_open("data", &why);        // makes it when there is none
 *     struct key_spec spec = {.app = SLICE("sales-copilot"), .department = SLICE("Sales")};
 *     struct key_made made;
 *     if (!registry_key_create(r, &spec, &by, &made, &why)) ... // made.text is shown once and kept nowhere
 *     if (!registry_section(r, SECTION_KEYS, now_s, &bytes, &why)) ... // what keyring_map() reads
 *     registry_close(r);
 *
 * Only a key's SHA-256 is stored: 256 random bits need no salt and no slow hash. Several processes may have it open;
 * workers never do, they get sections. A key is never deleted, only revoked: its id stays in records. A
 * top-up stays, too, when it has ended.
 *
 * Each change is noted in the same transaction as an entry for the ledger (store/change.h), who made it included. The
 * ledger process takes what is new and says so: whoever is killed in between, none is lost, and it is taken again.
 * What changes nothing, or cannot be done, is not noted.
 */
#ifndef MOONGATE_STORE_REGISTRY_REGISTRY_H
#define MOONGATE_STORE_REGISTRY_REGISTRY_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/fault.h"
#include "store/change.h"
#include "store/keyring.h"
#include "store/section/section.h"

struct governance;
struct json_t; /* jansson.h cannot be included beside wire/json.h */

#define REGISTRY_FILE "registry.db"
#define KEY_TEXT_PREFIX "mgk_"
#define KEY_TEXT_BYTES 48 /* the prefix, 43 characters of base 62 (256 bits), the NUL */
#define KEY_ID_BYTES 17   /* "key_", 12 characters of base 62, the NUL */
#define TOPUP_ID_PREFIX "topup_"
#define TOPUP_ID_BYTES 19 /* the prefix, 12 characters of base 62, the NUL */

struct registry;

/* What a new key stands for; empty: not said. Lists are borrowed. */
struct key_spec {
    struct slice app, department, user, team, tier, region, clearance, env;
    struct slice owner; /* the id of a person */
    const struct slice *roles, *approvals;
    size_t role_count, approval_count;
    const struct key_label *labels;
    size_t label_count;
    uint64_t expires_at; /* seconds since 1970; 0: never */
};

struct key_made {
    char text[KEY_TEXT_BYTES]; /* the secret; wipe it after use */
    char id[KEY_ID_BYTES];
};

/* What has become of the key that a new one takes the place of. */
struct key_rotated {
    struct key_made made;
    uint64_t expires_at;     /* of the new one: as long from now as the old one had from its making; 0: never */
    uint64_t old_expires_at; /* of the old one: now and the grace, or before that as it was */
};

/* What is added to a budget, named as store/topups.h says. */
struct topup_spec {
    struct slice budget, scope;
    int64_t nano;    /* 1 … LIMIT_TOPUP_NANO, all of this budget and scope together */
    int64_t ends_at; /* seconds since 1970; after now, within LIMIT_TOPUP_S */
};

struct topup_made {
    char id[TOPUP_ID_BYTES];
    int64_t created_at;
    int64_t before_nano; /* what others add to the same now */
};

struct topup_ended {
    int64_t nano, ends_at, ended_at; /* ended_at: now, or when it did */
    bool was_over;                   /* by itself, or ended before: nothing changed */
};

enum registry_found { REGISTRY_FOUND, REGISTRY_MISSING, REGISTRY_FAILED };

/* What the store itself refuses, whoever asks: four eyes stand in the database. The word is the API's error code. */
#define REGISTRY_REFUSALS(X)                                                                                           \
    X(SELF_APPROVAL, "self_approval", "somebody else must decide: it is this person's own")                            \
    X(NOT_HUMAN, "not_human", "only a person who is not disabled may decide")                                          \
    X(STALE_REVIEW, "stale_review", "the text is not the one that was looked at: read it again")                       \
    X(IMMUTABLE, "immutable", "it is kept as it is: make a new one")                                                   \
    X(ILLEGAL_MOVE, "illegal_move", "it is in no state from which it can go there")                                    \
    X(NOT_REVIEWED, "not_reviewed", "nobody but its authors has approved this text")                                   \
    X(IN_PRODUCTION, "in_production", "production points at it: let it point at another version first")                \
    X(NOT_APPROVED, "not_approved", "that label takes approved versions only")                                         \
    X(NOT_TESTED, "not_tested", "its cases have not all passed on this very text within 7 days")                       \
    X(SHARES, "shares", "the shares of a label come to more than 1000")                                                \
    X(NOT_DECIDED, "not_decided", "nobody else has approved what is to be granted")                                    \
    X(NOT_PENDING, "not_pending", "it is decided, withdrawn or over")                                                  \
    X(NOT_A_DRAFT, "not_a_draft", "it begins as a draft")                                                              \
    X(NOT_YOUR_SCOPE, "not_your_scope", "it takes a role that covers this department")                                 \
    X(NOT_YOURS, "not_yours", "only who asked for it may take it back")                                                \
    X(UNCLOSED, "unclosed", "an earlier break-glass of the same person waits for a second one to close it")            \
    X(NOTE_NEEDED, "note_needed", "to keep what is recommended to go takes a note that says why")                      \
    X(NOT_IN_FORCE, "not_in_force", "a loaded bundle still allows what was to go: `moongate reviews patch` makes it")  \
    X(UNANSWERED, "unanswered", "items wait for an answer, and there is time for it still")                            \
    X(STALE, "stale", "somebody changed it meanwhile: look again")                                                     \
    X(EXISTS, "exists", "there is one already")                                                                        \
    X(UNKNOWN, "unknown", "it names what there is not")                                                                \
    X(INVALID, "invalid", "a value is out of its bounds")

enum registry_refusal {
    REGISTRY_ACCEPTED,
#define X(NAME, WORD, SENTENCE) REGISTRY_##NAME,
    REGISTRY_REFUSALS(X)
#undef X
};

/* Of the last change or statement that failed; REGISTRY_ACCEPTED: that was a fault, or nothing failed. */
enum registry_refusal registry_refused(const struct registry *r);
/* "self_approval"; "" for REGISTRY_ACCEPTED. */
const char *registry_refusal_word(enum registry_refusal refusal);
/* Of the last change that this registry made. */
int64_t registry_rev(const struct registry *r);
/* The digest of the rules in force, which events of changes from now on name. */
void registry_set_rules(struct registry *r, struct slice digest);
/* What is decided from now on is judged by these rules (store/governance.h) on top of what the store itself refuses;
 * their digest is named by events. Borrowed until the next call or registry_close(). NULL: none are known, and the
 * store's own refusals are all there is. */
void registry_govern(struct registry *r, const struct governance *rules);

/* Where it is, for all that this process and its children open from now on: in PostgreSQL, of all gateways of a fleet
 * (a connection string, which is a secret, and this gateway's name); empty: in the data folder. */
void registry_use(struct slice url, struct slice gateway);
bool registry_is_shared(void);
/* False: none was made yet, and nobody has a key. */
bool registry_is_there(const char *data_dir);

/* NULL and *why (naming the file) when it cannot be opened or was made by a newer moongate. */
struct registry *registry_open(const char *data_dir, struct fault *why);
void registry_close(struct registry *r); /* NULL is welcome */
/* For who only reads: nothing is made or changed, what an older version left is brought up to date in memory. *r NULL:
 * there is none. False and *why (*r is NULL, too): it cannot be read. */
bool registry_open_to_read(const char *data_dir, struct registry **r, struct fault *why);
/* For who only notes what was taken: what another process holds is a fault at once, and the file is not held until the
 * disk has it. A note that a power cut takes back is made again. */
void registry_be_brief(struct registry *r);

bool registry_key_create(struct registry *r, const struct key_spec *spec, const struct change_by *by,
                         struct key_made *made, struct fault *why);
/* Revoking twice is REGISTRY_FOUND too; the first time stands,
 * but ends_requests (see struct key_record) may be added. */
enum registry_found registry_key_revoke(struct registry *r, struct slice id, bool ends_requests,
                                        const struct change_by *by, struct fault *why);
/* A new key that stands for the same; the old one lives for grace_s more. Both or neither. REGISTRY_FAILED and *why
 * also where the old one is revoked, expired or was rotated before. */
enum registry_found registry_key_rotate(struct registry *r, struct slice id, uint64_t grace_s,
                                        const struct change_by *by, struct key_rotated *rotated, struct fault *why);
/* All keys, oldest first, as a new array of objects: the fields of the snapshot without the digest, and "created_at",
 * "revoked_at" (0: not revoked), "tail" (the last four characters of the key, to recognise it), "successor" (the id of
 * the key that took its place, or ""). NULL and *why. */
struct json_t *registry_keys(struct registry *r, struct fault *why);

/* by->reason is needed: one line of visible text, at most LIMIT_REASON_BYTES. False and *why also where LIMIT_TOPUPS
 * or more are not over. */
bool registry_topup_create(struct registry *r, const struct topup_spec *spec, const struct change_by *by,
                           struct topup_made *made, struct fault *why);
/* May be said before anything is asked of anybody. */
bool registry_check_reason(struct slice reason, struct fault *why);
/* From now on it adds nothing. Ending what is over is REGISTRY_FOUND too, and changes nothing. */
enum registry_found registry_topup_end(struct registry *r, struct slice id, const struct change_by *by,
                                       struct topup_ended *ended, struct fault *why);
/* All of them, oldest first, as a new array of objects: "id", "budget", "scope", "nano", "reason", "by", "created_at",
 * "starts_at", "ends_at", "ended_at" (0: it was not ended before its time). NULL and *why. */
struct json_t *registry_topups(struct registry *r, struct fault *why);

/* As registry_export_topups(), for who only reads: nothing is made or changed, also where it may be. None where there
 * is no registry. */
bool registry_read_topups(const char *data_dir, int64_t now_s, struct buf *out, struct fault *why);
/* In the same way registry_topups() and registry_keys(). */
struct json_t *registry_read_all_topups(const char *data_dir, struct fault *why);
struct json_t *registry_read_all_keys(const char *data_dir, struct fault *why);

/* Appends what keyring_parse() reads … */
bool registry_export_keys(struct registry *r, struct buf *out, struct fault *why);
/* … what topups_parse() does: those that have not been over for LIMIT_TOPUPS_PAST_S, whose clock it may be, and of
 * more than LIMIT_TOPUPS those that end last … */
bool registry_export_topups(struct registry *r, int64_t now_s, struct buf *out, struct fault *why);
/* Appends one section of what workers get, as it is at one moment … */
bool registry_section(struct registry *r, enum section_kind kind, int64_t now_s, struct buf *out, struct fault *why);
/* … and hands out all of them, of one moment, each borrowed until `each` returns; false from it ends that. */
bool registry_sections(struct registry *r, int64_t now_s,
                       bool (*each)(void *arg, enum section_kind kind, struct slice bytes), void *arg,
                       struct fault *why);

/* What commits change of the files, seen without opening them: whoever has the registry open in a process may not fork
 * it. An empty file is none. */
struct registry_mark_part {
    uint64_t device, inode;
    int64_t size, written_ns; /* size 0: it is not there */
};

struct registry_mark {
    struct registry_mark_part file, log;
    bool is_settled; /* false: so lately written that it may be written again and look the same */
};

struct registry_mark registry_mark(const char *data_dir);
/* Nothing was committed in between. False also where it cannot be told. */
bool registry_mark_is_same(const struct registry_mark *then, const struct registry_mark *now);

/* Changes that the ledger has not taken, behind that number, in their order; at most `max`. Of a fleet's ledgers one
 * takes them at a time, until it closes the registry: the others see none. */
bool registry_changes(struct registry *r, uint64_t after, unsigned max,
                      void (*each)(void *arg, uint64_t number, struct slice body), void *arg, struct fault *why);
/* All up to this one are in the ledger. */
bool registry_changes_taken(struct registry *r, uint64_t last, struct fault *why);

#endif
