/*
 * The checklist of governance: facts computed from registry, ledger, configuration and the policies at work.
 *
 *     struct checklist_parts parts = {.registry = registry, .data_dir = "data", .config = config, .now_s = now_s};
 *     json_t *report = checklist_new(set, &parts, &is_well, &why);        // NULL: *why
 *     checklist_write(set, report, SLICE("md"), &out, &why);              // "md", "html"
 *
 * Here is only gathered what is so; each fact is judged by a function of its own in scripts/checklist/, and what it
 * supports stands in scripts/catalogue/controls.lua. What cannot be told is *unknown*, with why: nothing is taken to be
 * well because nobody could look.
 *
 *     {"report": {"gateway", "as_of", "since", "policies", "facts": […], "counts", "mapping", "note", "is_well"},
 *      "sha256": of the member `report`, its names sorted and without blanks (`jq -cjS .report | sha256sum`)}
 *
 * Reads the disk, and waits for it: for commands and the admin process. CHECKLIST_DAYS of traffic unless since_s says
 * another day.
 */
#ifndef MOONGATE_ADMIN_CHECKLIST_CHECKLIST_H
#define MOONGATE_ADMIN_CHECKLIST_CHECKLIST_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/fault.h"
#include "base/slice.h"

#define CHECKLIST_DAYS 90
#define CHECKLIST_DAY_S 86400

struct json_t; /* jansson.h cannot be included beside wire/json.h */
struct policy_set;
struct registry;

/* All borrowed. */
struct checklist_parts {
    struct registry *registry; /* NULL: it cannot be opened … */
    const char *trouble;       /* … and why */
    const char *data_dir;      /* where the ledger lies */
    /* What moongate.lua says, without secrets, as config_show() tells it, and "retain_s". */
    const struct json_t *config;
    const struct json_t *gate;  /* {"wanted", "persons", "serial", "is_good", "why"}; NULL: nobody can say */
    const struct json_t *nodes; /* [{"name", "digest"}]: processes that decide, by which policies; NULL: none */
    struct slice gateway;
    bool is_fleet; /* others count and decide beside this one */
    const struct json_t *required; /* ids of facts; NULL: governance.lua says which */
    int64_t now_s, since_s; /* since_s 0: CHECKLIST_DAYS */
};

/* *is_well: no fact that is required is failing or unknown. */
struct json_t *checklist_new(struct policy_set *set, const struct checklist_parts *parts, bool *is_well,
                             struct fault *why);
/* Of such a report one fact; NULL: there is none. Borrowed. */
struct json_t *checklist_fact(const struct json_t *report, struct slice id);
/* False and *why: there is no such format. */
bool checklist_write(struct policy_set *set, const struct json_t *report, struct slice format, struct buf *out,
                     struct fault *why);

#endif
