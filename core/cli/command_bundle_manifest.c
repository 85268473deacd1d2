#include <dirent.h>
#include <inttypes.h>
#include <jansson.h>
#include <limits.h>
#include <string.h>
#include <unistd.h>

#include "base/input.h"
#include "base/limits.h"
#include "cli/cli.h"
#include "cli/sealing.h"

struct wanted {
    const char *serial, *base;
    bool is_rebase;
};

struct made {
    struct manifest manifest;
    unsigned unsigned_again; /* signatures of the one before, which went */
    bool is_as_before;
};

/* Of a folder that has been signed before, where no gateway's data folder says what is in force: the one that has
 * signatures is taken for it; a draft without any keeps what it follows. */
static void follow_old(const struct sealing *s, struct manifest *next, const struct manifest *old, bool is_signed)
{
    if (s->last.serial) {
        next->serial = s->last.highest + 1;
        memcpy(next->base, s->last.digest, sizeof next->base);
    } else if (old->serial == 0) {
        next->serial = 1;
        memcpy(next->base, "none", 5);
    } else {
        next->serial = old->serial + is_signed;
        memcpy(next->base, is_signed ? old->digest : old->base, sizeof next->base);
    }
}

static bool is_signature(const char *name)
{
    size_t len = strlen(name);
    return len > 4 && strcmp(name + len - 4, ".sig") == 0;
}

/* How many there are; with `is_end` they are taken away: they are of another text than will stand there. */
static unsigned signatures(const struct sealing *s, bool is_end)
{
    char path[PATH_MAX];
    unsigned count = 0;
    snprintf(path, sizeof path, "%s/" MANIFEST_SIGNATURES, s->folder);
    DIR *dir = opendir(path);
    if (!dir) return 0;
    for (struct dirent *entry; (entry = readdir(dir));) {
        if (!is_signature(entry->d_name)) continue;
        count++;
        if (is_end) unlinkat(dirfd(dir), entry->d_name, 0);
    }
    closedir(dir);
    return count;
}

static bool take_words(const struct wanted *wanted, struct manifest *next, struct fault *why)
{
    if (wanted->serial && (!slice_to_u64(slice_str(wanted->serial), &next->serial) || next->serial == 0))
        return fault_set(why, FAULT_INTERNAL, "--serial is a number from 1");
    if (!wanted->base) return true;
    if (!manifest_is_base(slice_str(wanted->base)))
        return fault_set(why, FAULT_INTERNAL, "--base is a digest of 64 hexadecimal digits, or none");
    snprintf(next->base, sizeof next->base, "%s", wanted->base);
    return true;
}

/* Who may sign from then on is signed too, where moongate.lua says who; "": it does not, or they cannot be read. */
static void hash_signers(const struct sealing *s, char hash[MANIFEST_DIGEST_BYTES])
{
    struct input in;
    struct buf text;
    struct fault why;
    hash[0] = '\0';
    if (!s->config->gate_signers.len) return;
    buf_init(&text);
    if (input_open(&in, s->config->gate_signers.ptr, &why) && input_all(&in, LIMIT_SIGNERS_BYTES, &text, &why))
        manifest_hash(buf_slice(&text), hash);
    input_close(&in);
    buf_clear(&text);
}

/* Of these files, and of the signers as they are now. */
static bool is_of_these(const struct sealing *s, const struct manifest *old, struct slice text)
{
    char signers[MANIFEST_DIGEST_BYTES];
    hash_signers(s, signers);
    return manifest_fits(old, text, s->bundle) && strcmp(old->signers, signers) == 0;
}

static bool make(const struct sealing *s, const struct wanted *wanted, struct made *made, struct fault *why)
{
    struct buf old_text, text;
    struct manifest old = {.serial = 0};
    buf_init(&old_text);
    buf_init(&text);
    bool is_there = sealing_read(s, MANIFEST_FILE, &old_text, why) &&
                    manifest_read(buf_slice(&old_text), &old, why);
    made->is_as_before = is_there && !wanted->serial && !wanted->base && !wanted->is_rebase &&
                         is_of_these(s, &old, buf_slice(&old_text));
    made->manifest = old;
    bool is_good = true;
    if (!made->is_as_before) {
        follow_old(s, &made->manifest, &old, signatures(s, false) > 0);
        hash_signers(s, made->manifest.signers);
        memcpy(made->manifest.digest, bundle_digest(s->bundle), sizeof made->manifest.digest);
        is_good = take_words(wanted, &made->manifest, why);
        if (is_good) manifest_write(&made->manifest, s->bundle, &text);
        is_good = is_good && sealing_write(s, MANIFEST_FILE, buf_slice(&text), why);
        if (is_good) made->unsigned_again = signatures(s, true);
    }
    buf_clear(&text);
    buf_clear(&old_text);
    return is_good;
}

static void print_made(const struct sealing *s, const struct made *made)
{
    const struct manifest *m = &made->manifest;
    printf("%s/" MANIFEST_FILE "  serial %" PRIu64 ", base %.12s, digest %.12s, %zu files%s\n", s->folder, m->serial,
           m->base, m->digest, bundle_count(s->bundle), made->is_as_before ? ": as it was" : "");
    if (made->unsigned_again)
        printf("%u signature%s of the one before went\n", made->unsigned_again, made->unsigned_again == 1 ? "" : "s");
    if (!made->is_as_before) printf("now each signs it: moongate bundle sign --key FILE\n");
}

int command_bundle_manifest(int argc, char **argv)
{
    struct wanted wanted = {.serial = NULL};
    struct made made = {.unsigned_again = 0};
    struct common_options common;
    struct sealing s;
    struct fault why = {0};
    const struct option options[] = {
        {"--serial", OPTION_TEXT, &wanted.serial},
                                     {"--base", OPTION_TEXT, &wanted.base},
                                     {"--rebase", OPTION_FLAG, &wanted.is_rebase},
                                     {NULL, OPTION_FLAG, NULL}};
    if (!cli_options(argc, argv, options, &common, NULL, NULL, 0)) return CLI_USAGE;
    if (common.is_help) return command_help(2, (char *[]){"bundle", "manifest"});
    if (!sealing_open(&s, common.config)) return CLI_USAGE;
    bool is_good = make(&s, &wanted, &made, &why);
    if (is_good && common.is_json)
        cli_print_json(json_pack("{s:I, s:s, s:s, s:b, s:I}", "serial", (json_int_t)made.manifest.serial, "base",
                                 made.manifest.base, "digest", made.manifest.digest, "changed", !made.is_as_before,
                                 "files", (json_int_t)bundle_count(s.bundle)));
    else if (is_good)
        print_made(&s, &made);
    sealing_close(&s);
    return is_good ? CLI_OK : cli_fault(&why, NULL);
}
