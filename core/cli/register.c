#include "cli/register.h"

#include <errno.h>
#include <jansson.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/cli.h"
#include "server/config.h"

#define CHANGED_TIMEOUT_MS 10000u

struct registry *register_open(const char *data_dir)
{
    struct fault why;
    if (mkdir(data_dir, 0700) != 0 && errno != EEXIST) {
        cli_error(CLI_USAGE, "-c names the configuration, which names the data folder", "%s: %s", data_dir,
                  strerror(errno));
        return NULL;
    }
    struct registry *registry = registry_open(data_dir, &why);
    if (!registry) cli_error(CLI_USAGE, NULL, "%s", fault_message(&why));
    return registry;
}

static enum register_told unanswered(const char *data_dir, const char *why)
{
    if (!cli_is_served(data_dir)) return REGISTER_ABSENT;
    fprintf(stderr,
            "warning: the running gateway did not answer: %s\n"
            "warning: the change is in the registry, and the gateway takes it up by itself; until then it goes by what "
            "it had\n",
            why);
    return REGISTER_SILENT;
}

enum register_told register_tell(const char *data_dir)
{
    char why[256];
    json_t *answer = cli_call(data_dir, "registry_changed", CHANGED_TIMEOUT_MS, why, sizeof why);
    if (!answer) return unanswered(data_dir, why);
    enum register_told told = json_is_true(json_object_get(answer, "ok")) ? REGISTER_TOLD : REGISTER_REFUSED;
    if (told == REGISTER_REFUSED) {
        const char *error = json_string_value(json_object_get(answer, "error"));
        fprintf(stderr, "warning: the running gateway did not take the change: %s\n",
                error ? error : "no reason given");
    }
    json_decref(answer);
    return told;
}

const char *register_word(enum register_told told)
{
    static const char *const words[] = {[REGISTER_TOLD] = "told",
                                        [REGISTER_ABSENT] = "absent",
                                        [REGISTER_REFUSED] = "refused",
                                        [REGISTER_SILENT] = "silent"};
    return words[told];
}

/* One that does not load is told of by whoever needs it. */
bool register_is_of_fleet(const char *config)
{
    const char *path = config_path(config);
    if (access(path, R_OK) != 0) return false;
    struct report *report = report_new();
    struct config *loaded = config_load_offline(path, report);
    bool is_of_fleet = loaded && loaded->redis_url.len > 0;
    config_free(loaded);
    report_free(report);
    return is_of_fleet;
}
