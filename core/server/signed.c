#include "server/signed.h"

#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <string.h>

#include "base/input.h"
#include "base/mem.h"
#include "store/sshsig/signers.h"
#include "store/sshsig/sshsig.h"

struct judge {
    const struct signed_rules *rules;
    struct signed_state *state;
    struct signers *signers;
    struct buf text; /* of the manifest */
    int64_t at_s;    /* the time that keys must hold at */
    bool has_signed[LIMIT_SIGNERS]; /* by person */
    struct buf signers_text;        /* of the file as it is now */
    struct buf kept_text;           /* of those who count, where others stand in it */
};

#define SUFFIX ".sig"

static bool read_file(const char *path, size_t most, struct buf *to, struct fault *why)
{
    struct input in;
    bool is_good = input_open(&in, path, why) && input_all(&in, most, to, why);
    input_close(&in);
    return is_good;
}

static bool say(struct signed_state *state, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* The first that is wrong is what is said. Always false. */
static bool say(struct signed_state *state, const char *format, ...)
{
    va_list args;
    if (state->why.code != FAULT_NONE) return false;
    state->why.code = FAULT_INTERNAL;
    va_start(args, format);
    vsnprintf(state->why.text, sizeof state->why.text, format, args);
    va_end(args);
    return false;
}

static void list_name(struct signed_state *state, struct slice *list, struct slice name)
{
    *list = arena_printf(&state->arena, "%.*s%s%.*s", SLICE_FMT(*list), list->len ? ", " : "", SLICE_FMT(name));
}

/* ---- One signature. */

static const struct signer *find_signer(struct judge *j, struct slice principal, struct slice text, struct fault *why)
{
    struct sshsig sig;
    if (!sshsig_read(text, &j->state->arena, &sig, why)) return NULL;
    if (!sshsig_verify(&sig, buf_slice(&j->text), SLICE(MANIFEST_NAMESPACE), why)) return NULL;
    return signers_find(j->signers, principal, sig.key, SLICE(MANIFEST_NAMESPACE), j->at_s, why);
}

static void count_person(struct judge *j, struct signed_by *by, unsigned person)
{
    struct slice name = signers_person(j->signers, person);
    if (j->has_signed[person]) {
        by->why = arena_printf(&j->state->arena, "it is by %.*s, who has signed already", SLICE_FMT(name));
        return;
    }
    j->has_signed[person] = by->counts = true;
    j->state->persons++;
    list_name(j->state, &j->state->signed_by, by->principal);
}

static void judge_file(struct judge *j, const char *path, struct signed_by *by)
{
    struct fault why = {0};
    struct buf text;
    buf_init(&text);
    const struct signer *who = read_file(path, LIMIT_SSHSIG_BYTES, &text, &why)
                                   ? find_signer(j, by->principal, buf_slice(&text), &why)
                                   : NULL;
    if (who)
        count_person(j, by, who->person);
    else
        by->why = arena_copy(&j->state->arena, slice_str(fault_message(&why)));
    buf_clear(&text);
}

/* ---- All of them, in the order of their names. */

static int by_name(const void *a, const void *b)
{
    return strcmp(((const struct signed_by *)a)->principal.ptr, ((const struct signed_by *)b)->principal.ptr);
}

static bool take_name(struct signed_state *state, const char *name)
{
    size_t len = strlen(name), end = strlen(SUFFIX);
    if (len <= end || strcmp(name + len - end, SUFFIX) != 0) return true;
    struct slice principal = slice_of(name, len - end);
    if (!signers_is_principal(principal)) return true;
    if (state->count == LIMIT_SIGNATURES)
        return say(state, MANIFEST_SIGNATURES " holds more than %u signatures", LIMIT_SIGNATURES);
    state->by[state->count++] = (struct signed_by){.principal = arena_copy(&state->arena, principal)};
    return true;
}

static bool list_files(struct judge *j)
{
    char path[PATH_MAX];
    bool is_good = true;
    snprintf(path, sizeof path, "%s/" MANIFEST_SIGNATURES, j->rules->folder);
    DIR *dir = opendir(path);
    if (!dir) return errno == ENOENT || say(j->state, "%s: %s", path, strerror(errno));
    for (struct dirent *entry; is_good && (entry = readdir(dir));)
        is_good = take_name(j->state, entry->d_name);
    closedir(dir);
    qsort(j->state->by, j->state->count, sizeof j->state->by[0], by_name);
    return is_good;
}

static void judge_files(struct judge *j)
{
    char path[PATH_MAX];
    if (!list_files(j)) return;
    for (size_t i = 0; i < j->state->count; i++) {
        struct signed_by *by = &j->state->by[i];
        snprintf(path, sizeof path, "%s/" MANIFEST_SIGNATURES "/%s" SUFFIX, j->rules->folder, by->principal.ptr);
        judge_file(j, path, by);
    }
}

/* ---- Who else might. */

static bool is_listed_before(const struct signers *all, size_t index, const bool *may)
{
    return may[signers_at(all, index)->person];
}

static void list_others(struct judge *j)
{
    struct fault why;
    bool may[LIMIT_SIGNERS] = {false};
    for (size_t i = 0; i < signers_count(j->signers); i++) {
        const struct signer *s = signers_at(j->signers, i);
        if (j->has_signed[s->person] || is_listed_before(j->signers, i, may)) continue;
        if (!signer_may(s, SLICE(MANIFEST_NAMESPACE), j->rules->now_s, &why)) continue;
        may[s->person] = true;
        list_name(j->state, &j->state->may_sign, signers_person(j->signers, s->person));
    }
}

static void list_refused(struct judge *j)
{
    for (size_t i = 0; i < signers_refused_count(j->signers); i++) {
        const struct signers_refused *r = signers_refused_at(j->signers, i);
        list_name(j->state, &j->state->refused,
                  arena_printf(&j->state->arena, "line %u: %.*s", r->line, SLICE_FMT(r->why)));
    }
}

/* ---- The manifest. */

static bool read_manifest(struct judge *j, const struct bundle *bundle)
{
    char path[PATH_MAX];
    struct signed_state *state = j->state;
    struct fault why = {0};
    snprintf(path, sizeof path, "%s/" MANIFEST_FILE, j->rules->folder);
    if (!read_file(path, LIMIT_POLICY_BUNDLE_BYTES, &j->text, &why))
        return say(state, "it is not signed: %s; `moongate bundle manifest` makes it", fault_message(&why));
    if (!manifest_read(buf_slice(&j->text), &state->manifest, &why)) return say(state, "%s", fault_message(&why));
    state->has_manifest = true;
    state->is_of_these_files = manifest_fits(&state->manifest, buf_slice(&j->text), bundle);
    return true;
}

/* Does it follow what was accepted last? */
static bool judge_order(struct judge *j)
{
    struct signed_state *state = j->state;
    const struct manifest *m = &state->manifest;
    const struct accepted *last = j->rules->last;
    if (!state->is_of_these_files)
        return say(state, MANIFEST_FILE " is of other files than these: `moongate bundle manifest`, then sign it");
    if (last->serial == 0) return true;
    state->is_in_force = m->serial == last->serial && strcmp(m->digest, last->digest) == 0;
    if (state->is_in_force) return true;
    if (m->serial <= last->highest)
        return say(state, "serial %" PRIu64 " is not above %" PRIu64 ", the last that was accepted", m->serial,
                   last->highest);
    return strcmp(m->base, last->digest) == 0 ||
           say(state, "its base %.12s is not in force, %.12s is: `moongate bundle manifest`, then sign it again",
               m->base, last->digest);
}

/* Those who counted for the last bundle count for this one, whatever the file says now. */
static bool read_signers(struct judge *j)
{
    struct fault why = {0};
    bool is_good = read_file(j->rules->signers_file, LIMIT_SIGNERS_BYTES, &j->signers_text, &why);
    if (is_good && j->rules->kept_signers)
        is_good = read_file(j->rules->kept_signers, LIMIT_SIGNERS_BYTES, &j->kept_text, &why);
    j->state->has_new_signers =
        j->rules->kept_signers && !slice_equal(buf_slice(&j->kept_text), buf_slice(&j->signers_text));
    j->signers = signers_read(buf_slice(j->state->has_new_signers ? &j->kept_text : &j->signers_text));
    return is_good || say(j->state, "the signers cannot be read: %s", fault_message(&why));
}

/* What will count from the next bundle on. */
static void take_signers(struct judge *j)
{
    struct signed_state *state = j->state;
    char hash[MANIFEST_DIGEST_BYTES];
    manifest_hash(buf_slice(&j->signers_text), hash);
    state->takes_signers = state->has_new_signers && strcmp(hash, state->manifest.signers) == 0;
    bool is_old = state->has_new_signers && !state->takes_signers;
    state->signers = arena_copy(&state->arena, buf_slice(is_old ? &j->kept_text : &j->signers_text));
}

/* ---- Files that want somebody in particular. */

static bool has_role(const struct judge *j, struct slice role, unsigned person)
{
    struct slice rest = j->rules->roles;
    while (rest.len) {
        struct slice name, principal, line = slice_split(rest, '\n', &rest);
        name = slice_split(line, '\t', &principal);
        if (!slice_equal(name, role)) continue;
        for (size_t i = 0; i < signers_count(j->signers); i++) {
            const struct signer *s = signers_at(j->signers, i);
            struct slice names = s->principals;
            while (s->person == person && names.len) {
                if (slice_equal(slice_split(names, ',', &names), principal)) return true;
            }
        }
    }
    return false;
}

static bool is_role_met(const struct judge *j, struct slice role)
{
    for (unsigned person = 0; person < LIMIT_SIGNERS; person++) {
        if (j->has_signed[person] && has_role(j, role, person)) return true;
    }
    return false;
}

/* Who has the role, between commas. */
static struct slice holders(struct judge *j, struct slice role)
{
    struct slice rest = j->rules->roles, list = SLICE("");
    while (rest.len) {
        struct slice name, principal, line = slice_split(rest, '\n', &rest);
        name = slice_split(line, '\t', &principal);
        if (slice_equal(name, role)) list_name(j->state, &list, principal);
    }
    return list;
}

/* A file that comes, goes or changes. */
static bool is_changed(const struct judge *j, struct slice file)
{
    struct slice now = manifest_line(buf_slice(&j->text), file), then = manifest_line(j->rules->before, file);
    return !slice_equal(now, then);
}

static void judge_roles(struct judge *j)
{
    struct slice rest = j->rules->files;
    while (rest.len && !j->state->is_in_force) {
        struct slice role, line = slice_split(rest, '\n', &rest), file = slice_split(line, '\t', &role);
        if (!is_changed(j, file) || is_role_met(j, role)) continue;
        struct slice who = holders(j, role);
        say(j->state, "%.*s is changed, and nobody of %.*s has signed; any of %.*s may", SLICE_FMT(file),
            SLICE_FMT(role), SLICE_FMT(who));
    }
}

static void judge_count(struct signed_state *state)
{
    if (state->persons >= state->wanted) return;
    say(state, "%u of %u signatures%s%.*s; %s%.*s%s", state->persons, state->wanted, state->persons ? ": " : "",
        SLICE_FMT(state->signed_by), state->may_sign.len ? "any of " : "nobody else may sign",
        SLICE_FMT(state->may_sign), state->may_sign.len ? " may sign" : "");
}

void signed_judge(const struct signed_rules *rules, const struct bundle *bundle, struct signed_state *state)
{
    struct judge j = {.rules = rules, .state = state};
    *state = (struct signed_state){.wanted = rules->wanted};
    arena_init(&state->arena);
    buf_init(&j.text);
    buf_init(&j.signers_text);
    buf_init(&j.kept_text);
    if (read_signers(&j)) list_refused(&j);
    if (read_manifest(&j, bundle)) {
        judge_order(&j);
        j.at_s = state->is_in_force ? rules->last->at_s : rules->now_s;
        judge_files(&j);
    }
    list_others(&j);
    judge_count(state);
    judge_roles(&j);
    take_signers(&j);
    state->is_good = state->why.code == FAULT_NONE;
    signers_free(j.signers);
    buf_clear(&j.text);
    buf_clear(&j.signers_text);
    buf_clear(&j.kept_text);
}

void signed_clear(struct signed_state *state)
{
    arena_clear(&state->arena);
}
