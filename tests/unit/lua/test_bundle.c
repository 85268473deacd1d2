/* Policy bundles: what is read from a folder, the digest, and the flat form on any bytes. */
#include "../unit.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/limits.h"
#include "base/mem.h"
#include "lua/bundle.h"

static char folder[] = "/tmp/moongate-bundle-XXXXXX";

static void write_file(const char *name, const char *text)
{
    int dir = open(folder, O_RDONLY | O_DIRECTORY);
    int fd = openat(dir, name, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    EXPECT(fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text));
    close(fd);
    close(dir);
}

static void make_dir(const char *name)
{
    int dir = open(folder, O_RDONLY | O_DIRECTORY);
    EXPECT(mkdirat(dir, name, 0700) == 0);
    close(dir);
}

static void drop(const char *name, bool is_dir)
{
    int dir = open(folder, O_RDONLY | O_DIRECTORY);
    EXPECT(unlinkat(dir, name, is_dir ? AT_REMOVEDIR : 0) == 0);
    close(dir);
}

static void a_folder_is_read_sorted_without_specs_and_strangers(void)
{
    struct fault why = {0};
    write_file("routing.lua", "return 1");
    write_file("access.lua", "return 2");
    write_file("README.md", "no");
    write_file(".#access.lua", "no");
    make_dir("lib");
    write_file("lib/dates.lua", "return 3");
    make_dir("specs");
    write_file("specs/access_spec.lua", "no");
    struct bundle *b = bundle_read(folder, &why);
    EXPECT_STR("", why.text);
    EXPECT(b);
    if (!b) return;
    EXPECT_INT(3, bundle_count(b));
    EXPECT_SLICE(SLICE("access.lua"), bundle_at(b, 0)->path);
    EXPECT_SLICE(SLICE("lib/dates.lua"), bundle_at(b, 1)->path);
    EXPECT_SLICE(SLICE("routing.lua"), bundle_at(b, 2)->path);
    EXPECT_SLICE(SLICE("return 3"), bundle_find(b, SLICE("lib/dates.lua"))->text);
    EXPECT(!bundle_find(b, SLICE("lib/date.lua")));
    EXPECT_INT(64, strlen(bundle_digest(b)));
    bundle_unref(b);
    drop("specs/access_spec.lua", false);
    drop("specs", true);
    drop("lib/dates.lua", false);
    drop("lib", true);
    drop(".#access.lua", false);
    drop("README.md", false);
    drop("routing.lua", false);
    drop("access.lua", false);
}

/* The fault's text when the folder is refused; "" when it is not. */
static const char *refusal(void)
{
    static struct fault why;
    why = (struct fault){0};
    struct bundle *b = bundle_read(folder, &why);
    bundle_unref(b);
    return b ? "" : why.text;
}

static void links_odd_names_and_large_files_are_refused(void)
{
    int dir = open(folder, O_RDONLY | O_DIRECTORY);
    EXPECT(symlinkat("/etc/passwd", dir, "evil.lua") == 0);
    EXPECT_STR("policies/evil.lua: is a symbolic link; policy files must be regular files", refusal());
    drop("evil.lua", false);

    EXPECT(mkfifoat(dir, "pipe.lua", 0600) == 0);
    EXPECT_STR("policies/pipe.lua: is not a regular file", refusal());
    drop("pipe.lua", false);

    write_file("Access.lua", "");
    EXPECT_STR("policies/Access.lua: a policy file's name is made of a-z, 0-9 and _, at most 48 bytes", refusal());
    drop("Access.lua", false);

    char *large = mem_zalloc(LIMIT_POLICY_FILE_BYTES + 2, 1);
    memset(large, '-', LIMIT_POLICY_FILE_BYTES);
    write_file("large.lua", large);
    EXPECT_STR("", refusal());
    large[LIMIT_POLICY_FILE_BYTES] = '-';
    write_file("large.lua", large);
    EXPECT_STR("policies/large.lua: larger than 2 MB: move rows into a file of their own that ends with return { … }; "
               "models { require \"models.openai\", … } takes those of models/openai.lua in",
               refusal());
    drop("large.lua", false);
    mem_free(large);
    close(dir);
}

static void a_missing_folder_says_so(void)
{
    struct fault why = {0};
    EXPECT(!bundle_read("/nonexistent/policies", &why));
    EXPECT_STR("policy folder /nonexistent/policies: No such file or directory", why.text);
}

static struct bundle *two_files(const char *first, const char *second)
{
    struct fault why = {0};
    struct bundle_file files[] = {{SLICE("b.lua"), slice_str(second)}, {SLICE("a.lua"), slice_str(first)}};
    struct bundle *b = bundle_of(files, 2, &why);
    EXPECT(b);
    return b;
}

static void the_digest_depends_on_paths_and_contents_only(void)
{
    struct fault why = {0};
    struct bundle *one = two_files("1", "2"), *same = two_files("1", "2"), *moved = two_files("12", "");
    EXPECT_STR(bundle_digest(one), bundle_digest(same));
    EXPECT(strcmp(bundle_digest(one), bundle_digest(moved)) != 0);
    struct bundle_file renamed[] = {{SLICE("a.lua"), SLICE("1")}, {SLICE("c.lua"), SLICE("2")}};
    struct bundle *other = bundle_of(renamed, 2, &why);
    EXPECT(strcmp(bundle_digest(one), bundle_digest(other)) != 0);
    bundle_unref(one);
    bundle_unref(same);
    bundle_unref(moved);
    bundle_unref(other);
}

static void the_same_path_twice_is_refused(void)
{
    struct fault why = {0};
    struct bundle_file files[] = {{SLICE("a.lua"), SLICE("1")}, {SLICE("a.lua"), SLICE("2")}};
    EXPECT(!bundle_of(files, 2, &why));
    EXPECT_STR("policies/a.lua: there twice", why.text);
}

static void the_flat_form_comes_back_whole(void)
{
    struct fault why = {0};
    struct buf out;
    buf_init(&out);
    struct bundle *b = two_files("return {}", "with a \0 in it");
    bundle_serialise(b, &out);
    struct bundle *back = bundle_parse(buf_slice(&out), &why);
    EXPECT(back);
    if (back) {
        EXPECT_STR(bundle_digest(b), bundle_digest(back));
        EXPECT_SLICE(bundle_at(b, 1)->text, bundle_at(back, 1)->text);
    }
    bundle_unref(back);
    bundle_unref(b);
    buf_clear(&out);
}

/* Every prefix is refused, and no single changed byte does more than change or refuse the bundle. */
static void damaged_bytes_are_refused_or_different(void)
{
    struct buf out;
    buf_init(&out);
    struct bundle *b = two_files("return {}", "x");
    bundle_serialise(b, &out);
    for (size_t len = 0; len < buf_len(&out); len++) {
        struct fault why = {0};
        char *exact = mem_strndup(buf_ptr(&out), len); /* an exact copy: a read beyond it is seen */
        EXPECT(!bundle_parse(slice_of(exact, len), &why));
        EXPECT(why.text[0]);
        mem_free(exact);
    }
    for (size_t i = 0; i < buf_len(&out); i++) {
        for (int bit = 0; bit < 8; bit++) {
            struct fault why = {0};
            buf_ptr(&out)[i] = (char)(buf_ptr(&out)[i] ^ (1 << bit));
            struct bundle *c = bundle_parse(buf_slice(&out), &why);
            EXPECT(!c || strcmp(bundle_digest(c), bundle_digest(b)) != 0);
            bundle_unref(c);
            buf_ptr(&out)[i] = (char)(buf_ptr(&out)[i] ^ (1 << bit));
        }
    }
    buf_append(&out, SLICE("!"));
    struct fault why = {0};
    EXPECT(!bundle_parse(buf_slice(&out), &why));
    bundle_unref(b);
    buf_clear(&out);
}

int main(void)
{
    if (!mkdtemp(folder)) return 1;
    RUN(a_folder_is_read_sorted_without_specs_and_strangers);
    RUN(links_odd_names_and_large_files_are_refused);
    RUN(a_missing_folder_says_so);
    RUN(the_digest_depends_on_paths_and_contents_only);
    RUN(the_same_path_twice_is_refused);
    RUN(the_flat_form_comes_back_whole);
    RUN(damaged_bytes_are_refused_or_different);
    rmdir(folder);
    return unit_close("bundle");
}
