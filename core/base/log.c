#include "base/log.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/visible.h"

static const char *const level_names[] = {"error", "warn", "info", "debug"};
static enum log_level threshold = LOG_INFO;
static bool as_text;
static const char *speaker = "moongate";

void log_init(const char *who)
{
    const char *level = getenv("MOONGATE_LOG");
    const char *format = getenv("MOONGATE_LOG_FORMAT");
    speaker = who;
    as_text = format ? strcmp(format, "text") == 0 : isatty(STDERR_FILENO) == 1;
    for (int i = LOG_ERROR; level && i <= LOG_DEBUG; i++) {
        if (strcmp(level, level_names[i]) == 0) threshold = (enum log_level)i;
    }
}

bool log_is_on(enum log_level level)
{
    return level <= threshold;
}

static void append_line(struct buf *line, enum log_level level, const char *event, const char *text)
{
    char now[CLOCK_TEXT_BYTES];
    clock_format(clock_wall_ns(), now);
    if (as_text) {
        buf_printf(line, "%s %-5s %s: %s: ", now, level_names[level], speaker, event);
        visible_append(line, slice_str(text), false);
        buf_append_char(line, '\n');
        return;
    }
    buf_printf(line, "{\"time\":\"%s\",\"level\":\"%s\",\"who\":\"%s\",\"event\":\"%s\",\"message\":", now,
               level_names[level], speaker, event);
    buf_append_json(line, slice_str(text));
    buf_append(line, SLICE("}\n"));
}

void log_event(enum log_level level, const char *event, const char *format, ...)
{
    if (!log_is_on(level)) return;
    struct buf text, line;
    va_list args;
    buf_init(&text);
    buf_init(&line);
    va_start(args, format);
    buf_vprintf(&text, format, args);
    va_end(args);
    buf_append_char(&text, '\0');
    append_line(&line, level, event, buf_ptr(&text));
    /* One write, so that lines of several processes do not mix; nobody could be told if it failed. */
    ssize_t ignored = write(STDERR_FILENO, buf_ptr(&line), buf_len(&line));
    (void)ignored;
    buf_clear(&text);
    buf_clear(&line);
}
