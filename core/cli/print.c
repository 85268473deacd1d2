#include <jansson.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/fault.h"
#include "cli/cli.h"

static enum { COLOR_AUTO, COLOR_ALWAYS, COLOR_NEVER } color_when = COLOR_AUTO;

bool cli_set_color(const char *when)
{
    static const char *const words[] = {"auto", "always", "never"};
    for (int i = 0; i < 3; i++) {
        if (strcmp(when, words[i]) == 0) {
            color_when = i;
            return true;
        }
    }
    return false;
}

static bool is_set(const char *name)
{
    const char *value = getenv(name);
    return value && *value;
}

bool cli_is_coloured(FILE *to)
{
    const char *term = getenv("TERM"), *force = getenv("CLICOLOR_FORCE");
    if (color_when != COLOR_AUTO) return color_when == COLOR_ALWAYS;
    if (is_set("NO_COLOR")) return false;
    if (force && *force && strcmp(force, "0") != 0) return true;
    if (term && strcmp(term, "dumb") == 0) return false;
    return isatty(to == stderr ? STDERR_FILENO : STDOUT_FILENO) == 1;
}

struct style {
    const char *error, *warning, *help, *place, *bold, *end;
};

static struct style style_of(FILE *to)
{
    static const struct style coloured = {"\033[1;31m", "\033[1;33m", "\033[1;36m", "\033[34m", "\033[1m", "\033[0m"};
    static const struct style plain = {"", "", "", "", "", ""};
    return cli_is_coloured(to) ? coloured : plain;
}

int cli_error(int exit_code, const char *cure, const char *format, ...)
{
    struct style s = style_of(stderr);
    va_list args;
    fprintf(stderr, "%serror%s: ", s.error, s.end);
    va_start(args, format);
    vfprintf(stderr, format, args);
    va_end(args);
    fputc('\n', stderr);
    if (cure) fprintf(stderr, "  %s=%s help: %s\n", s.place, s.end, cure);
    return exit_code;
}

int cli_usage_error(const char *cure, const char *format, ...)
{
    char text[512];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    return cli_error(CLI_USAGE, cure, "%s", text);
}

int cli_fault(const struct fault *why, const char *cure)
{
    struct slice own, text = slice_split(slice_str(fault_message(why)), '\n', &own);
    return cli_error(CLI_USAGE, own.len ? own.ptr : cure, "%.*s", SLICE_FMT(text));
}

/* ---- Diagnostics. */

static bool is_word(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

/* Bytes of what stands at `at`: a word, a quoted text, a name in brackets, or one sign. */
static size_t token_bytes(const char *at)
{
    size_t n = 0;
    if (*at == '[' && (at[1] == '"' || at[1] == '\'')) {
        n = 1 + token_bytes(at + 1);
        return at[n] == ']' ? n + 1 : n;
    }
    if (*at == '"' || *at == '\'') {
        n = 1;
        while (at[n] && at[n] != *at)
            n += at[n] == '\\' && at[n + 1] ? 2 : 1;
        return at[n] ? n + 1 : n;
    }
    while (is_word(at[n]))
        n++;
    return n ? n : 1;
}

/* Characters, not bytes: what the eye counts. */
static int width(const char *text, size_t bytes)
{
    int n = 0;
    for (size_t i = 0; i < bytes; i++)
        n += ((unsigned char)text[i] & 0xC0) != 0x80;
    return n;
}

static void print_source(FILE *to, const struct style *s, const char *source, int line, int column)
{
    char number[16];
    int digits = snprintf(number, sizeof number, "%d", line);
    size_t len = strlen(source);
    fprintf(to, "%s%*s |%s\n%s%s |%s ", s->place, digits, "", s->end, s->place, number, s->end);
    for (size_t i = 0; i < len; i++)
        fputc(source[i] == '\t' ? ' ' : source[i], to);
    fputc('\n', to);
    if (column < 1 || (size_t)column > len + 1) return;
    const char *at = source + column - 1;
    int carets = *at ? width(at, token_bytes(at)) : 1;
    fprintf(to, "%s%*s |%s %*s%s", s->place, digits, "", s->end, width(source, (size_t)column - 1), "", s->error);
    for (int i = 0; i < carets; i++)
        fputc('^', to);
    fprintf(to, "%s\n", s->end);
}

static void print_diagnostic(FILE *to, const struct style *s, const json_t *item)
{
    const char *severity = json_string_value(json_object_get(item, "severity"));
    const char *code = json_string_value(json_object_get(item, "code"));
    const char *message = json_string_value(json_object_get(item, "message"));
    const char *file = json_string_value(json_object_get(item, "file"));
    const char *source = json_string_value(json_object_get(item, "source"));
    const char *help = json_string_value(json_object_get(item, "help"));
    int line = (int)json_integer_value(json_object_get(item, "line"));
    int column = (int)json_integer_value(json_object_get(item, "column"));
    bool is_warning = severity && strcmp(severity, "warning") == 0;
    fprintf(to, "%s%s%s%s%s%s%s: %s%s\n", is_warning ? s->warning : s->error, is_warning ? "warning" : "error",
            code ? "[" : "", code ? code : "", code ? "]" : "", s->end, s->bold, message ? message : "", s->end);
    if (file) fprintf(to, "  %s-->%s %s", s->place, s->end, file);
    if (file && line) fprintf(to, ":%d", line);
    if (file && line && column) fprintf(to, ":%d", column);
    if (file) fputc('\n', to);
    if (source && line) print_source(to, s, source, line, column);
    if (help) fprintf(to, "  %s= help%s: %s\n", s->help, s->end, help);
}

void cli_print_report(FILE *to, const json_t *report)
{
    struct style s = style_of(to);
    size_t i;
    json_t *item;
    json_array_foreach(report, i, item) print_diagnostic(to, &s, item);
}

void cli_print_json(json_t *document)
{
    json_dumpf(document, stdout, JSON_REAL_PRECISION(15) | (isatty(STDOUT_FILENO) ? JSON_INDENT(2) : JSON_COMPACT));
    fputc('\n', stdout);
    json_decref(document);
}

void cli_print_answer(struct slice answer, bool is_json)
{
    if (answer.len && is_json) cli_print_json(json_loadb(answer.ptr, answer.len, 0, NULL));
    if (answer.len && !is_json) fwrite(answer.ptr, 1, answer.len, stdout);
}
