#include <errno.h>
#include <jansson.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/limits.h"
#include "base/mem.h"
#include "cli/cli.h"
#include "net/pipe.h"
#include "server/checker.h"
#include "server/config.h"

#define PATHS_MAX 256

enum format { FORMAT_TEXT, FORMAT_JSON, FORMAT_GITHUB };

/* All that one command checked. */
struct check {
    json_t *items; /* diagnostics, with the paths that people can open */
    json_t *config;
    size_t errors, warnings, files, policy_files, elsewhere;
    char digest[65], subject[PATH_MAX + 32];
};

/* ---- Paths. */

/* The path as one would type it here: relative to the current folder when it lies within. */
static void shorten(const char *path, char out[PATH_MAX])
{
    char real[PATH_MAX], here[PATH_MAX];
    snprintf(out, PATH_MAX, "%s", path);
    if (!realpath(path, real) || !getcwd(here, sizeof here)) return;
    size_t len = strlen(here);
    if (len == 1) len = 0;
    if (strncmp(real, here, len) == 0 && real[len] == '/') snprintf(out, PATH_MAX, "%s", real + len + 1);
}

/* The bundle calls its folder "policies", wherever it lies. */
static void name_file(json_t *item, const char *policies_dir)
{
    static const char prefix[] = "policies/";
    char folder[PATH_MAX], path[2 * PATH_MAX];
    const char *file = json_string_value(json_object_get(item, "file"));
    if (!file || !*policies_dir || strncmp(file, prefix, sizeof prefix - 1) != 0) return;
    shorten(policies_dir, folder);
    snprintf(path, sizeof path, "%s/%s", folder, file + sizeof prefix - 1);
    json_object_set_new(item, "file", json_string(path));
}

static bool is_there(const char *folder, const char *name)
{
    char path[PATH_MAX + 32];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    return access(path, F_OK) == 0;
}

static bool is_folder(const char *path)
{
    struct stat st;
    return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

/* ---- Checking. */

static json_t *effective_config(int fd)
{
    struct slice bytes;
    struct fault why;
    json_t *shown = NULL;
    if (fd < 0 || !pipe_memfd_map(fd, LIMIT_PIPE_QUEUE_BYTES, &bytes, &why)) return json_null();
    struct config *config = config_unpack(bytes);
    pipe_memfd_unmap(bytes);
    if (config) shown = config_show(config);
    config_free(config);
    return shown ? shown : json_null();
}

/* only: the one file that was asked about, NULL for all. */
static void collect(struct check *check, struct check_result *result, const char *only)
{
    size_t i;
    json_t *item;
    json_array_foreach(report_json(result->report), i, item)
    {
        const char *severity = json_string_value(json_object_get(item, "severity"));
        bool is_error = severity && strcmp(severity, "error") == 0;
        name_file(item, result->policies_dir);
        const char *file = json_string_value(json_object_get(item, "file"));
        if (only && (!file || strcmp(file, only) != 0)) {
            check->elsewhere += is_error;
            continue;
        }
        check->errors += is_error;
        check->warnings += !is_error;
        json_array_append(check->items, item);
    }
}

static void run(struct check *check, const struct check_job *job, const char *only)
{
    struct check_result result;
    check_here(job, &result);
    collect(check, &result, only);
    check->files += only ? 1 : result.policy_files + (job->what == CHECK_CONFIG);
    check->policy_files += result.policy_files;
    snprintf(check->digest, sizeof check->digest, "%s", result.digest);
    if (job->what == CHECK_CONFIG) {
        json_decref(check->config);
        check->config = effective_config(result.config_fd);
    }
    check_result_clear(&result);
}

static void check_config(struct check *check, const char *path)
{
    snprintf(check->subject, sizeof check->subject, "%s", path);
    run(check, &(struct check_job){.what = CHECK_CONFIG, .config_path = path, .is_offline = true}, NULL);
}

static void check_folder(struct check *check, const char *path, const char *only)
{
    snprintf(check->subject, sizeof check->subject, "%s", path);
    run(check, &(struct check_job){.what = CHECK_FOLDER, .policies_dir = path}, only);
}

/* A policy file is checked with its folder, and only what concerns it is told. */
static void check_file(struct check *check, const char *path)
{
    char folder[PATH_MAX], shown[PATH_MAX];
    const char *slash = strrchr(path, '/');
    snprintf(folder, sizeof folder, "%.*s", slash ? (int)(slash - path) : 1, slash ? path : ".");
    if (!is_there(folder, "init.lua")) {
        check_config(check, path);
        return;
    }
    shorten(path, shown);
    check_folder(check, folder, shown);
    snprintf(check->subject, sizeof check->subject, "%s", path);
}

static bool check_path(struct check *check, const char *path)
{
    char config[PATH_MAX + 32];
    if (access(path, R_OK) != 0) {
        cli_usage_error(NULL, "%s: %s", path, strerror(errno));
        return false;
    }
    if (!is_folder(path)) {
        check_file(check, path);
    } else if (is_there(path, "moongate.lua")) {
        snprintf(config, sizeof config, "%s/moongate.lua", path);
        check_config(check, config);
    } else if (is_there(path, "init.lua")) {
        check_folder(check, path, NULL);
    } else {
        cli_usage_error("a project has a moongate.lua, a policy folder an init.lua", "%s: nothing to check there",
                        path);
        return false;
    }
    return true;
}

/* ---- Telling. */

static void print_json(struct check *check)
{
    json_t *all = json_object(), *policies = json_object();
    json_object_set_new(all, "ok", json_boolean(check->errors == 0));
    json_object_set_new(all, "errors", json_integer((json_int_t)check->errors));
    json_object_set_new(all, "warnings", json_integer((json_int_t)check->warnings));
    json_object_set(all, "report", check->items);
    json_object_set_new(policies, "sha256", check->digest[0] ? json_string(check->digest) : json_null());
    json_object_set_new(policies, "files", json_integer((json_int_t)check->policy_files));
    json_object_set_new(all, "policies", policies);
    json_object_set(all, "config", check->config);
    cli_print_json(all);
}

static void put_escaped(const char *text, const char *signs)
{
    for (; *text; text++) {
        if (strchr(signs, *text))
            printf("%%%02X", (unsigned char)*text);
        else
            putchar(*text);
    }
}

/* https://docs.github.com/actions/reference/workflow-commands-for-github-actions */
static void print_github(const struct check *check)
{
    size_t i;
    json_t *item;
    json_array_foreach(check->items, i, item)
    {
        const char *file = json_string_value(json_object_get(item, "file"));
        const char *help = json_string_value(json_object_get(item, "help"));
        json_int_t line = json_integer_value(json_object_get(item, "line"));
        json_int_t column = json_integer_value(json_object_get(item, "column"));
        printf("::%s ", json_string_value(json_object_get(item, "severity")));
        if (file) fputs("file=", stdout);
        if (file) put_escaped(file, "%\r\n:,");
        if (line) printf(",line=%lld", (long long)line);
        if (line && column) printf(",col=%lld", (long long)column);
        printf("%stitle=%s::", file ? "," : "", json_string_value(json_object_get(item, "code")));
        put_escaped(json_string_value(json_object_get(item, "message")), "%\r\n");
        if (help) fputs("%0A", stdout);
        if (help) put_escaped(help, "%\r\n");
        putchar('\n');
    }
}

static const char *first_code(const struct check *check)
{
    size_t i;
    json_t *item;
    json_array_foreach(check->items, i, item)
    {
        const char *severity = json_string_value(json_object_get(item, "severity"));
        if (check->errors == 0 || strcmp(severity, "error") == 0) {
            return json_string_value(json_object_get(item, "code"));
        }
    }
    return "codes";
}

static void print_summary(FILE *to, const struct check *check, uint64_t ns)
{
    unsigned ms = (unsigned)(ns / NS_PER_MS);
    if (check->errors + check->warnings + check->elsewhere == 0) {
        fprintf(to, "ok  %s: %zu file%s in %u ms, sha256 %.12s\n", check->subject, check->files,
                check->files == 1 ? "" : "s", ms, check->digest);
        return;
    }
    fprintf(to, "%zu file%s, %zu error%s, %zu warning%s in %u ms", check->files, check->files == 1 ? "" : "s",
            check->errors, check->errors == 1 ? "" : "s", check->warnings, check->warnings == 1 ? "" : "s", ms);
    if (check->elsewhere) fprintf(to, "; %zu in other files", check->elsewhere);
    if (check->errors + check->warnings) fprintf(to, ".  `moongate help %s` says more.", first_code(check));
    fputc('\n', to);
}

static void print_all(struct check *check, enum format format, uint64_t ns)
{
    switch (format) {
    case FORMAT_JSON: print_json(check); return;
    case FORMAT_GITHUB:
        print_github(check);
        print_summary(stderr, check, ns);
        return;
    case FORMAT_TEXT:
        cli_print_report(stdout, check->items);
        print_summary(stdout, check, ns);
        return;
    }
}

static bool read_format(const char *word, bool is_json, enum format *format)
{
    static const char *const words[] = {"text", "json", "github"};
    *format = is_json ? FORMAT_JSON : FORMAT_TEXT;
    for (int i = 0; word && i < 3; i++) {
        if (strcmp(word, words[i]) != 0) continue;
        *format = (enum format)i;
        return true;
    }
    if (word) cli_usage_error(NULL, "--format takes text, json or github, not `%s`", word);
    return !word;
}

int command_check(int argc, char **argv)
{
    struct common_options common;
    const char *format_word = NULL, *paths[PATHS_MAX];
    size_t count = 0;
    enum format format;
    uint64_t began = clock_mono_ns();
    const struct option options[] = {{"--format", OPTION_TEXT, &format_word}, {NULL, OPTION_FLAG, NULL}};
    if (!cli_options(argc, argv, options, &common, paths, &count, PATHS_MAX)) return CLI_USAGE;
    if (common.is_help) return command_help(1, (char *[]){"check"});
    if (!read_format(format_word, common.is_json, &format)) return CLI_USAGE;
    const char *config = config_path(common.config);
    if ((count == 0 || common.config) && access(config, R_OK) != 0) {
        return cli_usage_error("name the file with -c, or run it where moongate.lua is", "%s: %s", config,
                               strerror(errno));
    }
    struct check check = {.items = json_array(), .config = json_null()};
    bool is_readable = true;
    if (count == 0 || common.config) check_config(&check, config);
    for (size_t i = 0; i < count && is_readable; i++)
        is_readable = check_path(&check, paths[i]);
    if (is_readable) print_all(&check, format, clock_mono_ns() - began);
    int exit_code = !is_readable ? CLI_USAGE : check.errors ? CLI_FOUND : CLI_OK;
    json_decref(check.items);
    json_decref(check.config);
    return exit_code;
}
