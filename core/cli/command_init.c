#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/fault.h"
#include "cli/cli.h"
#include "lua/describe.h"
#include "lua/script.h"

#define STARTER "examples/starter/"
#define MANUAL "policies/" /* the guide and the cookbook, as they are shipped */
#define TYPES "types/moongate.d.lua"
#define TEST_TYPES "types/moongate_test.d.lua"
#define LUACHECKRC ".luacheckrc"

static const char luarc[] =
    "{\n"
    "  \"runtime.version\": \"LuaJIT\",\n"
    "  \"runtime.builtin\": { \"io\": \"disable\", \"os\": \"disable\", \"debug\": \"disable\", "
    "\"package\": \"disable\",\n"
    "    \"coroutine\": \"disable\", \"ffi\": \"disable\", \"jit\": \"disable\" },\n"
    "  \"workspace.library\": [ \"types\" ],\n"
    "  \"diagnostics.severity\": { \"undefined-global\": \"Error\", \"undefined-field\": \"Error\" }\n"
    "}\n";

static const char gitignore[] = "/data/\n";

/* A file to be written: its path below the folder, and its text. */
struct seed {
    const char *path;
    struct slice text;
};

#define SEEDS_MAX 64

struct seeds {
    struct seed items[SEEDS_MAX];
    size_t count;
    struct buf types, test_types, luacheckrc;
};

static void add(struct seeds *seeds, const char *path, struct slice text)
{
    if (seeds->count < SEEDS_MAX) seeds->items[seeds->count++] = (struct seed){path, text};
}

static void add_starter(struct seeds *seeds)
{
    for (const struct embedded_script *s = script_table; s->name; s++) {
        struct slice text = slice_of(s->text, s->len);
        if (strncmp(s->name, STARTER, sizeof STARTER - 1) == 0) add(seeds, s->name + sizeof STARTER - 1, text);
        if (strncmp(s->name, MANUAL, sizeof MANUAL - 1) == 0) add(seeds, s->name, text);
    }
    add(seeds, ".luarc.json", slice_str(luarc));
    add(seeds, ".gitignore", slice_str(gitignore));
}

static bool add_generated(struct seeds *seeds)
{
    struct fault why;
    if (!describe_policies("types", &seeds->types, &why) ||
        !describe_policies("test_types", &seeds->test_types, &why) ||
        !describe_policies("luacheckrc", &seeds->luacheckrc, &why)) {
        cli_error(CLI_FOUND, NULL, "%s", fault_message(&why));
        return false;
    }
    add(seeds, TYPES, buf_slice(&seeds->types));
    add(seeds, TEST_TYPES, buf_slice(&seeds->test_types));
    add(seeds, LUACHECKRC, buf_slice(&seeds->luacheckrc));
    return true;
}

/* ---- Writing. */

static bool make_folders(char *path)
{
    for (char *slash = strchr(path + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        bool ok = mkdir(path, 0777) == 0 || errno == EEXIST;
        if (!ok) cli_usage_error(NULL, "%s: %s", path, strerror(errno));
        *slash = '/';
        if (!ok) return false;
    }
    return true;
}

static bool write_all(int fd, struct slice text)
{
    while (text.len) {
        ssize_t n = write(fd, text.ptr, text.len);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return false;
        text = slice_of(text.ptr + n, text.len - (size_t)n);
    }
    return true;
}

static bool write_seed(const char *folder, const struct seed *seed, bool is_again)
{
    char path[PATH_MAX + 256];
    snprintf(path, sizeof path, "%s/%s", folder, seed->path);
    if (!make_folders(path)) return false;
    int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC | (is_again ? O_TRUNC : O_EXCL), 0666);
    bool ok = fd >= 0 && write_all(fd, seed->text);
    if (fd >= 0 && close(fd) != 0) ok = false;
    if (!ok) cli_usage_error(NULL, "%s: %s", path, strerror(errno));
    return ok;
}

/* All is looked at before anything is written. */
static bool is_free(const char *folder, const struct seeds *seeds)
{
    char path[PATH_MAX + 256];
    struct stat st;
    for (size_t i = 0; i < seeds->count; i++) {
        snprintf(path, sizeof path, "%s/%s", folder, seeds->items[i].path);
        if (lstat(path, &st) != 0) continue;
        cli_usage_error("name a new folder; `moongate init --types DIR` renews the files for editors alone",
                        "%s is there already, and nothing is overwritten", path);
        return false;
    }
    return true;
}

static void tell(const char *folder, const struct seeds *seeds, bool is_json, bool is_types)
{
    json_t *files = json_array();
    for (size_t i = 0; i < seeds->count; i++)
        json_array_append_new(files, json_string(seeds->items[i].path));
    if (is_json) {
        cli_print_json(json_pack("{s:s, s:o}", "folder", folder, "files", files));
        return;
    }
    json_decref(files);
    for (size_t i = 0; i < seeds->count; i++)
        printf("  %s/%s\n", folder, seeds->items[i].path);
    if (is_types) return;
    printf("\nNext:  cd %s && moongate test && moongate check\n", folder);
}

int command_init(int argc, char **argv)
{
    struct common_options common;
    struct seeds seeds = {.count = 0};
    const char *folder = ".";
    size_t count = 0;
    bool is_types = false;
    const struct option options[] = {{"--types", OPTION_FLAG, &is_types}, {NULL, OPTION_FLAG, NULL}};
    if (!cli_options(argc, argv, options, &common, &folder, &count, 1)) return CLI_USAGE;
    if (common.is_help) return command_help(1, (char *[]){"init"});
    if (count == 0 && !is_types) return cli_usage_error("moongate init my-gateway", "say which folder to make");
    if (strlen(folder) >= PATH_MAX) return cli_usage_error(NULL, "the folder's name is too long");
    buf_init(&seeds.types);
    buf_init(&seeds.test_types);
    buf_init(&seeds.luacheckrc);
    if (!is_types) add_starter(&seeds);
    bool ok = add_generated(&seeds) && (is_types || is_free(folder, &seeds));
    for (size_t i = 0; i < seeds.count && ok; i++)
        ok = write_seed(folder, &seeds.items[i], is_types);
    if (ok) tell(folder, &seeds, common.is_json, is_types);
    buf_clear(&seeds.types);
    buf_clear(&seeds.test_types);
    buf_clear(&seeds.luacheckrc);
    return ok ? CLI_OK : CLI_USAGE;
}
