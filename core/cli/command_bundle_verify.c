/* `bundle verify` in one line, `bundle status` with all there is to say. */
#include <inttypes.h>
#include <jansson.h>

#include "cli/cli.h"
#include "cli/sealing.h"
#include "cli/table.h"
#include "server/check_signed.h"
#include "server/kept.h"
#include "server/signed.h"

static json_t *text_of(struct slice text)
{
    return json_stringn(text.ptr ? text.ptr : "", text.len);
}

static json_t *kept_json(const struct sealing *s)
{
    uint64_t serials[KEPT_LIST_MAX];
    json_t *list = json_array();
    size_t count = kept_list(s->config->settings->data_dir.ptr, serials);
    for (size_t i = 0; i < count; i++)
        json_array_append_new(list, json_integer((json_int_t)serials[i]));
    return list;
}

static json_t *as_json(const struct signed_state *state, const struct sealing *s)
{
    json_t *by = json_array();
    for (size_t i = 0; i < state->count; i++)
        json_array_append_new(by, json_pack("{s:o, s:b, s:o}", "principal", text_of(state->by[i].principal), "counts",
                                            state->by[i].counts, "why", text_of(state->by[i].why)));
    json_t *out = json_pack("{s:b, s:s, s:I, s:s, s:s, s:I, s:I, s:o}", "ok", state->is_good, "reason",
                            state->is_good ? "" : fault_message(&state->why), "serial",
                            (json_int_t)state->manifest.serial, "base", state->manifest.base, "digest",
                            bundle_digest(s->bundle), "signatures", (json_int_t)state->persons, "wanted",
                            (json_int_t)state->wanted, "signed", by);
    json_object_set_new(out, "may_sign", text_of(state->may_sign));
    json_object_set_new(out, "refused_lines", text_of(state->refused));
    json_object_set_new(out, "accepted_serial", json_integer((json_int_t)s->last.serial));
    json_object_set_new(out, "accepted_digest", json_string(s->last.digest));
    json_object_set_new(out, "in_force", json_boolean(state->is_in_force));
    json_object_set_new(out, "new_signers", json_boolean(state->has_new_signers));
    json_object_set_new(out, "kept", kept_json(s));
    return out;
}

static void print_line(const struct signed_state *state)
{
    if (state->is_good)
        printf("ok  serial %" PRIu64 ", signed by %.*s (%u of %u)\n", state->manifest.serial,
               SLICE_FMT(state->signed_by), state->persons, state->wanted);
    else
        printf("refused: %s\n", fault_message(&state->why));
}

static void print_table(struct signed_state *state)
{
    static const struct table_column columns[] = {{.head = "SIGNED BY"}, {.head = "COUNTS"},
                                                  {.head = "WHY NOT", .is_flexible = true}};
    struct table *t = table_new(columns, 3);
    for (size_t i = 0; i < state->count; i++) {
        const struct signed_by *by = &state->by[i];
        table_add(t, (const char *[]){by->principal.ptr, by->counts ? "yes" : "no",
                                      arena_copy(&state->arena, by->why).ptr});
        table_mark(t, 1, by->counts ? TABLE_GREEN : TABLE_RED);
    }
    if (state->count) table_print(t);
    table_free(t);
}

static void print_kept(const struct sealing *s)
{
    uint64_t serials[KEPT_LIST_MAX];
    size_t count = kept_list(s->config->settings->data_dir.ptr, serials);
    for (size_t i = 0; i < count; i++)
        printf("%s%" PRIu64 "%s", i ? ", " : "kept         serial ", serials[i], i + 1 == count ? "\n" : "");
}

static void print_screen(struct signed_state *state, const struct sealing *s)
{
    print_line(state);
    printf("\nthese files  digest %.12s, %zu of them\n", bundle_digest(s->bundle), bundle_count(s->bundle));
    if (state->has_manifest)
        printf("manifest     serial %" PRIu64 ", base %.12s, digest %.12s\n", state->manifest.serial,
               state->manifest.base, state->manifest.digest);
    if (s->last.serial)
        printf("accepted     serial %" PRIu64 ", digest %.12s%s\n", s->last.serial, s->last.digest,
               state->is_in_force ? ": this one" : "");
    print_kept(s);
    if (state->has_new_signers)
        printf("signers      have changed: %s\n",
               state->takes_signers ? "they count from the next bundle on"
                                    : "they count once those who sign now have signed: `moongate bundle manifest`");
    if (state->may_sign.len) printf("may sign     %.*s\n", SLICE_FMT(state->may_sign));
    if (state->refused.len) printf("signers      refused: %.*s\n", SLICE_FMT(state->refused));
    if (state->count) printf("\n");
    print_table(state);
}

static int judge(const struct sealing *s, bool is_screen, bool is_json)
{
    struct signed_state state;
    gate_judge(s->config, s->bundle, &s->last, &state);
    if (is_json)
        cli_print_json(as_json(&state, s));
    else if (is_screen)
        print_screen(&state, s);
    else
        print_line(&state);
    bool is_good = state.is_good;
    signed_clear(&state);
    return is_good ? CLI_OK : CLI_FOUND;
}

static int look(int argc, char **argv, bool is_screen)
{
    struct common_options common;
    struct sealing s;
    if (!cli_options(argc, argv, NULL, &common, NULL, NULL, 0)) return CLI_USAGE;
    if (common.is_help) return command_help(2, (char *[]){"bundle", is_screen ? "status" : "verify"});
    if (!sealing_open(&s, common.config)) return CLI_USAGE;
    int code = s.config->gate_signers.len
                   ? judge(&s, is_screen, common.is_json)
                   : cli_usage_error("gate = { signatures = 2, signers = \"allowed_signers\" }",
                                     "moongate.lua names nobody who may sign");
    sealing_close(&s);
    return code;
}

int command_bundle_verify(int argc, char **argv)
{
    return look(argc, argv, false);
}

int command_bundle_status(int argc, char **argv)
{
    return look(argc, argv, true);
}
