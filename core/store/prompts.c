#include "store/prompts_inner.h"

#include <stddef.h>

#include "base/hash.h"
#include "base/limits.h"
#include "base/mem.h"

const struct section_shape prompts_shape = {
    .kind = SECTION_PROMPTS,
    .version = 1,
    .table_count = PROMPTS_TABLES,
    .bytes_max = (uint64_t)LIMIT_PROMPTS_MIB * MIB,
    .tables = {
        [PROMPTS_NAMES] = {.row_bytes = sizeof(struct name_row),
                           .rows_max = LIMIT_PROMPTS,
                           .columns = {{SECTION_COLUMN_TEXTS, offsetof(struct name_row, name), 1, PROMPT_NAME_BYTES},
                                       {SECTION_COLUMN_LISTS, offsetof(struct name_row, versions), 1, PROMPTS_VERSIONS},
                                       {SECTION_COLUMN_LISTS, offsetof(struct name_row, labels), 1, PROMPTS_LABELS}}},
        [PROMPTS_VERSIONS] = {.row_bytes = sizeof(struct version_row),
                              .rows_max = LIMIT_PROMPT_VERSIONS_ALL,
                              .columns = {{SECTION_COLUMN_LISTS, offsetof(struct version_row, words), 1,
                                           PROMPTS_WORDS}}},
        [PROMPTS_LABELS] = {.row_bytes = sizeof(struct label_row),
                            .rows_max = LIMIT_PROMPT_VERSIONS_ALL,
                            .columns = {{SECTION_COLUMN_TEXTS, offsetof(struct label_row, label), 1, PROMPT_NAME_BYTES},
                                        {SECTION_COLUMN_LISTS, offsetof(struct label_row, arms), 1, PROMPTS_ARMS}}},
        [PROMPTS_ARMS] = {.row_bytes = sizeof(struct arm_row),
                          .rows_max = LIMIT_PROMPT_VERSIONS_ALL,
                          .columns = {{SECTION_COLUMN_ROW, offsetof(struct arm_row, version), 1, PROMPTS_VERSIONS}}},
        [PROMPTS_ALIASES] = {.row_bytes = sizeof(struct alias_row),
                             .rows_max = LIMIT_PROMPTS,
                             .columns = {{SECTION_COLUMN_TEXTS, offsetof(struct alias_row, alias), 1,
                                          PROMPT_NAME_BYTES},
                                         {SECTION_COLUMN_ROW, offsetof(struct alias_row, name), 1, PROMPTS_NAMES}}},
        [PROMPTS_WORDS] = {.row_bytes = sizeof(uint64_t), .rows_max = LIMIT_PROMPTS_MIB * (MIB / 8)},
        [PROMPTS_BY_NAME] = {.rows_max = 4 * LIMIT_PROMPTS,
                             .is_index = true,
                             .index_of = PROMPTS_NAMES,
                             .key_at = offsetof(struct name_row, name)},
        [PROMPTS_BY_ALIAS] = {.rows_max = 4 * LIMIT_PROMPTS,
                              .is_index = true,
                              .index_of = PROMPTS_ALIASES,
                              .key_at = offsetof(struct alias_row, alias)},
    }};

struct prompts {
    struct section *section;
    size_t refs;
    const struct name_row *names;
    const struct version_row *versions;
    const struct label_row *labels;
    const struct arm_row *arms;
    const struct alias_row *aliases;
    const uint64_t *words;
};

static const char *const status_names[PROMPT_STATUSES] = {
    [PROMPT_DRAFT] = "draft",       [PROMPT_REVIEW] = "review",     [PROMPT_APPROVED] = "approved",
    [PROMPT_ARCHIVED] = "archived", [PROMPT_REJECTED] = "rejected", [PROMPT_REVOKED] = "revoked",
};

const char *prompt_status_name(enum prompt_status status)
{
    return status_names[status];
}

bool prompt_status_find(struct slice name, enum prompt_status *status)
{
    for (unsigned i = 0; i < PROMPT_STATUSES; i++) {
        if (!slice_equal(name, slice_str(status_names[i]))) continue;
        *status = (enum prompt_status)i;
        return true;
    }
    return false;
}

static struct prompts *see(struct section *section)
{
    uint32_t count;
    if (!section) return NULL;
    struct prompts *p = mem_zalloc(1, sizeof *p);
    *p = (struct prompts){
        .section = section,
        .refs = 1,
        .names = section_rows(section, PROMPTS_NAMES, &count),
        .versions = section_rows(section, PROMPTS_VERSIONS, &count),
        .labels = section_rows(section, PROMPTS_LABELS, &count),
        .arms = section_rows(section, PROMPTS_ARMS, &count),
        .aliases = section_rows(section, PROMPTS_ALIASES, &count),
        .words = section_rows(section, PROMPTS_WORDS, &count),
    };
    return p;
}

struct prompts *prompts_map(int fd, struct fault *why)
{
    return see(section_map(fd, &prompts_shape, why));
}

struct prompts *prompts_copy(struct slice section, struct fault *why)
{
    return see(section_copy(section, &prompts_shape, why));
}

struct prompts *prompts_ref(struct prompts *p)
{
    if (p) p->refs++;
    return p;
}

void prompts_unref(struct prompts *p)
{
    if (!p || --p->refs) return;
    section_unref(p->section);
    mem_free(p);
}

const struct section_about *prompts_about(const struct prompts *p)
{
    return section_about(p->section);
}

/* ---- Finding. */

static const struct name_row *find_name(const struct prompts *p, struct slice name)
{
    uint32_t row;
    if (!p || !name.len) return NULL;
    if (section_find(p->section, PROMPTS_BY_NAME, name, &row)) return &p->names[row];
    return section_find(p->section, PROMPTS_BY_ALIAS, name, &row) ? &p->names[p->aliases[row].name] : NULL;
}

/* The bytes were compiled and checked where they were made; what is opened is seen whole all the same. */
static enum prompts_found take(const struct prompts *p, const struct version_row *v, struct prompts_hit *hit)
{
    struct slice bytes = slice_of((const char *)(p->words + v->words.first), (size_t)v->words.count * 8);
    hit->status = v->status < PROMPT_STATUSES ? (enum prompt_status)v->status : PROMPT_REVOKED;
    if (hit->status == PROMPT_REVOKED) return PROMPTS_REVOKED;
    return v->words.count && prompt_open(&hit->prompt, bytes) ? PROMPTS_FOUND : PROMPTS_NOT_APPROVED;
}

static bool is_of(const struct version_row *v, struct semver wanted, unsigned parts)
{
    return v->major == wanted.major && (parts < 2 || v->minor == wanted.minor) &&
           (parts < 3 || v->patch == wanted.patch);
}

/* Of one number exactly whatever it is; of a beginning the newest that is approved. */
static enum prompts_found find_version(const struct prompts *p, const struct name_row *name, struct slice text,
                                       struct prompts_hit *hit)
{
    struct semver wanted;
    unsigned parts;
    if (!semver_parse_prefix(text, &wanted, &parts)) return PROMPTS_BAD_VERSION;
    for (uint32_t i = name->versions.count; i-- > 0;) {
        const struct version_row *v = &p->versions[name->versions.first + i];
        if (!is_of(v, wanted, parts) || (parts < 3 && v->status != PROMPT_APPROVED)) continue;
        enum prompts_found found = take(p, v, hit);
        bool is_draft = found == PROMPTS_FOUND && hit->status != PROMPT_APPROVED && hit->status != PROMPT_ARCHIVED;
        return is_draft ? PROMPTS_NOT_APPROVED : found;
    }
    return PROMPTS_NO_VERSION;
}

/* Where in the shares a caller stands: by the prompt's name, so that one is not the first in all of them. */
static uint32_t draw(struct slice name, struct slice caller)
{
    return (uint32_t)(hash_bytes(caller, hash_bytes(name, 0)) % PROMPT_SHARES);
}

static enum prompts_found find_label(const struct prompts *p, const struct name_row *name, struct slice label,
                                     struct slice caller, struct prompts_hit *hit)
{
    for (uint32_t i = 0; i < name->labels.count; i++) {
        const struct label_row *l = &p->labels[name->labels.first + i];
        if (!slice_equal(section_text(p->section, l->label), label)) continue;
        uint32_t place = l->arms.count > 1 ? draw(hit->name, caller) : 0, arm = 0;
        while (arm + 1 < l->arms.count && place >= p->arms[l->arms.first + arm].share)
            place -= p->arms[l->arms.first + arm++].share;
        if (!l->arms.count) return PROMPTS_NO_LABEL;
        hit->label = section_text(p->section, l->label);
        hit->share = p->arms[l->arms.first + arm].share;
        return take(p, &p->versions[p->arms[l->arms.first + arm].version], hit);
    }
    return PROMPTS_NO_LABEL;
}

enum prompts_found prompts_find(const struct prompts *p, const struct prompts_asked *asked, struct prompts_hit *hit)
{
    const struct name_row *name = find_name(p, asked->name);
    struct slice version = asked->version, label = asked->label.len ? asked->label : PROMPT_PRODUCTION;
    *hit = (struct prompts_hit){0};
    if (!name) return PROMPTS_NO_NAME;
    hit->name = section_text(p->section, name->name);
    if (version.len && version.ptr[0] != '@') return find_version(p, name, version, hit);
    if (version.len) label = slice_of(version.ptr + 1, version.len - 1);
    return find_label(p, name, label, asked->caller, hit);
}
