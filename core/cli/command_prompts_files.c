/* Prompts as files: new, push, pull, diff. */
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "cli/prompts_files.h"
#include "cli/prompts_inner.h"

#define FOLDER "prompts"

struct pushing {
    struct prompts_work *w;
    bool is_submitted, is_diff;
    enum semver_bump bump;
    json_t *told; /* with --json */
    size_t changed;
    int code;
};

static struct slice text_of(const json_t *about, const char *name)
{
    const json_t *value = json_object_get(about, name);
    return slice_of(json_string_value(value), json_string_length(value));
}

/* What stands with the prompt, not with a version. */
static char *fields_of(const json_t *about)
{
    static const char *const names[] = {"description", "tags", "links"};
    json_t *fields = json_object();
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        json_t *value = json_object_get(about, names[i]);
        if (value) json_object_set(fields, names[i], value);
    }
    char *text = json_dumps(fields, JSON_COMPACT | JSON_SORT_KEYS);
    json_decref(fields);
    return text;
}

static void tell(struct pushing *p, const struct prompt_push *push, const struct prompt_pushed *pushed)
{
    char version[SEMVER_BYTES];
    const char *word = pushed->is_same ? "unchanged" : pushed->is_new ? "new" : "changed";
    semver_write(pushed->version, version);
    if (p->w->common.is_json)
        json_array_append_new(p->told, json_pack("{s:s%, s:s, s:s, s:s}", "name", push->name.ptr, push->name.len,
                                                 "version", version, "done", word, "sha256", pushed->sha256));
    else
        printf("%-9s %.*s@%s  %.12s\n", word, SLICE_FMT(push->name), version, pushed->sha256);
}

static bool submit(struct pushing *p, const struct prompt_push *push, const struct prompt_pushed *pushed)
{
    struct prompt_at at = {push->name, pushed->version, slice_str(p->w->person)};
    if (!p->is_submitted || (pushed->is_same && !pushed->is_new)) return true;
    enum registry_found found = registry_prompt_submit(p->w->registry, &at, &p->w->by, &p->w->why);
    if (found != REGISTRY_FOUND) p->code = prompts_refused(p->w);
    return found == REGISTRY_FOUND;
}

static bool push_one(void *arg, const char *path, const struct promptfile *file)
{
    struct pushing *p = arg;
    struct prompt_pushed pushed;
    json_t *about = json_loadb(buf_slice(&file->about).ptr, buf_len(&file->about), 0, NULL);
    char *fields = fields_of(about);
    struct prompt_push push = {.name = text_of(about, "name"), .owner = text_of(about, "owner"),
                               .department = text_of(about, "department"), .fields = slice_str(fields),
                               .content = buf_slice(&file->content), .person = slice_str(p->w->person),
                               .bump = p->bump};
    struct slice version = text_of(about, "version");
    bool is_good = !version.len || p->bump != SEMVER_SAME || prompts_read_version(version.ptr, &push.version);
    if (is_good && !registry_prompt_push(p->w->registry, &push, &p->w->by, &pushed, &p->w->why)) {
        fprintf(stderr, "%s: ", path);
        p->code = prompts_refused(p->w);
        is_good = false;
    }
    if (is_good) {
        p->changed += !pushed.is_same;
        tell(p, &push, &pushed);
        is_good = submit(p, &push, &pushed);
    }
    free(fields);
    json_decref(about);
    return is_good;
}

static bool read_bump(const char *text, enum semver_bump *bump)
{
    *bump = SEMVER_SAME;
    if (!text) return true;
    for (enum semver_bump b = SEMVER_PATCH; b <= SEMVER_MAJOR; b++) {
        if (strcmp(text, semver_bump_name(b)) == 0) *bump = b;
    }
    if (*bump == SEMVER_SAME) cli_usage_error("patch, minor or major", "--bump %s", text);
    return *bump != SEMVER_SAME;
}

int command_prompts_push(int argc, char **argv)
{
    static const char *bump;
    static bool is_submitted;
    const struct option own[] = {{"--submit", OPTION_FLAG, &is_submitted}, {"--bump", OPTION_TEXT, &bump},
                                 {NULL, OPTION_FLAG, NULL}};
    struct prompts_work w;
    if (!prompts_begin(&w, argc, argv, &(struct prompts_way){.name = "push", .own = own, .most = 1})) return w.code;
    struct pushing p = {.w = &w, .is_submitted = is_submitted, .told = json_array(), .code = CLI_USAGE};
    if (!read_bump(bump, &p.bump)) return prompts_end(&w, CLI_USAGE, false);
    bool is_good = prompts_files_each(w.word_count ? w.words[0] : FOLDER, push_one, &p);
    if (is_good && w.common.is_json) cli_print_json(json_pack("{s:O}", "pushed", p.told));
    json_decref(p.told);
    return prompts_end(&w, is_good ? CLI_OK : p.code, p.changed > 0);
}

/* ---- What would be pushed. */

/* Its production's version, else its newest, beside the file's. */
static bool read_other(struct pushing *p, struct slice name, struct prompt_at *at, struct buf *content)
{
    *at = (struct prompt_at){.name = name};
    json_t *list = registry_prompts(p->w->registry, name, &p->w->why), *one = json_array_get(list, 0);
    const char *version = NULL;
    void *arm = json_object_iter(json_object_get(json_object_get(one, "labels"), "production"));
    json_t *versions = json_object_get(one, "versions");
    if (arm) version = json_object_iter_key(arm);
    const json_t *newest = json_array_get(versions, json_array_size(versions) - 1);
    if (!version) version = json_string_value(json_object_get(newest, "version"));
    bool is_there = version && semver_parse(slice_str(version), &at->version) &&
                    registry_prompt_content(p->w->registry, at, content, &p->w->why) == REGISTRY_FOUND;
    json_decref(list);
    return is_there;
}

static void print_lines(const char *sign, const json_t *value)
{
    char *text = json_dumps(value, JSON_INDENT(2) | JSON_ENCODE_ANY | JSON_SORT_KEYS);
    struct slice rest = slice_str(text);
    while (rest.len)
        printf("%s %.*s\n", sign, SLICE_FMT(slice_split(rest, '\n', &rest)));
    free(text);
}

/* Member by member: what differs of the one and of the other. */
static bool print_difference(const json_t *before, const json_t *after)
{
    bool is_other = false;
    json_t *all = json_copy((json_t *)(uintptr_t)before), *value;
    const char *name;
    json_object_update_missing(all, (json_t *)(uintptr_t)after);
    json_object_foreach(all, name, value)
    {
        const json_t *one = json_object_get(before, name), *other = json_object_get(after, name);
        if (one && other && json_equal(one, other)) continue;
        is_other = true;
        printf("  %s:\n", name);
        if (one) print_lines("  -", one);
        if (other) print_lines("  +", other);
    }
    json_decref(all);
    return is_other;
}

static bool diff_one(void *arg, const char *path, const struct promptfile *file)
{
    struct pushing *p = arg;
    struct prompt_at at;
    struct buf content;
    buf_init(&content);
    json_t *about = json_loadb(buf_slice(&file->about).ptr, buf_len(&file->about), 0, NULL);
    bool is_there = read_other(p, text_of(about, "name"), &at, &content);
    json_t *before = is_there ? json_loadb(buf_ptr(&content), buf_len(&content), 0, NULL) : json_object();
    json_t *after = json_loadb(buf_slice(&file->content).ptr, buf_len(&file->content), 0, NULL);
    char version[SEMVER_BYTES] = "nothing";
    if (is_there) semver_write(at.version, version);
    if (!json_equal(before, after)) {
        printf("%s  %.*s@%s\n", path, SLICE_FMT(at.name), version);
        print_difference(before, after);
        p->changed++;
    }
    json_decref(before);
    json_decref(after);
    json_decref(about);
    buf_clear(&content);
    return true;
}

int command_prompts_diff(int argc, char **argv)
{
    struct prompts_work w;
    if (!prompts_begin(&w, argc, argv, &(struct prompts_way){.name = "diff", .reads = true, .most = 1})) return w.code;
    struct pushing p = {.w = &w};
    bool is_good = prompts_files_each(w.word_count ? w.words[0] : FOLDER, diff_one, &p);
    if (is_good) fprintf(stderr, "%zu differ\n", p.changed);
    return prompts_end(&w, !is_good ? CLI_USAGE : p.changed ? CLI_FOUND : CLI_OK, false);
}

/* ---- The reverse. */

static bool pull_one(struct prompts_work *w, const json_t *one, const char *folder)
{
    struct buf content, text;
    char path[1024];
    struct prompt_at at = {.name = text_of(one, "name")};
    const json_t *versions = json_object_get(one, "versions");
    const json_t *last = json_array_get(versions, json_array_size(versions) - 1);
    if (!last || !semver_parse(text_of(last, "version"), &at.version)) return true;
    json_t *about = json_deep_copy(json_object_get(one, "fields"));
    json_object_set(about, "name", json_object_get(one, "name"));
    json_object_set(about, "owner", json_object_get(one, "owner"));
    json_object_set(about, "department", json_object_get(one, "department"));
    json_object_set(about, "version", json_object_get(last, "version"));
    char *json = json_dumps(about, JSON_COMPACT);
    buf_init(&content);
    buf_init(&text);
    snprintf(path, sizeof path, "%.700s/%.*s.md", folder, SLICE_FMT(at.name));
    bool is_good = registry_prompt_content(w->registry, &at, &content, &w->why) == REGISTRY_FOUND &&
                   promptfile_write(slice_str(json), buf_slice(&content), &text) &&
                   prompts_files_write(path, buf_slice(&text));
    if (is_good) printf("%s\n", path);
    buf_clear(&content);
    buf_clear(&text);
    free(json);
    json_decref(about);
    return is_good;
}

int command_prompts_pull(int argc, char **argv)
{
    struct prompts_work w;
    bool is_good = true;
    if (!prompts_begin(&w, argc, argv, &(struct prompts_way){.name = "pull", .reads = true, .most = 1})) return w.code;
    json_t *list = registry_prompts(w.registry, SLICE(""), &w.why), *one;
    size_t i;
    if (!list) return prompts_end(&w, cli_error(CLI_USAGE, NULL, "%s", fault_message(&w.why)), false);
    json_array_foreach(list, i, one) is_good = is_good && pull_one(&w, one, w.word_count ? w.words[0] : FOLDER);
    json_decref(list);
    return prompts_end(&w, is_good ? CLI_OK : CLI_USAGE, false);
}

/* ---- A first file. */

static const char first[] = "---\n"
                            "name = \"%s\", version = \"1.0.0\", department = \"%s\", owner = \"%s\",\n"
                            "variables = { question = { max = 8000, example = \"Where is my parcel?\" } },\n"
                            "---\n"
                            "@system\n"
                            "Answer in three sentences.\n"
                            "@user\n"
                            "{{question}}\n";

int command_prompts_new(int argc, char **argv)
{
    static const char *department, *owner;
    const struct option own[] = {{"--department", OPTION_TEXT, &department}, {"--owner", OPTION_TEXT, &owner},
                                 {NULL, OPTION_FLAG, NULL}};
    struct prompts_work w;
    char path[1024], text[2048];
    if (!prompts_begin(&w, argc, argv, &(struct prompts_way){.name = "new", .own = own, .reads = true, .least = 1,
                                                             .most = 1, .usage = "say its name: support/reply"}))
        return w.code;
    snprintf(path, sizeof path, FOLDER "/%.200s.md", w.words[0]);
    snprintf(text, sizeof text, first, w.words[0], department ? department : "support", owner ? owner : "me");
    FILE *there = fopen(path, "re");
    if (there) {
        fclose(there);
        cli_error(CLI_FOUND, "`moongate prompts push` reads it", "%s is there already", path);
        return prompts_end(&w, CLI_FOUND, false);
    }
    bool is_good = prompts_files_write(path, slice_str(text));
    if (is_good) printf("%s\n", path);
    return prompts_end(&w, is_good ? CLI_OK : CLI_USAGE, false);
}
