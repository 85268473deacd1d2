/* Anchors: the gateway's key, what is signed with it, and who believes it. */
#include "../unit.h"

#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../files.h"
#include "base/mem.h"
#include "store/anchor/anchor.h"

static char folder[64];

static void make_folder(void)
{
    snprintf(folder, sizeof folder, "/tmp/anchor-XXXXXX");
    if (!mkdtemp(folder)) abort();
}

static void remove_folder(void)
{
    static const char *const names[] = {ANCHOR_KEY_FILE, ANCHOR_NEXT_FILE, ANCHOR_PUBLIC_FILE, "anchor.new"};
    char path[128];
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        snprintf(path, sizeof path, "%s/%s", folder, names[i]);
        unlink(path);
    }
    rmdir(folder);
}

static const char *in_folder(const char *name)
{
    static char path[128];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    return path;
}

static struct anchor sample(void)
{
    struct anchor a = {.gateway = SLICE("gw-1"), .seq = 4711, .time_us = 1790000000123456};
    memset(a.hash, 7, sizeof a.hash);
    return a;
}

static void a_key_is_made_once_and_is_nobody_elses(void)
{
    struct fault why;
    struct stat st;
    make_folder();
    struct anchor_key *first = anchor_key_open(folder, &why), *second = anchor_key_open(folder, &why);
    EXPECT(first && second);
    EXPECT_STR(anchor_key_public(first)->fingerprint, anchor_key_public(second)->fingerprint);
    EXPECT_INT(0, stat(in_folder(ANCHOR_KEY_FILE), &st));
    EXPECT_INT(0600, st.st_mode & 0777);
    EXPECT_INT(0, stat(in_folder(ANCHOR_PUBLIC_FILE), &st));
    EXPECT_INT(0644, st.st_mode & 0777);
    anchor_key_free(first);
    anchor_key_free(second);
    EXPECT_INT(0, chmod(in_folder(ANCHOR_KEY_FILE), 0640));
    EXPECT(!anchor_key_open(folder, &why));
    EXPECT(strstr(fault_message(&why), "chmod 600") != NULL);
    remove_folder();
}

static void what_is_no_key_is_not_written_over(void)
{
    struct fault why;
    struct buf bytes;
    make_folder();
    FILE *file = fopen(in_folder(ANCHOR_KEY_FILE), "w");
    fputs("half a key", file);
    fclose(file);
    chmod(in_folder(ANCHOR_KEY_FILE), 0600);
    EXPECT(!anchor_key_open(folder, &why));
    EXPECT(strstr(fault_message(&why), "Ed25519") != NULL);
    EXPECT(read_file(folder, ANCHOR_KEY_FILE, &bytes));
    EXPECT_SLICE(SLICE("half a key"), buf_slice(&bytes));
    buf_clear(&bytes);
    unlink(in_folder(ANCHOR_KEY_FILE));
    EXPECT_INT(0, symlink("elsewhere", in_folder(ANCHOR_KEY_FILE)));
    EXPECT(!anchor_key_open(folder, &why));
    remove_folder();
}

static bool is_signed_by(const struct anchor *a, const struct anchor_public *key)
{
    struct anchor_trust trust = {.count = 1, .keys = {*key}};
    return anchor_signer(&trust, a) == &trust.keys[0];
}

/* Each part of an anchor is signed. */
static void a_changed_anchor_is_not_believed(void)
{
    struct fault why;
    make_folder();
    struct anchor_key *key = anchor_key_open(folder, &why);
    struct anchor a = sample();
    anchor_sign(key, &a);
    const struct anchor_public *public = anchor_key_public(key);
    EXPECT(is_signed_by(&a, public));
    struct anchor other = a;
    other.seq++;
    EXPECT(!is_signed_by(&other, public));
    other = a;
    other.time_us--;
    EXPECT(!is_signed_by(&other, public));
    other = a;
    other.gateway = SLICE("gw-2");
    EXPECT(!is_signed_by(&other, public));
    for (size_t i = 0; i < sizeof a.hash; i++) {
        other = a;
        other.hash[i] ^= 1;
        EXPECT(!is_signed_by(&other, public));
    }
    for (size_t i = 0; i < sizeof a.signature; i++) {
        other = a;
        other.signature[i] ^= 1;
        EXPECT(!is_signed_by(&other, public));
    }
    anchor_key_free(key);
    remove_folder();
}

static void a_line_is_read_as_it_was_written(void)
{
    struct fault why;
    struct buf line;
    struct arena arena;
    struct anchor_trust trust;
    make_folder();
    arena_init(&arena);
    buf_init(&line);
    struct anchor_key *key = anchor_key_open(folder, &why);
    struct anchor a = sample(), b = {.seq = 0};
    a.gateway = SLICE("g\"w\n1");
    anchor_sign(key, &a);
    anchor_write(&a, anchor_key_public(key), &line);
    EXPECT(memchr(buf_ptr(&line), '\n', buf_len(&line)) == NULL);
    EXPECT(anchor_read(buf_slice(&line), &b, &arena, &why));
    EXPECT_SLICE(a.gateway, b.gateway);
    EXPECT_INT(a.seq, b.seq);
    EXPECT(memcmp(a.hash, b.hash, sizeof a.hash) == 0);
    EXPECT(anchor_trust_read(&trust, in_folder(ANCHOR_PUBLIC_FILE), &why));
    EXPECT_INT(1, trust.count);
    EXPECT(anchor_signer(&trust, &b) == &trust.keys[0]);
    EXPECT(!anchor_read(SLICE("{\"moongate_anchor\":1}"), &b, &arena, &why));
    EXPECT(!anchor_read(SLICE("{\"moongate_anchor\":2,\"gateway\":\"x\"}"), &b, &arena, &why));
    EXPECT(!anchor_read(slice_of(buf_ptr(&line), buf_len(&line) - 1), &b, &arena, &why));
    EXPECT(!anchor_read(SLICE(""), &b, &arena, &why));
    buf_clear(&line);
    arena_clear(&arena);
    anchor_key_free(key);
    remove_folder();
}

/* Auditors have OpenSSL: the fingerprint is the one that it tells. */
static void the_fingerprint_is_that_of_openssl(void)
{
    struct fault why;
    char command[256], said[65] = "";
    make_folder();
    struct anchor_key *key = anchor_key_open(folder, &why);
    snprintf(command, sizeof command, "openssl pkey -pubin -in %s -outform DER | sha256sum",
             in_folder(ANCHOR_PUBLIC_FILE));
    FILE *pipe = popen(command, "r");
    EXPECT(fread(said, 1, 64, pipe) == 64);
    pclose(pipe);
    EXPECT_STR(anchor_key_public(key)->fingerprint, said);
    anchor_key_free(key);
    remove_folder();
}

static void a_new_key_is_believed_because_the_old_one_says_so(void)
{
    struct fault why;
    struct buf body;
    struct anchor_trust trust, other;
    struct anchor_public next;
    make_folder();
    buf_init(&body);
    struct anchor_key *old = anchor_key_open(folder, &why);
    EXPECT(anchor_trust_read(&trust, in_folder(ANCHOR_PUBLIC_FILE), &why));
    EXPECT(!anchor_key_open_next(folder, &why));
    EXPECT_INT(FAULT_NONE, why.code);
    EXPECT(anchor_key_make_next(folder, &why));
    EXPECT(!anchor_key_make_next(folder, &why)); /* it may have been announced */
    struct anchor_key *new = anchor_key_open_next(folder, &why);
    anchor_succession_write(old, anchor_key_public(new), SLICE("gw-1"), SLICE("ann"), &body);
    EXPECT_INT(SUCCESSION_GOOD, anchor_succession_read(buf_slice(&body), SLICE("gw-1"), &trust, &next));
    EXPECT_STR(anchor_key_public(new)->fingerprint, next.fingerprint);
    EXPECT_INT(SUCCESSION_FORGED, anchor_succession_read(buf_slice(&body), SLICE("gw-2"), &trust, &next));
    EXPECT_INT(SUCCESSION_NONE, anchor_succession_read(SLICE("{\"action\":\"erase\"}"), SLICE("gw-1"), &trust, &next));
    EXPECT_INT(SUCCESSION_NONE, anchor_succession_read(SLICE("{\"reason\":\"rotate_anchor_key\"}"), SLICE("gw-1"),
                                                       &trust, &next));
    other = (struct anchor_trust){.count = 1, .keys = {*anchor_key_public(new)}};
    EXPECT_INT(SUCCESSION_FORGED, anchor_succession_read(buf_slice(&body), SLICE("gw-1"), &other, &next));
    EXPECT(anchor_key_take_next(folder, &why));
    anchor_key_free(old);
    old = anchor_key_open(folder, &why);
    EXPECT_STR(anchor_key_public(new)->fingerprint, anchor_key_public(old)->fingerprint);
    EXPECT(anchor_trust_read(&trust, in_folder(ANCHOR_PUBLIC_FILE), &why));
    EXPECT_INT(2, trust.count);
    EXPECT_STR(anchor_key_public(new)->fingerprint, trust.keys[1].fingerprint);
    anchor_key_free(old);
    anchor_key_free(new);
    buf_clear(&body);
    remove_folder();
}

/* Older keys are known by this file alone: what cannot be read of it is not made anew without them. */
static void public_keys_that_cannot_be_read_are_not_written_over(void)
{
    struct fault why;
    struct anchor_trust trust;
    struct buf bytes, after;
    make_folder();
    anchor_key_free(anchor_key_open(folder, &why));
    EXPECT(read_file(folder, ANCHOR_PUBLIC_FILE, &bytes));
    FILE *file = fopen(in_folder(ANCHOR_PUBLIC_FILE), "a");
    fwrite(buf_ptr(&bytes), 1, buf_len(&bytes) / 2, file);
    fclose(file);
    EXPECT(!anchor_trust_read(&trust, in_folder(ANCHOR_PUBLIC_FILE), &why)); /* not only the first of them */
    EXPECT(strstr(fault_message(&why), "broken off") != NULL);
    EXPECT(!anchor_key_open(folder, &why));
    EXPECT(strstr(fault_message(&why), "put a copy of it back") != NULL);
    EXPECT(read_file(folder, ANCHOR_PUBLIC_FILE, &after));
    EXPECT_INT(buf_len(&bytes) + buf_len(&bytes) / 2, buf_len(&after));
    unlink(in_folder(ANCHOR_PUBLIC_FILE));
    anchor_key_free(anchor_key_open(folder, &why));
    EXPECT(anchor_trust_read(&trust, in_folder(ANCHOR_PUBLIC_FILE), &why));
    buf_clear(&bytes);
    buf_clear(&after);
    remove_folder();
}

int main(void)
{
    RUN(a_key_is_made_once_and_is_nobody_elses);
    RUN(what_is_no_key_is_not_written_over);
    RUN(a_changed_anchor_is_not_believed);
    RUN(a_line_is_read_as_it_was_written);
    RUN(the_fingerprint_is_that_of_openssl);
    RUN(a_new_key_is_believed_because_the_old_one_says_so);
    RUN(public_keys_that_cannot_be_read_are_not_written_over);
    return unit_close("anchor");
}
