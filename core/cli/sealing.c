#include "cli/sealing.h"

#include <errno.h>
#include <limits.h>
#include <string.h>
#include <unistd.h>

#include "base/input.h"
#include "base/limits.h"
#include "cli/cli.h"

static struct config *load(const char *path)
{
    struct report *report = report_new();
    struct config *config = config_load_offline(path, report);
    if (!config) cli_print_report(stderr, report_json(report));
    report_free(report);
    return config;
}

bool sealing_open(struct sealing *s, const char *config)
{
    struct fault why = {0};
    *s = (struct sealing){.config = load(config_path(config))};
    if (!s->config) return false;
    s->folder = s->config->policies_dir.ptr;
    s->bundle = bundle_read(s->folder, &why);
    if (s->bundle && accepted_read(s->config->settings->data_dir.ptr, &s->last, &why)) return true;
    cli_fault(&why, NULL);
    sealing_close(s);
    return false;
}

void sealing_close(struct sealing *s)
{
    bundle_unref(s->bundle);
    config_free(s->config);
}

bool sealing_read(const struct sealing *s, const char *name, struct buf *to, struct fault *why)
{
    char path[PATH_MAX];
    struct input in;
    snprintf(path, sizeof path, "%s/%s", s->folder, name);
    bool is_good = input_open(&in, path, why) && input_all(&in, LIMIT_POLICY_BUNDLE_BYTES, to, why);
    input_close(&in);
    return is_good;
}

bool sealing_write(const struct sealing *s, const char *name, struct slice bytes, struct fault *why)
{
    char path[PATH_MAX], beside[PATH_MAX];
    snprintf(path, sizeof path, "%s/%s", s->folder, name);
    snprintf(beside, sizeof beside, "%s/.bundle.new", s->folder);
    FILE *file = fopen(beside, "wb");
    bool is_good = file && fwrite(bytes.ptr, 1, bytes.len, file) == bytes.len;
    if (file) is_good &= fclose(file) == 0;
    if (is_good && rename(beside, path) == 0) return true;
    int error = errno;
    unlink(beside);
    return fault_set(why, FAULT_INTERNAL, "%s: %s", path, strerror(error));
}
