#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "base/version.h"
#include "cli/cli.h"
#include "server/config.h"
#include "server/supervisor.h"

static void on_report(void *arg, struct report *report)
{
    (void)arg;
    cli_print_report(stderr, report_json(report));
}

static void on_started(void *arg, const struct supervisor_started *s)
{
    (void)arg;
    if (!isatty(STDERR_FILENO)) {
        log_event(LOG_INFO, "started", "%s, admin %s, %u workers, policies %.12s, %u ms", s->listen, s->admin_listen,
                  s->workers, s->digest, s->start_ms);
        return;
    }
    fprintf(stderr,
            "moongate %s is ready after %u ms: %u worker%s\n"
            "  requests   http://%s/v1\n"
            "  health     http://%s/readyz?verbose\n"
            "  metrics    http://%s/metrics\n"
            "  policies   %s (%u files, sha256 %.12s)\n"
            "  data       %s\n"
            "Ctrl-C ends it; `moongate reload` after an edit.\n",
            MOONGATE_VERSION, s->start_ms, s->workers, s->workers == 1 ? "" : "s", s->listen, s->admin_listen,
            s->admin_listen, s->policies_dir, s->policy_files, s->digest, s->data_dir);
}

int command_run(int argc, char **argv)
{
    struct common_options common;
    if (!cli_options(argc, argv, NULL, &common, NULL, NULL, 0)) return CLI_USAGE;
    if (common.is_help) return command_help(1, (char *[]){"run"});
    const char *path = config_path(common.config);
    if (access(path, R_OK) != 0) {
        return cli_usage_error("name the file with -c, or start where moongate.lua is", "%s: %s", path,
                               strerror(errno));
    }
    return supervisor_run(&(struct supervisor_parts){
        .config_path = path,
        .version = MOONGATE_VERSION,
        .on_report = on_report,
        .on_started = on_started,
    });
}
