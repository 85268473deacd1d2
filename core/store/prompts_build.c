#include "store/prompts_inner.h"

#include <stddef.h>

#include "base/mem.h"
#include "store/section/build.h"

struct prompts_build {
    struct section_build *section;
    bool is_open;    /* a prompt's versions and labels are coming */
    uint32_t prompt; /* its row */
};

struct prompts_build *prompts_build_new(void)
{
    struct prompts_build *b = mem_zalloc(1, sizeof *b);
    b->section = section_build_new(&prompts_shape);
    return b;
}

void prompts_build_free(struct prompts_build *b)
{
    if (!b) return;
    section_build_free(b->section);
    mem_free(b);
}

static uint32_t count(const struct prompts_build *b, uint32_t table)
{
    return section_build_count(b->section, table);
}

static struct name_row *prompt(struct prompts_build *b)
{
    return section_build_at(b->section, PROMPTS_NAMES, b->prompt);
}

bool prompts_build_prompt(struct prompts_build *b, struct slice name, struct fault *why)
{
    struct name_row row = {.name = section_build_text(b->section, name),
                           .versions = {count(b, PROMPTS_VERSIONS), 0},
                           .labels = {count(b, PROMPTS_LABELS), 0}};
    b->prompt = count(b, PROMPTS_NAMES);
    b->is_open = section_build_row(b->section, PROMPTS_NAMES, &row, why);
    return b->is_open;
}

static bool add_words(struct prompts_build *b, struct slice bytes, struct fault *why)
{
    for (size_t at = 0; at < bytes.len; at += 8) {
        uint64_t word = 0;
        memcpy(&word, bytes.ptr + at, bytes.len - at < 8 ? bytes.len - at : 8);
        if (!section_build_row(b->section, PROMPTS_WORDS, &word, why)) return false;
    }
    return true;
}

bool prompts_build_version(struct prompts_build *b, struct semver version, enum prompt_status status,
                           struct slice bytes, struct fault *why)
{
    struct version_row row = {version.major, version.minor, version.patch, status,
                              {count(b, PROMPTS_WORDS), (uint32_t)((bytes.len + 7) / 8)}};
    if (!b->is_open) return fault_set(why, FAULT_INTERNAL, "a version without its prompt");
    if (!add_words(b, bytes, why) || !section_build_row(b->section, PROMPTS_VERSIONS, &row, why)) return false;
    prompt(b)->versions.count++;
    return true;
}

static bool find_version(struct prompts_build *b, struct semver version, uint32_t *row)
{
    struct section_list versions = prompt(b)->versions;
    for (uint32_t i = versions.first; i < versions.first + versions.count; i++) {
        const struct version_row *v = section_build_at(b->section, PROMPTS_VERSIONS, i);
        struct semver other = {v->major, v->minor, v->patch};
        if (semver_compare(version, other) != 0) continue;
        *row = i;
        return true;
    }
    return false;
}

/* Has the prompt's last label that name? Equal texts are stored once, so that theirs are the same. */
static bool is_last_label(struct prompts_build *b, struct section_text label)
{
    if (!prompt(b)->labels.count) return false;
    const struct label_row *last = section_build_at(b->section, PROMPTS_LABELS, count(b, PROMPTS_LABELS) - 1);
    return last->label.at == label.at && last->label.len == label.len;
}

static bool open_label(struct prompts_build *b, struct section_text label, struct fault *why)
{
    struct label_row row = {label, {count(b, PROMPTS_ARMS), 0}};
    if (!section_build_row(b->section, PROMPTS_LABELS, &row, why)) return false;
    prompt(b)->labels.count++;
    return true;
}

bool prompts_build_arm(struct prompts_build *b, struct slice label, struct semver version, uint32_t share,
                       struct fault *why)
{
    struct section_text text = section_build_text(b->section, label);
    struct arm_row arm = {.share = share};
    if (!b->is_open || !find_version(b, version, &arm.version))
        return fault_set(why, FAULT_INTERNAL, "a label of a version that is not there");
    if (!is_last_label(b, text) && !open_label(b, text, why)) return false;
    if (!section_build_row(b->section, PROMPTS_ARMS, &arm, why)) return false;
    struct label_row *last = section_build_at(b->section, PROMPTS_LABELS, count(b, PROMPTS_LABELS) - 1);
    last->arms.count++;
    return true;
}

bool prompts_build_alias(struct prompts_build *b, struct slice alias, struct slice name, struct fault *why)
{
    struct alias_row row = {.alias = section_build_text(b->section, alias)};
    b->is_open = false;
    if (!section_build_find(b->section, PROMPTS_BY_NAME, name, &row.name))
        return fault_set(why, FAULT_INTERNAL, "an alias of a prompt that is not there");
    return section_build_row(b->section, PROMPTS_ALIASES, &row, why);
}

bool prompts_build_end(struct prompts_build *b, const struct section_about *about, struct buf *out, struct fault *why)
{
    return section_build_end(b->section, about, out, why);
}
