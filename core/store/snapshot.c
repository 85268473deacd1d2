#include "store/snapshot.h"

/* ---- The kinds. */

static bool take_keys(struct snapshot *s, int fd, struct fault *why)
{
    struct keyring *next = keyring_map(fd, why);
    if (!next) return false;
    keyring_unref(s->keyring);
    s->keyring = next;
    return true;
}

static const struct section_about *about_keys(const struct snapshot *s)
{
    return keyring_about(s->keyring);
}

static bool take_topups(struct snapshot *s, int fd, struct fault *why)
{
    struct topups *next = topups_map(fd, why);
    if (!next) return false;
    topups_unref(s->topups);
    s->topups = next;
    return true;
}

static const struct section_about *about_topups(const struct snapshot *s)
{
    return topups_about(s->topups);
}

static bool take_prompts(struct snapshot *s, int fd, struct fault *why)
{
    struct prompts *next = prompts_map(fd, why);
    if (!next) return false;
    prompts_unref(s->prompts);
    s->prompts = next;
    return true;
}

static const struct section_about *about_prompts(const struct snapshot *s)
{
    return s->prompts ? prompts_about(s->prompts) : NULL;
}

static bool take_grants(struct snapshot *s, int fd, struct fault *why)
{
    struct grants *next = grants_map(fd, why);
    if (!next) return false;
    grants_unref(s->grants);
    s->grants = next;
    return true;
}

static const struct section_about *about_grants(const struct snapshot *s)
{
    return grants_about(s->grants);
}

static bool take_people(struct snapshot *s, int fd, struct fault *why)
{
    struct people *next = people_map(fd, why);
    if (!next) return false;
    people_unref(s->people);
    s->people = next;
    return true;
}

static const struct section_about *about_people(const struct snapshot *s)
{
    return people_about(s->people);
}

static const struct kind {
    bool (*take)(struct snapshot *s, int fd, struct fault *why);
    const struct section_about *(*about)(const struct snapshot *s); /* of what is there; NULL: none is */
} kinds[SECTION_KINDS] = {
    [SECTION_KEYS] = {take_keys, about_keys},
    [SECTION_TOPUPS] = {take_topups, about_topups},
    [SECTION_PROMPTS] = {take_prompts, about_prompts},
    [SECTION_GRANTS] = {take_grants, about_grants},
    [SECTION_PEOPLE] = {take_people, about_people},
};

/* ---- All of them. */

void snapshot_init(struct snapshot *s)
{
    *s = (struct snapshot){keyring_empty(), topups_empty(), grants_empty(), people_empty(), NULL};
}

void snapshot_clear(struct snapshot *s)
{
    keyring_unref(s->keyring);
    topups_unref(s->topups);
    prompts_unref(s->prompts);
    grants_unref(s->grants);
    people_unref(s->people);
}

static bool is_same(const struct section_about *now, const struct section_about *then)
{
    return now && now->part == then->part && now->version == then->version && now->content == then->content;
}

enum snapshot_taken snapshot_take(struct snapshot *s, uint32_t kind, int fd, struct fault *why)
{
    struct section_about about;
    if (kind >= SECTION_KINDS || !kinds[kind].take) {
        fault_set(why, FAULT_INTERNAL, "a section of a kind that is not known here");
        return SNAPSHOT_REFUSED;
    }
    if (!section_head_of(fd, &about, why)) return SNAPSHOT_REFUSED;
    if (about.kind == kind && is_same(kinds[kind].about(s), &about)) return SNAPSHOT_SAME;
    return kinds[kind].take(s, fd, why) ? SNAPSHOT_TAKEN : SNAPSHOT_REFUSED;
}
