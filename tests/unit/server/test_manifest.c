/* What is signed of a policy folder: one text for its files, and which was the last. */
#include <ftw.h>
#include <limits.h>
#include <stdlib.h>
#include <unistd.h>

#include "../files.h"
#include "../unit.h"
#include "base/check.h"
#include "base/mem.h"
#include "server/accepted.h"
#include "server/kept.h"
#include "server/manifest.h"

static char folder[] = "/tmp/manifest-XXXXXX";

static struct bundle *bundle(const char *second)
{
    struct fault why;
    struct bundle_file files[] = {{SLICE("b.lua"), slice_str(second)}, {SLICE("a.lua"), SLICE("return 1")}};
    struct bundle *b = bundle_of(files, 2, &why);
    check(b);
    return b;
}

static void has_one_text(void)
{
    struct bundle *b = bundle("return 2"), *other = bundle("return 3");
    struct manifest m = {.serial = 42, .base = "none"}, read;
    struct fault why = {0};
    struct buf text;
    buf_init(&text);
    manifest_write(&m, b, &text);
    EXPECT(manifest_read(buf_slice(&text), &read, &why));
    EXPECT_INT(42, read.serial);
    EXPECT_SLICE(SLICE("none"), slice_str(read.base));
    EXPECT_SLICE(slice_str(bundle_digest(b)), slice_str(read.digest));
    EXPECT(manifest_fits(&read, buf_slice(&text), b));
    EXPECT(!manifest_fits(&read, buf_slice(&text), other));
    EXPECT(strstr(buf_ptr(&text), " a.lua\n") < strstr(buf_ptr(&text), " b.lua\n"));
    for (size_t i = 0; i < buf_len(&text); i++) { /* no byte of it may be another */
        buf_ptr(&text)[i] ^= 1;
        EXPECT(!manifest_read(buf_slice(&text), &read, &why) || read.serial != 42 || strcmp(read.base, "none") != 0 ||
               !manifest_fits(&read, buf_slice(&text), b));
        buf_ptr(&text)[i] ^= 1;
        struct slice cut = slice_of(buf_ptr(&text), i);
        EXPECT(!manifest_read(cut, &read, &why) || !manifest_fits(&read, cut, b));
    }
    buf_clear(&text);
    bundle_unref(b);
    bundle_unref(other);
}

static void refuses_bad_heads(void)
{
    static const char *const heads[] = {
        "", "moongate-bundle v2\nserial 1\nbase none\n", "moongate-bundle v1\nserial 0\nbase none\n",
        "moongate-bundle v1\nserial -1\nbase none\n", "moongate-bundle v1\nserial 18446744073709551616\nbase none\n",
        "moongate-bundle v1\nserial 1\nbase 9d\n", "moongate-bundle v1\nbase none\nserial 1\n",
    };
    for (size_t i = 0; i < sizeof heads / sizeof heads[0]; i++) {
        struct manifest m;
        struct fault why = {0};
        struct buf text;
        buf_init(&text);
        buf_printf(&text, "%sdigest %064d\n", heads[i], 0);
        EXPECT(!manifest_read(buf_slice(&text), &m, &why));
        EXPECT(fault_message(&why)[0]);
        buf_clear(&text);
    }
}

static void write_file(const char *text)
{
    char path[128];
    snprintf(path, sizeof path, "%s/" ACCEPTED_FILE, folder);
    FILE *file = fopen(path, "wb");
    check(file && fputs(text, file) >= 0 && fclose(file) == 0);
}

static void remembers_the_last(void)
{
    struct accepted last, next = {.serial = 7, .at_s = 1767225600};
    struct fault why = {0};
    memset(next.digest, 'a', sizeof next.digest - 1);
    EXPECT(accepted_read(folder, &last, &why));
    EXPECT_INT(0, last.serial);
    EXPECT(accepted_write(folder, &next, &why));
    EXPECT(accepted_read(folder, &last, &why));
    EXPECT_INT(7, last.serial);
    EXPECT_INT(1767225600, last.at_s);
    EXPECT_SLICE(slice_str(next.digest), slice_str(last.digest));
    EXPECT_INT(7, last.highest);
    next.highest = 9; /* gone back to 7 */
    EXPECT(accepted_write(folder, &next, &why) && accepted_read(folder, &last, &why));
    EXPECT_INT(7, last.serial);
    EXPECT_INT(9, last.highest);
    EXPECT(!accepted_write("/nowhere", &next, &why));
}

/* As older gateways wrote it. */
static void reads_the_older_form(void)
{
    struct accepted last;
    struct fault why = {0};
    write_file("moongate-accepted v1\n7\n"
               "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\n1767225600\n");
    EXPECT(accepted_read(folder, &last, &why));
    EXPECT_INT(7, last.serial);
    EXPECT_INT(7, last.highest);
}

/* A policy folder of its own, whole, and the oldest go. */
static void keeps_the_last_five(void)
{
    struct bundle *b = bundle("return 2");
    struct manifest m = {.serial = 1, .base = "none"};
    struct fault why = {0};
    struct buf text;
    uint64_t serials[KEPT_LIST_MAX];
    char path[PATH_MAX];
    buf_init(&text);
    manifest_write(&m, b, &text);
    snprintf(path, sizeof path, "%s/" MANIFEST_FILE, folder);
    FILE *file = fopen(path, "wb");
    check(file && fwrite(buf_ptr(&text), 1, buf_len(&text), file) == buf_len(&text) && fclose(file) == 0);
    for (uint64_t serial = 1; serial <= 7; serial++) {
        struct accepted next = {.serial = serial, .at_s = 5};
        memset(next.digest, 'a', sizeof next.digest - 1);
        EXPECT(kept_write(folder, folder, b, &next, SLICE("ana ssh-ed25519 x\n"), &why));
        kept_prune(folder, 1);
    }
    EXPECT_INT(6, kept_list(folder, serials)); /* and the one in force */
    EXPECT_INT(7, serials[0]);
    EXPECT_INT(1, serials[5]);
    kept_prune(folder, 7);
    EXPECT_INT(5, kept_list(folder, serials));
    EXPECT(kept_is_there(folder, 3) && !kept_is_there(folder, 1) && !kept_is_there(folder, 0));
    struct accepted then;
    kept_path(folder, 7, path);
    struct bundle *again = bundle_read(path, &why);
    EXPECT(again && strcmp(bundle_digest(again), bundle_digest(b)) == 0);
    EXPECT(accepted_read(path, &then, &why) && then.serial == 7 && then.at_s == 5);
    EXPECT(!kept_write("/nowhere", folder, b, &then, SLICE(""), &why));
    EXPECT(!kept_write(folder, "/nowhere", b, &then, SLICE(""), &why));
    EXPECT(kept_is_there(folder, 7));
    bundle_unref(again);
    bundle_unref(b);
    buf_clear(&text);
}

static void is_no_first_start_when_damaged(void)
{
    struct accepted last;
    struct fault why = {0};
    struct buf text;
    check(read_file(folder, ACCEPTED_FILE, &text));
    for (size_t len = 0; len < buf_len(&text); len++) {
        char *cut = mem_strndup(buf_ptr(&text), len);
        write_file(cut);
        mem_free(cut);
        EXPECT(!accepted_read(folder, &last, &why));
    }
    write_file("moongate-accepted v1\n0\n");
    EXPECT(!accepted_read(folder, &last, &why));
    buf_clear(&text);
}

static int drop(const char *path, const struct stat *st, int kind, struct FTW *at)
{
    (void)st, (void)kind, (void)at;
    return remove(path);
}

int main(void)
{
    check(mkdtemp(folder));
    RUN(has_one_text);
    RUN(refuses_bad_heads);
    RUN(remembers_the_last);
    RUN(is_no_first_start_when_damaged);
    RUN(reads_the_older_form);
    RUN(keeps_the_last_five);
    nftw(folder, drop, 16, FTW_DEPTH | FTW_PHYS);
    return unit_close("manifest");
}
