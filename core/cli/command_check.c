#include <errno.h>
#include <jansson.h>
#include <string.h>
#include <unistd.h>

#include "base/limits.h"
#include "cli/cli.h"
#include "net/pipe.h"
#include "server/checker.h"
#include "server/config.h"

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

static void print_json(struct check_result *result)
{
    json_t *all = json_object(), *policies = json_object();
    json_object_set_new(all, "ok", json_boolean(result->is_good));
    json_object_set_new(all, "errors", json_integer((json_int_t)report_errors(result->report)));
    json_object_set_new(all, "warnings", json_integer((json_int_t)report_warnings(result->report)));
    json_object_set(all, "report", report_json(result->report));
    json_object_set_new(policies, "sha256", result->digest[0] ? json_string(result->digest) : json_null());
    json_object_set_new(policies, "files", json_integer(result->policy_files));
    json_object_set_new(all, "policies", policies);
    json_object_set_new(all, "config", effective_config(result->config_fd));
    cli_print_json(all);
}

static void print_text(const char *path, struct check_result *result)
{
    size_t errors = report_errors(result->report), warnings = report_warnings(result->report);
    cli_print_report(stdout, report_json(result->report));
    if (errors + warnings == 0) {
        printf("ok  %s and %u policy files, sha256 %.12s\n", path, result->policy_files, result->digest);
    } else {
        printf("%zu error%s, %zu warning%s\n", errors, errors == 1 ? "" : "s", warnings, warnings == 1 ? "" : "s");
    }
}

int command_check(int argc, char **argv)
{
    struct common_options common;
    struct check_result result;
    if (!cli_options(argc, argv, NULL, &common, NULL, NULL, 0)) return CLI_USAGE;
    if (common.is_help) return command_help(1, (char *[]){"check"});
    const char *path = config_path(common.config);
    if (access(path, R_OK) != 0) {
        return cli_usage_error("name the file with -c, or run it where moongate.lua is", "%s: %s", path,
                               strerror(errno));
    }
    check_here(&(struct check_job){.what = CHECK_CONFIG, .config_path = path}, &result);
    if (common.is_json) {
        print_json(&result);
    } else {
        print_text(path, &result);
    }
    int exit_code = result.is_good ? CLI_OK : CLI_FOUND;
    check_result_clear(&result);
    return exit_code;
}
