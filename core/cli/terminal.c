#include "cli/terminal.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/visible.h"
#include "cli/cli.h"

struct door {
    int fd;
    int error; /* errno of the first write that failed */
    size_t tail_len;
    char tail[VISIBLE_TAIL_MAX]; /* the beginning of a character, whose rest comes with the next write */
};

static bool write_all(int fd, struct slice text)
{
    while (text.len) {
        ssize_t n = write(fd, text.ptr, text.len);
        if (n < 0 && errno != EINTR) return false;
        if (n > 0) text = slice_of(text.ptr + n, text.len - (size_t)n);
    }
    return true;
}

static ssize_t door_write(void *arg, const char *bytes, size_t len)
{
    struct door *door = arg;
    struct buf in, out;
    buf_init(&in);
    buf_init(&out);
    buf_append(&in, slice_of(door->tail, door->tail_len));
    buf_append(&in, slice_of(bytes, len));
    buf_consume(&in,
                visible_append(&out, buf_slice(&in), cli_is_coloured(door->fd == STDERR_FILENO ? stderr : stdout)));
    door->tail_len = buf_len(&in);
    memcpy(door->tail, buf_slice(&in).ptr, door->tail_len);
    bool is_written = write_all(door->fd, buf_slice(&out));
    if (!is_written && !door->error) door->error = errno;
    buf_clear(&in);
    buf_clear(&out);
    return is_written ? (ssize_t)len : 0;
}

static FILE *open_door(struct door *door, int fd, FILE *below)
{
    *door = (struct door){.fd = fd};
    FILE *stream = fopencookie(door, "w", (cookie_io_functions_t){.write = door_write});
    if (!stream) return below;
    setvbuf(stream, NULL, fd == STDERR_FILENO ? _IONBF : isatty(fd) ? _IOLBF : _IOFBF, BUFSIZ);
    return stream;
}

static struct door out, err;

void terminal_guard(void)
{
    stdout = open_door(&out, STDOUT_FILENO, stdout);
    stderr = open_door(&err, STDERR_FILENO, stderr);
}

/* Beside the door, which would spell the carriage return. */
void terminal_progress(const char *line)
{
    static int shown;
    struct buf over;
    buf_init(&over);
    if (shown) buf_printf(&over, "\r%*s\r", shown, "");
    visible_append(&over, slice_str(line), false);
    shown = (int)strlen(line);
    write_all(STDERR_FILENO, buf_slice(&over));
    buf_clear(&over);
}

int terminal_end(void)
{
    fflush(stdout);
    return out.error;
}
