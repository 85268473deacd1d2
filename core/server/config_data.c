#include <stdlib.h>

#include "base/limits.h"
#include "base/mem.h"
#include "server/config_reader.h"
#include "store/registry/registry.h"

/* The text constant that a field is set to, read off the file without evaluating it; SLICE_NONE when there is none. */
static struct slice read_constant(struct slice text, struct slice field)
{
    struct places places;
    struct slice rest = text, line = SLICE_NONE, found = SLICE_NONE;
    bool is_exact = false;
    places_init(&places);
    places_scan(&places, text);
    const struct place *p = places_find(&places, field, &is_exact);
    for (int i = 0; is_exact && i < p->value_line && rest.len; i++)
        line = slice_split(rest, '\n', &rest);
    if (is_exact && (size_t)p->value_column < line.len) {
        struct slice value = slice_of(line.ptr + p->value_column - 1, line.len - (size_t)p->value_column + 1);
        char quote = value.ptr[0];
        if (quote == '"' || quote == '\'') {
            struct slice after;
            found = slice_split(slice_of(value.ptr + 1, value.len - 1), quote, &after);
        }
    }
    places_clear(&places);
    return found;
}

static char *guess(const char *path, struct slice field)
{
    struct buf content, result;
    const char *slash = strrchr(path, '/');
    struct slice name = field; /* both folders are called like their field, unless the file says otherwise */
    buf_init(&content);
    buf_init(&result);
    if (config_read_file(path, LIMIT_CONFIG_FILE_BYTES, &content)) {
        struct slice constant = read_constant(buf_slice(&content), field);
        if (constant.len) name = constant;
    }
    if (name.ptr[0] != '/' && slash) buf_append(&result, slice_of(path, (size_t)(slash - path) + 1));
    buf_append(&result, name);
    char *dir = mem_strndup(buf_ptr(&result), buf_len(&result));
    buf_clear(&content);
    buf_clear(&result);
    return dir;
}

static char *folder(const char *path, struct slice field, bool is_data)
{
    struct report *unused = report_new();
    struct config *config = config_load(path, unused);
    report_free(unused);
    if (!config) return guess(path, field);
    struct slice dir = is_data ? config->settings->data_dir : config->policies_dir;
    char *copy = mem_strndup(dir.ptr, dir.len);
    config_free(config);
    return copy;
}

char *config_data_dir(const char *path)
{
    const char *env = getenv("MOONGATE_DATA_DIR");
    if (env && *env) return mem_strdup(env);
    return folder(path, SLICE("data"), true);
}

char *config_policies_dir(const char *path)
{
    return folder(path, SLICE("policies"), false);
}

void config_use_registry(const char *path)
{
    struct report *unused = report_new();
    struct config *config = config_load_offline(path, unused);
    report_free(unused);
    if (config) registry_use(config->registry_url, config->gateway);
    config_free(config);
}
