/* gate = { files = { ["models.lua"] = { by = "finance" } }, roles = { finance = { "kim", "lee" } } }: whose signature a
 * changed file wants beside the others. */
#include <jansson.h>
#include <string.h>

#include "base/limits.h"
#include "server/config_reader.h"
#include "store/sshsig/signers.h"

static bool is_role(struct slice name)
{
    for (size_t i = 0; i < name.len; i++) {
        if (!memchr("abcdefghijklmnopqrstuvwxyz0123456789_-", name.ptr[i], 38)) return false;
    }
    return name.len > 0 && name.len <= LIMIT_SIGNER_NAME_BYTES;
}

static bool check_role(struct config_reader *r, struct slice path, struct slice name)
{
    return is_role(name) || config_bad(r, path, FINDING_BAD_VALUE, "such as \"finance\"",
                                       "a role is a word of a-z, 0-9, _ and -, not `%.*s`", SLICE_FMT(name));
}

/* As the bundle names it: relative to the folder. */
static bool check_file(struct config_reader *r, struct slice path, struct slice name)
{
    bool is_file = name.len > 4 && name.len <= LIMIT_POLICY_PATH_BYTES && name.ptr[0] != '/' &&
                   memcmp(name.ptr + name.len - 4, ".lua", 4) == 0 && !memchr(name.ptr, '\n', name.len) &&
                   !memchr(name.ptr, '\t', name.len);
    return is_file || config_bad(r, path, FINDING_BAD_VALUE, "files = { [\"models.lua\"] = { by = \"finance\" } }",
                                 "is no file of the policies: %.*s", SLICE_FMT(name));
}

static struct slice text_of(const json_t *value)
{
    return slice_of(json_string_value(value), json_string_length(value));
}

static bool add_file(struct config_reader *r, struct slice path, const char *name, const json_t *value,
                     struct buf *lines)
{
    const json_t *by = json_object_get(value, "by");
    if (!check_file(r, path, slice_str(name))) return false;
    if (!json_is_string(by) || json_object_size(value) != 1)
        return config_bad(r, path, FINDING_BAD_VALUE, "{ by = \"finance\" }",
                          "must say which role signs it, and no more");
    if (!check_role(r, path, text_of(by))) return false;
    buf_printf(lines, "%s%s\t%.*s", buf_len(lines) ? "\n" : "", name, SLICE_FMT(text_of(by)));
    return true;
}

static bool add_role(struct config_reader *r, struct slice path, const char *name, const json_t *value,
                     struct buf *lines)
{
    bool is_good = check_role(r, path, slice_str(name));
    if (!json_is_array(value) || json_array_size(value) == 0 || json_array_size(value) > LIMIT_SIGNERS)
        return config_bad(r, path, FINDING_BAD_VALUE, "{ \"kim\", \"lee\" }", "must be a list of signers");
    for (size_t i = 0; i < json_array_size(value); i++) {
        struct slice who = text_of(json_array_get(value, i));
        if (!who.ptr || !signers_is_principal(who))
            is_good = config_bad(r, path, FINDING_BAD_VALUE, "a principal of the signers", "number %zu is no name",
                                 i + 1);
        else
            buf_printf(lines, "%s%s\t%.*s", buf_len(lines) ? "\n" : "", name, SLICE_FMT(who));
    }
    return is_good;
}

static bool read_lines(struct config_reader *r, struct slice path, const json_t *given, struct slice *out,
                       bool (*add)(struct config_reader *r, struct slice path, const char *name, const json_t *value,
                                   struct buf *lines))
{
    json_t *table = (json_t *)(uintptr_t)given; /* jansson's walk takes no const */
    struct buf lines;
    const char *name;
    json_t *value;
    bool is_good = true;
    if (!config_is_table(r, path, given)) return false;
    buf_init(&lines);
    json_object_foreach(table, name, value)
        is_good = add(r, config_join(r, path, name), name, value, &lines) && is_good;
    if (is_good) *out = arena_copy(r->arena, buf_slice(&lines));
    buf_clear(&lines);
    return is_good;
}

bool config_read_gate_files(struct config_reader *r, struct slice path, const json_t *value, struct slice *out)
{
    return read_lines(r, path, value, out, add_file);
}

bool config_read_gate_roles(struct config_reader *r, struct slice path, const json_t *value, struct slice *out)
{
    return read_lines(r, path, value, out, add_role);
}
