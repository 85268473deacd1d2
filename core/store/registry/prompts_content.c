#include "store/registry/prompts_inner.h"

#include "base/hex.h"
#include "store/prompts.h"
#include "store/section/section.h"

static bool refuse(const struct template_error *wrong, struct fault *why)
{
    if (wrong->message == TEMPLATE_NO_MESSAGE) return fault_set(why, FAULT_BAD_BODY, "%s", wrong->text);
    return fault_set(why, FAULT_BAD_BODY, "messages[%u], line %u, column %u: %s", wrong->message, wrong->line,
                     wrong->column, wrong->text);
}

bool prompts_check(struct slice name, struct semver version, struct slice content, struct buf *canonical,
                   char sha256[PROMPT_HASH_BYTES], struct fault *why)
{
    struct prompt_id id = {name, version};
    struct template_error wrong = {0};
    uint8_t hash[PROMPT_SHA256_BYTES];
    struct json_tape tape;
    struct buf compiled;
    json_init(&tape);
    buf_init(&compiled);
    bool is_good = json_parse(&tape, content, why) && prompt_canonical(&tape, canonical, hash, why);
    if (is_good && !prompt_compile(&tape, &id, &compiled, &wrong)) is_good = refuse(&wrong, why);
    if (is_good) hex_write(hash, sizeof hash, sha256);
    buf_clear(&compiled);
    json_clear(&tape);
    return is_good;
}

enum semver_bump prompts_propose(struct slice before, struct slice after)
{
    struct json_tape one, other;
    struct fault why;
    json_init(&one);
    json_init(&other);
    enum semver_bump bump = SEMVER_MAJOR;
    if (json_parse(&one, before, &why) && json_parse(&other, after, &why)) bump = semver_propose(&one, &other);
    json_clear(&one);
    json_clear(&other);
    return bump;
}

/* ---- What workers get. */

/* Callable ones with their bytes; others are there to be told from what there is not. */
static bool add_version(struct prompts_build *b, const struct registry_query *q, struct slice name, struct fault *why)
{
    struct semver version = {(uint32_t)registry_int(q, 1), (uint32_t)registry_int(q, 2), (uint32_t)registry_int(q, 3)};
    struct prompt_id id = {name, version};
    enum prompt_status status = PROMPT_DRAFT;
    struct template_error wrong;
    struct json_tape tape;
    struct buf bytes;
    prompt_status_find(registry_text(q, 4), &status);
    bool is_labelled = registry_int(q, 6) > 0;
    bool is_approved = status == PROMPT_APPROVED || status == PROMPT_ARCHIVED;
    bool is_callable = is_approved || (is_labelled && status != PROMPT_REVOKED);
    json_init(&tape);
    buf_init(&bytes);
    bool is_good = !is_callable || (json_parse(&tape, registry_text(q, 5), why) &&
                                    (prompt_compile(&tape, &id, &bytes, &wrong) || refuse(&wrong, why)));
    is_good = is_good && prompts_build_version(b, version, status, buf_slice(&bytes), why);
    buf_clear(&bytes);
    json_clear(&tape);
    return is_good;
}

static bool add_labels(struct registry *r, struct prompts_build *b, struct slice name, struct fault *why)
{
    bool is_good = true;
    struct registry_query *q =
        REGISTRY_ASK(r,
                     "SELECT label, major, minor, patch, share FROM prompt_label WHERE name = ?"
                     " ORDER BY label, major, minor, patch",
                     value_text(name));
    while (is_good && registry_next(q)) {
        struct semver v = {(uint32_t)registry_int(q, 1), (uint32_t)registry_int(q, 2), (uint32_t)registry_int(q, 3)};
        is_good = prompts_build_arm(b, registry_text(q, 0), v, (uint32_t)registry_int(q, 4), why);
    }
    return registry_end(q, is_good ? why : &(struct fault){0}) && is_good;
}

static bool add_versions(struct registry *r, struct prompts_build *b, struct slice name, struct fault *why)
{
    bool is_good = prompts_build_prompt(b, name, why);
    struct registry_query *q =
        REGISTRY_ASK(r,
                     "SELECT v.name, v.major, v.minor, v.patch, v.status, v.body,"
                     " (SELECT count(*) FROM prompt_label l WHERE l.name = v.name AND l.major = v.major"
                     " AND l.minor = v.minor AND l.patch = v.patch) FROM prompt_version v WHERE v.name = ?"
                     " ORDER BY v.major, v.minor, v.patch",
                     value_text(name));
    while (is_good && registry_next(q))
        is_good = add_version(b, q, name, why);
    is_good = registry_end(q, is_good ? why : &(struct fault){0}) && is_good;
    return is_good && add_labels(r, b, name, why);
}

static bool add_aliases(struct registry *r, struct prompts_build *b, struct fault *why)
{
    bool is_good = true;
    struct registry_query *q =
        REGISTRY_ASK(r, "SELECT alias, name FROM prompt_alias WHERE 1 = ? ORDER BY alias", value_int(1));
    while (is_good && registry_next(q)) {
        struct buf alias;
        buf_init(&alias);
        buf_append(&alias, registry_text(q, 0));
        is_good = prompts_build_alias(b, buf_slice(&alias), registry_text(q, 1), why);
        buf_clear(&alias);
    }
    return registry_end(q, is_good ? why : &(struct fault){0}) && is_good;
}

/* Names first: what an engine gives is borrowed until it is asked again. */
static bool read_names(struct registry *r, struct buf *names, struct fault *why)
{
    struct registry_query *q = REGISTRY_ASK(r, "SELECT name FROM prompt WHERE 1 = ? ORDER BY name", value_int(1));
    while (registry_next(q)) {
        buf_append(names, registry_text(q, 0));
        buf_append_char(names, '\n');
    }
    return registry_end(q, why);
}

bool prompts_section(struct registry *r, const struct section_about *about, struct buf *out, struct fault *why)
{
    struct prompts_build *b = prompts_build_new();
    struct buf names;
    buf_init(&names);
    bool is_good = read_names(r, &names, why);
    struct slice rest = buf_slice(&names);
    while (is_good && rest.len)
        is_good = add_versions(r, b, slice_split(rest, '\n', &rest), why);
    is_good = is_good && add_aliases(r, b, why) && prompts_build_end(b, about, out, why);
    buf_clear(&names);
    prompts_build_free(b);
    return is_good;
}
