#include "cli/keys_inner.h"

#include <string.h>

#include "base/limits.h"
#include "server/units.h"

void keys_format_day(uint64_t seconds, char text[CLOCK_TEXT_BYTES])
{
    if (!seconds) {
        snprintf(text, CLOCK_TEXT_BYTES, "never");
        return;
    }
    clock_format(seconds * NS_PER_S, text);
    text[10] = '\0';
}

void keys_take_made(const struct governed *g, struct key_made *made)
{
    snprintf(made->text, sizeof made->text, "%s", governing_text(g, "key"));
    snprintf(made->id, sizeof made->id, "%s", governing_text(g, "id"));
}

void keys_print_made(struct key_made *made, uint64_t expires_at)
{
    char day[CLOCK_TEXT_BYTES];
    keys_format_day(expires_at, day);
    printf("%s\n", made->text);
    fflush(stdout);
    fprintf(stderr, "id %s, expires %s. The key is shown this once; only its SHA-256 is kept.\n", made->id, day);
    explicit_bzero(made, sizeof *made);
}

bool keys_read_life(const char *option, const char *text, const char *cure, uint64_t *ms)
{
    bool is_duration = units_duration(slice_str(text), ms);
    if (is_duration && *ms <= LIMIT_KEY_LIFE_MS) return true;
    cli_usage_error(cure, is_duration ? "%s: `%s` is more than 100 years" : "%s: `%s` is not a duration", option, text);
    return false;
}

#define SHOWN "`moongate keys list` shows the ids"

bool keys_check_id(const char *id, size_t count)
{
    if (count == 0) {
        cli_usage_error(SHOWN, "say which key: its id");
        return false;
    }
    if (strncmp(id, KEY_TEXT_PREFIX, strlen(KEY_TEXT_PREFIX)) != 0) return true;
    cli_usage_error(SHOWN "; do not type keys into a shell", "that is a key, not its id");
    return false;
}

int keys_missing(const char *id)
{
    return cli_error(CLI_FOUND, SHOWN, "there is no key with the id `%s`", id);
}
