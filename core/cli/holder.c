#include "cli/holder.h"

#include <unistd.h>

#include "base/mem.h"
#include "cli/cli.h"
#include "lua/ask.h"
#include "lua/bundle.h"
#include "server/config.h"

#define SCRIPT "holder"

/* As if every provider were there. False: there is nobody to ask. */
static bool ask_policies_of(const char *dir, struct slice question, struct buf *answer)
{
    struct policy_errors ignored;
    struct fault why;
    int code;
    struct bundle *bundle = access(dir, R_OK) == 0 ? bundle_read(dir, &why) : NULL;
    if (!bundle) return false;
    policy_errors_init(&ignored);
    struct policy_set *set = policy_set_load(bundle, NULL, &ignored);
    bool ok = set && policy_set_ask(set, SCRIPT, question, answer, &code, &why);
    policy_set_unref(set);
    policy_errors_clear(&ignored);
    bundle_unref(bundle);
    return ok;
}

/* The first line says what is wrong, the second how to right it. */
static bool tell(struct slice answer)
{
    struct slice hint, text = slice_split(answer, '\n', &hint);
    if (text.len == 0) return true;
    char *cure = hint.len ? mem_strndup(hint.ptr, hint.len) : NULL;
    cli_error(CLI_USAGE, cure ? cure : "--force makes the key all the same", "%.*s", SLICE_FMT(text));
    mem_free(cure);
    return false;
}

bool holder_is_known(const char *config, struct slice question)
{
    struct buf answer;
    char *dir = config_policies_dir(config_path(config));
    buf_init(&answer);
    bool is_good = !ask_policies_of(dir, question, &answer) || tell(buf_slice(&answer));
    buf_clear(&answer);
    mem_free(dir);
    return is_good;
}
