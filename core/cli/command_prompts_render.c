/* What a prompt comes to with such values: no call, nothing kept. */
#include <stdlib.h>

#include "cli/prompts_inner.h"
#include "wire/prompt/prompt.h"

/* --set name=value: a text, unless it is JSON after ":=". */
static void write_values(const struct option_list *set, struct buf *out)
{
    buf_append_char(out, '{');
    for (size_t i = 0; i < set->count; i++) {
        struct slice value, name = slice_split(slice_str(set->items[i]), '=', &value);
        bool is_json = name.len && name.ptr[name.len - 1] == ':';
        if (is_json) name.len--;
        if (i) buf_append_char(out, ',');
        buf_append_json(out, name);
        buf_append_char(out, ':');
        if (is_json)
            buf_append(out, value);
        else
            buf_append_json(out, value);
    }
    buf_append_char(out, '}');
}

static void print(const struct template *t, const struct slice *values, bool is_json)
{
    struct buf out;
    struct arena arena;
    arena_init(&arena);
    buf_init(&out);
    if (is_json) buf_append(&out, SLICE("{\"messages\":["));
    for (uint32_t m = 0; m < t->message_count; m++) {
        const char *role = template_role_name(template_role(t, m));
        struct buf text;
        buf_init(&text);
        buf_append_char(&text, '"');
        template_write(t, m, values, &text);
        buf_append_char(&text, '"');
        if (is_json)
            buf_printf(&out, "%s{\"role\":\"%s\",\"content\":%.*s}", m ? "," : "", role, SLICE_FMT(buf_slice(&text)));
        else
            buf_printf(&out, "@%s\n%.*s\n", role, SLICE_FMT(json_decode(buf_slice(&text), &arena)));
        buf_clear(&text);
    }
    if (is_json) buf_append(&out, SLICE("]}\n"));
    fwrite(buf_ptr(&out), 1, buf_len(&out), stdout);
    buf_clear(&out);
    arena_clear(&arena);
}

static int render(struct prompts_work *w, const struct prompt_at *at, struct slice content, struct slice given)
{
    struct slice values[64];
    struct prompt_id id = {at->name, at->version};
    struct template_refusal bad;
    struct template_error wrong;
    struct json_tape tape, variables;
    struct prompt p;
    struct buf bytes;
    struct arena arena;
    int code = CLI_OK;
    json_init(&tape);
    json_init(&variables);
    buf_init(&bytes);
    arena_init(&arena);
    bool is_good = json_parse(&tape, content, &w->why) && json_parse(&variables, given, &w->why);
    if (!is_good)
        code = cli_error(CLI_USAGE, NULL, "%s", fault_message(&w->why));
    else if (!prompt_compile(&tape, &id, &bytes, &wrong) || !prompt_open(&p, buf_slice(&bytes)))
        code = cli_error(CLI_FOUND, NULL, "%s", wrong.text);
    else if (!template_read(&p.template, &variables, 0, &arena, values, &bad))
        code = cli_error(CLI_FOUND, "--set NAME=TEXT, or --set NAME:=JSON", "%s: %s", bad.name, bad.text);
    else
        print(&p.template, values, w->common.is_json);
    arena_clear(&arena);
    buf_clear(&bytes);
    json_clear(&variables);
    json_clear(&tape);
    return code;
}

int command_prompts_render(int argc, char **argv)
{
    static struct option_list set;
    const struct option own[] = {{"--set", OPTION_LIST, &set}, {NULL, OPTION_FLAG, NULL}};
    struct prompts_work w;
    struct prompt_at at;
    struct buf content, given;
    if (!prompts_begin(&w, argc, argv, &(struct prompts_way){.name = "render", .own = own, .reads = true, .least = 1,
                                                             .most = 1, .usage = "say which: NAME, or NAME@VERSION"}))
        return w.code;
    if (!prompts_read_at(&w, w.words[0], &at)) return prompts_end(&w, CLI_USAGE, false);
    if (!prompts_choose(&w, &at, "")) return prompts_end(&w, w.code, false);
    buf_init(&content);
    buf_init(&given);
    write_values(&set, &given);
    enum registry_found found = registry_prompt_content(w.registry, &at, &content, &w.why);
    int code = found == REGISTRY_FOUND ? render(&w, &at, buf_slice(&content), buf_slice(&given))
                                       : prompts_tell(&w, found, &at, "");
    buf_clear(&content);
    buf_clear(&given);
    return prompts_end(&w, code, false);
}
